import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalStorageCursorStore, MemoryCursorStore } from "../../src/index.js";
import { BoundedIds } from "../../src/duplicates.js";
import { harness } from "../support/harness.js";
import { until } from "../support/until.js";

const kept = (): MemoryCursorStore => new MemoryCursorStore({ cursor: "c0", given: [], pushed: [] });

test("ids are bounded, and the oldest go first", () => {
  const ids = new BoundedIds(3);
  for (const id of ["a", "b", "c", "a", "d"]) ids.add(id);
  assert.deepEqual(ids.list(), ["c", "a", "d"]);
  assert.ok(!ids.has("b"));
});

test("an id that the server repeats is given once", async (t) => {
  const { server, inbox, ids } = await harness(t, { store: kept() });
  inbox.start();
  await until("live", () => server.following === 1);
  server.publish("a");
  server.repeat("a");
  server.publish("b");
  await until("b", () => ids().includes("b"));
  assert.deepEqual(ids(), ["a", "b"]);
});

test("a push before the pull is new, and the pull says that it was pushed", async (t) => {
  const { server, inbox, arrived } = await harness(t, { store: kept() });
  assert.equal(await inbox.seenInPush("a"), true);
  assert.equal(await inbox.seenInPush("a"), false);
  server.publish("a", "b");
  inbox.start();
  await until("both", () => arrived.length === 2);
  assert.deepEqual(arrived.map((item) => item.pushed), [true, false]);
});

test("a push after the pull is not new, also while the handler is at work", async (t) => {
  const answers: boolean[] = [];
  const { server, inbox } = await harness(t, {
    store: kept(),
    onNotification: async ({ notification }) => void answers.push(await inbox.seenInPush(notification.id)),
  });
  server.publish("a");
  inbox.start();
  await until("given", () => answers.length === 1);
  answers.push(await inbox.seenInPush("a"));
  assert.deepEqual(answers, [false, false]);
});

test("pushes and pulls are remembered over a restart", async (t) => {
  const store = kept();
  const first = await harness(t, { store });
  first.server.publish("a");
  first.inbox.start();
  await until("a", () => first.arrived.length === 1);
  await first.inbox.seenInPush("b");
  await first.inbox.stop();
  const second = await harness(t, { store, server: first.server });
  assert.equal(await second.inbox.seenInPush("a"), false);
  first.server.publish("b");
  second.inbox.start();
  await until("b", () => second.arrived.length === 1);
  assert.equal(second.arrived[0]?.pushed, true);
});

test("localStorage keeps what is saved, and what is broken counts as nothing", () => {
  const map = new Map<string, string>();
  const storage = { getItem: (key: string) => map.get(key) ?? null, setItem: (key: string, value: string) => void map.set(key, value) };
  const store = new LocalStorageCursorStore("alice", storage);
  assert.equal(store.load(), null);
  const saved = { cursor: "c7", given: ["a"], pushed: ["b"] };
  store.save(saved);
  assert.deepEqual(new LocalStorageCursorStore("alice", storage).load(), saved);
  assert.equal(new LocalStorageCursorStore("bob", storage).load(), null);
  for (const broken of ["{", "7", "null"]) {
    map.set("bongsu:alice", broken);
    assert.equal(store.load(), null);
  }
  map.set("bongsu:alice", '{"cursor":7,"given":[1,"a"]}');
  assert.deepEqual(store.load(), { cursor: null, given: ["a"], pushed: [] });
});

test("a store that cannot keep is told, and nothing is repeated", async (t) => {
  const store = kept();
  store.save = () => {
    throw new Error("quota");
  };
  const { server, inbox, ids, errors } = await harness(t, { store });
  server.publish("a");
  inbox.start();
  await until("a", () => ids().length === 1);
  server.cut();
  await until("again", () => server.subscribed.length === 2);
  assert.deepEqual(server.subscribed, ["c0", "c1"]);
  assert.equal(errors[0]?.code, "STORE");
});
