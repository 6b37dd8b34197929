import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryCursorStore } from "../../src/index.js";
import { harness } from "../support/harness.js";
import { until } from "../support/until.js";

const kept = (cursor: string): MemoryCursorStore => new MemoryCursorStore({ cursor, given: [], pushed: [] });

test("without a cursor it starts from now, and history shows the past", async (t) => {
  const { server, inbox, ids } = await harness(t);
  server.publish("old1", "old2");
  inbox.start();
  await until("live", () => server.following === 1);
  server.publish("new");
  await until("new arrives", () => ids().length === 1);
  assert.deepEqual(ids(), ["new"]);
  assert.deepEqual((await inbox.history({ first: 2 })).notifications.map((n) => n.id), ["new", "old2"]);
  assert.equal(await inbox.unreadCount(), 3);
});

test("an inbox that was empty at first misses nothing before the first notification", async (t) => {
  const { server, inbox, ids } = await harness(t);
  inbox.start();
  await until("live", () => server.following === 1);
  server.refuseUpgrades = true;
  server.cut();
  server.publish("first");
  server.refuseUpgrades = false;
  await until("first arrives", () => ids().length === 1);
});

test("it goes on from the kept cursor", async (t) => {
  const { server, inbox, ids } = await harness(t, { store: kept("c1") });
  server.publish("a", "b", "c");
  inbox.start();
  await until("both", () => ids().length === 2);
  assert.deepEqual(ids(), ["b", "c"]);
  assert.deepEqual(server.subscribed, ["c1"]);
});

test("over many cuts and closes each arrives once and in order", async (t) => {
  const { server, inbox, ids } = await harness(t, { store: kept("c0") });
  const all = Array.from({ length: 60 }, (_, n) => `n${n}`);
  inbox.start();
  for (const [n, id] of all.entries()) {
    server.publish(id);
    if (n % 7 === 3) server.cut();
    if (n % 11 === 5) server.close(1001);
    if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 4));
  }
  await until("all", () => ids().length >= all.length);
  assert.deepEqual(ids(), all);
  assert.ok(server.opens > 2);
});

test("the cursor is kept only after the handler has returned", async (t) => {
  let release = (): void => {};
  const store = kept("c0");
  const { server, inbox } = await harness(t, { store, onNotification: () => new Promise<void>((resolve) => (release = resolve)) });
  server.publish("a", "b");
  inbox.start();
  await until("a in hand", () => server.following === 1);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(store.load()?.cursor, "c0");
  release();
  await until("kept", () => store.load()?.cursor === "c1");
  const stopped = inbox.stop();
  release();
  await stopped;
  assert.equal(store.load()?.cursor, "c2", "stop waits for the handler at work");
});

test("a handler that throws gets the same one again", async (t) => {
  const tries: string[] = [];
  const { server, inbox, errors } = await harness(t, {
    store: kept("c0"),
    onNotification: ({ notification }) => {
      tries.push(notification.id);
      if (tries.length === 2) throw new Error("no room");
    },
  });
  server.publish("a", "b", "c");
  inbox.start();
  await until("all", () => tries.length === 4);
  assert.deepEqual(tries, ["a", "b", "b", "c"]);
  assert.deepEqual(errors.map((error) => error.code), ["HANDLER"]);
});

test("marks are told and do not move the cursor", async (t) => {
  const { server, inbox, store, marked } = await harness(t, { store: kept("c0") });
  server.publish("a");
  inbox.start();
  await until("kept", () => store.load()?.cursor === "c1");
  server.mark("a", "READ");
  await until("marked", () => marked.length === 1);
  assert.equal(marked[0]?.mark, "READ");
  assert.equal(store.load()?.cursor, "c1");
});

test("marks go out in groups of a hundred", async (t) => {
  const { inbox } = await harness(t);
  const ids = Array.from({ length: 230 }, (_, n) => `n${n}`);
  assert.deepEqual((await inbox.markRead(...ids)).map((n) => n.id), ids);
});

test("a live query that ends with an error is asked anew", async (t) => {
  const { server, inbox, ids, errors } = await harness(t, { store: kept("c0") });
  inbox.start();
  await until("live", () => server.following === 1);
  server.failOperations("LAGGED");
  server.publish("a");
  await until("a", () => ids().length === 1);
  assert.equal(errors[0]?.code, "LAGGED");
});

test("a refusal that would be repeated stops it", async (t) => {
  const { server, inbox, errors } = await harness(t, { store: kept("c0") });
  inbox.start();
  await until("live", () => server.following === 1);
  server.failOperations("FORBIDDEN");
  await until("stopped", () => inbox.state === "stopped");
  assert.equal(errors.at(-1)?.code, "FORBIDDEN");
});

test("an app that is slow loses nothing", async (t) => {
  const given: string[] = [];
  const { server, inbox, errors } = await harness(t, {
    store: kept("c0"),
    settings: { queue: 3 },
    onNotification: async ({ notification }) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      given.push(notification.id);
    },
  });
  const all = Array.from({ length: 20 }, (_, n) => `n${n}`);
  server.publish(...all);
  inbox.start();
  await until("all", () => given.length >= 20);
  assert.deepEqual(given, all);
  assert.ok(errors.some((error) => error.code === "OVERFLOW"));
});

test("pings are answered with their payload, and a silent server is given up", async (t) => {
  const { server, inbox, errors } = await harness(t, { store: kept("c0"), settings: { idleMs: 200 } });
  inbox.start();
  await until("live", () => server.following === 1);
  server.ping({ n: 1 });
  await until("pong", () => server.pongs.length === 1);
  assert.deepEqual(server.pongs, [{ n: 1 }]);
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal(server.opens, 1, "a server that answers is kept");
  server.silent = true;
  await until("another connection", () => server.opens > 1);
  assert.equal(errors[0]?.code, "TIMEOUT");
});

test("start and stop may alternate", async (t) => {
  const { server, inbox, ids, states } = await harness(t, { store: kept("c0") });
  inbox.start();
  await until("live", () => server.following === 1);
  await inbox.stop();
  await until("gone", () => server.connections === 0);
  server.publish("a");
  inbox.start();
  await until("a", () => ids().length === 1);
  assert.deepEqual(states, ["connecting", "live", "stopped", "connecting", "live"]);
});
