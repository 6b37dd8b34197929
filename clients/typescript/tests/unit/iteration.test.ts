import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket } from "ws";
import { Inbox, MemoryCursorStore } from "../../src/index.js";
import { FakeServer } from "../support/fake_server.js";
import { quick } from "../support/harness.js";
import { until } from "../support/until.js";

async function looping(store: MemoryCursorStore): Promise<{ server: FakeServer; inbox: Inbox }> {
  const server = await FakeServer.start();
  return { server, inbox: new Inbox({ url: server.url, token: async () => "good", WebSocket, store, settings: quick }) };
}

const kept = (): MemoryCursorStore => new MemoryCursorStore({ cursor: "c0", given: [], pushed: [] });

test("a loop gets items in order; asking for the next one keeps the cursor", async (t) => {
  const store = kept();
  const { server, inbox } = await looping(store);
  t.after(() => server.stop());
  server.publish("a", "b", "c");
  const seen: [string, string | null | undefined][] = [];
  for await (const item of inbox) {
    seen.push([item.notification.id, store.load()?.cursor]);
    if (seen.length === 3) await inbox.stop();
  }
  assert.deepEqual(seen, [["a", "c0"], ["b", "c1"], ["c", "c2"]]);
  await until("the last one is kept", () => store.load()?.cursor === "c3");
});

test("what a loop was left with comes again", async (t) => {
  const store = kept();
  const { server, inbox } = await looping(store);
  t.after(() => server.stop());
  server.publish("a", "b");
  for await (const item of inbox) if (item.notification.id === "b") break;
  assert.equal(inbox.state, "stopped");
  await until("closed", () => server.connections === 0);
  assert.equal(store.load()?.cursor, "c1");
  for await (const item of inbox) {
    assert.equal(item.notification.id, "b");
    break;
  }
});

test("what cannot be mended ends the loop with an error", async (t) => {
  const { server, inbox } = await looping(kept());
  t.after(() => server.stop());
  const loop = (async () => {
    for await (const _ of inbox);
  })();
  await until("live", () => server.following === 1);
  server.failOperations("FORBIDDEN");
  await assert.rejects(loop, { code: "FORBIDDEN" });
});

test("either callbacks or a loop", () => {
  const inbox = new Inbox({ url: "http://127.0.0.1:1/graphql", token: async () => "", onNotification: () => {} });
  assert.throws(() => inbox[Symbol.asyncIterator](), /not both/);
});
