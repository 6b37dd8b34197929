import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryCursorStore } from "../../src/index.js";
import { harness } from "../support/harness.js";
import { until } from "../support/until.js";

/** A callback that gives these tokens in turn, then the last one for ever. */
function tokens(...list: string[]): { token: () => Promise<string>; asked: () => number } {
  let asked = 0;
  return {
    token: async () => list[Math.min(asked++, list.length - 1)] ?? "",
    asked: () => asked,
  };
}

const kept = (): MemoryCursorStore => new MemoryCursorStore({ cursor: "c0", given: [], pushed: [] });

test("a token is used until it is turned down, then fetched anew at once", async (t) => {
  const source = tokens("good", "better");
  const { server, inbox, ids, states } = await harness(t, { store: kept(), token: source.token });
  server.tokens.add("better");
  inbox.start();
  await until("live", () => server.following === 1);
  await inbox.unreadCount();
  server.cut();
  await until("live again", () => server.subscribed.length === 2 && server.following === 1);
  assert.equal(source.asked(), 1);
  server.tokens.delete("good");
  states.length = 0;
  server.close(4403);
  await until("live with the other", () => server.subscribed.length === 3);
  server.publish("a");
  await until("a", () => ids().length === 1);
  assert.equal(source.asked(), 2);
  assert.equal(server.tokensSeen.at(-1), "better");
  assert.ok(!states.includes("waiting"), "no wait");
});

test("4401 asks for a fresh token too", async (t) => {
  const source = tokens("good");
  const { server, inbox } = await harness(t, { store: kept(), token: source.token });
  inbox.start();
  await until("live", () => server.following === 1);
  server.close(4401);
  await until("live again", () => server.subscribed.length === 2);
  assert.equal(source.asked(), 2);
});

test("a token refused in connection_init is replaced", async (t) => {
  const source = tokens("stale", "good");
  const { server, inbox } = await harness(t, { store: kept(), token: source.token });
  inbox.start();
  await until("live", () => server.following === 1);
  assert.deepEqual(server.tokensSeen, ["stale", "good"]);
});

test("tokens that are all refused are not asked for without end", async (t) => {
  const source = tokens("stale");
  const { server, inbox, states } = await harness(t, { store: kept(), token: source.token, settings: { backoffFirstMs: 40, backoffMostMs: 400 } });
  inbox.start();
  await until("waiting", () => states.includes("waiting"));
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(server.opens <= 5, `${server.opens} tries`);
});

test("UNAUTHENTICATED over HTTP is tried once more with a fresh token", async (t) => {
  const source = tokens("stale", "good", "never");
  const { server, inbox } = await harness(t, { token: source.token });
  server.publish("a");
  assert.equal(await inbox.unreadCount(), 1);
  assert.equal(source.asked(), 2);
});

test("and once only", async (t) => {
  const source = tokens("stale");
  const { inbox } = await harness(t, { token: source.token });
  await assert.rejects(inbox.unreadCount(), { code: "UNAUTHENTICATED" });
  assert.equal(source.asked(), 2);
});

test("requests at the same time share one token", async (t) => {
  const source = tokens("stale", "good", "never");
  const { inbox } = await harness(t, { token: source.token });
  await Promise.all([inbox.unreadCount(), inbox.unreadCount(), inbox.history()]);
  assert.equal(source.asked(), 2);
});

test("a callback that fails is called again later", async (t) => {
  let asked = 0;
  const { server, inbox, errors } = await harness(t, {
    store: kept(),
    token: async () => {
      asked += 1;
      if (asked < 3) throw new Error("offline");
      return "good";
    },
  });
  inbox.start();
  await until("live", () => server.following === 1);
  assert.deepEqual(errors.map((error) => error.code), ["TOKEN", "TOKEN"]);
});
