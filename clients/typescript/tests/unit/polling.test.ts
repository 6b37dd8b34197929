import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryCursorStore } from "../../src/index.js";
import { harness } from "../support/harness.js";
import { until } from "../support/until.js";

const kept = (): MemoryCursorStore => new MemoryCursorStore({ cursor: "c0", given: [], pushed: [] });

test("without a WebSocket implementation it polls, over several pages", async (t) => {
  const { server, inbox, ids, store } = await harness(t, { store: kept(), WebSocket: null });
  server.publish("a", "b", "c", "d", "e");
  inbox.start();
  await until("five", () => ids().length === 5);
  server.publish("f");
  await until("six", () => ids().length === 6);
  assert.deepEqual(ids(), ["a", "b", "c", "d", "e", "f"]);
  assert.equal(inbox.state, "polling");
  await until("kept", () => store.load()?.cursor === "c6");
});

test("it polls while WebSockets are refused, and goes live once they are not", async (t) => {
  const { server, inbox, ids, errors } = await harness(t, { store: kept() });
  server.refuseUpgrades = true;
  server.publish("a");
  inbox.start();
  await until("polling", () => ids().length === 1);
  assert.ok(errors.some((error) => error.code === "NO_WEBSOCKET"));
  server.publish("b");
  await until("b", () => ids().length === 2);
  server.refuseUpgrades = false;
  await until("live", () => inbox.state === "live" && server.following === 1);
  server.publish("c");
  await until("c", () => ids().length === 3);
  assert.deepEqual(ids(), ["a", "b", "c"]);
});

test("after a close code that asks not to come back it only polls", async (t) => {
  const { server, inbox, ids, errors } = await harness(t, { store: kept() });
  inbox.start();
  await until("live", () => server.following === 1);
  server.close(4400);
  await until("polling", () => inbox.state === "polling");
  server.publish("a");
  await until("a", () => ids().length === 1);
  inbox.wake();
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(server.opens, 1);
  assert.equal(errors[0]?.code, "CLOSED_4400");
});

test("after 1013 it stays away for a while", async (t) => {
  const { server, inbox } = await harness(t, { store: kept() });
  inbox.start();
  await until("live", () => server.following === 1);
  const closed = Date.now();
  server.close(1013);
  await until("live again", () => server.opens === 2);
  assert.ok(Date.now() - closed >= 55);
});

test("a network that comes back is taken at once by WebSocket", async (t) => {
  const { server, inbox, ids } = await harness(t, { store: kept(), settings: { retryLiveMs: 3_600_000 } });
  server.refuseUpgrades = true;
  server.failHttp = true;
  inbox.start();
  await new Promise((resolve) => setTimeout(resolve, 60));
  // HTTP comes back last: an answered poll would say that it is WebSockets that are in the way.
  server.refuseUpgrades = false;
  await until("live", () => inbox.state === "live");
  server.failHttp = false;
  server.publish("a");
  await until("a", () => ids().length === 1);
});

test("wake cuts a wait short", async (t) => {
  const { server, inbox } = await harness(t, { store: kept(), settings: { backoffFirstMs: 3_600_000, backoffMostMs: 3_600_000 } });
  inbox.start();
  await until("live", () => server.following === 1);
  server.cut();
  await until("waiting", () => inbox.state === "waiting");
  inbox.wake();
  await until("live", () => inbox.state === "live");
});
