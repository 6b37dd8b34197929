import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { WebSocket } from "ws";
import { Inbox, MemoryCursorStore, type Arrived, type BongsuError, type InboxOptions, type InboxState, type Marked } from "../../src/index.js";
import { Staff } from "../support/staff.js";
import { until } from "../support/until.js";

const base = process.env["BONGSU_URL"];
const adminKey = process.env["BONGSU_ADMIN_KEY"];
const skip = base && adminKey ? false : "BONGSU_URL and BONGSU_ADMIN_KEY are not set";
const staff = (): Promise<Staff> => Staff.at(new URL("/graphql", base).href, String(adminKey));

/** A WebSocket whose connections can be cut from outside. */
class Cuttable extends WebSocket {
  static readonly open = new Set<Cuttable>();

  constructor(url: string, protocol: string) {
    super(url, protocol);
    Cuttable.open.add(this);
    this.on("close", () => Cuttable.open.delete(this));
  }

  static cut(): void {
    for (const socket of Cuttable.open) socket.terminate();
  }
}

interface Client {
  inbox: Inbox;
  arrived: Arrived[];
  marked: Marked[];
  errors: BongsuError[];
  states: InboxState[];
}

function client(test: TestContext, sender: Staff, options: Partial<InboxOptions> = {}): Client {
  const kept = { arrived: [] as Arrived[], marked: [] as Marked[], errors: [] as BongsuError[], states: [] as InboxState[] };
  const inbox = new Inbox({
    url: sender.url,
    token: () => sender.token(),
    WebSocket: Cuttable,
    onNotification: (item) => void kept.arrived.push(item),
    onMark: (item) => void kept.marked.push(item),
    onError: (error) => kept.errors.push(error),
    onState: (state) => kept.states.push(state),
    settings: { backoffFirstMs: 20, backoffMostMs: 500, pollMs: 100 },
    ...options,
  });
  test.after(() => inbox.stop());
  return { inbox, ...kept };
}

const ids = (of: Client): string[] => of.arrived.map((item) => item.notification.id);
const live = (of: Client): Promise<void> => until("live", () => of.inbox.state === "live", 15_000);

test("a hundred, sent while it is connected, cut off, stopped and started anew: each once and in order", { skip }, async (t) => {
  const sender = await staff();
  const store = new MemoryCursorStore();
  const first = client(t, sender, { store });
  first.inbox.start();
  await live(first);
  const sent: string[] = [];
  for (let n = 0; n < 40; n += 1) {
    sent.push(await sender.send(`n${n}`));
    if (n % 9 === 4) Cuttable.cut();
  }
  await until("forty", () => first.arrived.length >= 40, 15_000);
  await first.inbox.stop();
  for (let n = 40; n < 70; n += 1) sent.push(await sender.send(`n${n}`));
  assert.equal(first.arrived.length, 40, "nothing comes after stop");

  // As after a restart of the app: only the store is the same.
  const second = client(t, sender, { store });
  second.inbox.start();
  for (let n = 70; n < 100; n += 1) sent.push(await sender.send(`n${n}`));
  await until("sixty", () => second.arrived.length >= 60, 15_000);
  assert.equal(sent.length, 100);
  assert.deepEqual([...ids(first), ...ids(second)], sent);
  assert.deepEqual(second.arrived.map((item) => item.notification.content?.body), sent.slice(40).map((_, n) => `n${n + 40}`));
  assert.ok(first.states.filter((state) => state === "live").length > 1, "it was cut and came back");

  const { notifications, hasNextPage, endCursor } = await second.inbox.history({ first: 60 });
  assert.deepEqual(notifications.map((n) => n.id), sent.slice(40).reverse());
  assert.ok(hasNextPage);
  const older = await second.inbox.history({ first: 60, after: endCursor });
  assert.deepEqual(older.notifications.map((n) => n.id), sent.slice(0, 40).reverse());
});

test("marks reach the recipient's other client", { skip }, async (t) => {
  const sender = await staff();
  const [one, other] = [client(t, sender), client(t, sender)];
  one.inbox.start();
  other.inbox.start();
  await Promise.all([live(one), live(other)]);
  const id = await sender.send("mark me");
  const second = await sender.send("archive me");
  await until("both have both", () => one.arrived.length === 2 && other.arrived.length === 2);
  assert.equal(await one.inbox.unreadCount(), 2);
  await one.inbox.markSeen(id);
  await one.inbox.markRead(id);
  assert.equal(await one.inbox.unreadCount(), 1, "its own mark counts at once");
  await one.inbox.archive(second);
  await until("marks", () => other.marked.length === 3 && one.marked.length === 3);
  const told = other.marked.map((item) => [item.mark, item.notification.id]);
  assert.deepEqual(told, [["SEEN", id], ["READ", id], ["ARCHIVED", second]]);
  assert.deepEqual(other.marked[1]?.notification.read, true);
  assert.equal(await other.inbox.unreadCount(), 0);
  assert.deepEqual((await other.inbox.history()).notifications.map((n) => n.id), [id]);
});

test("it starts from now, and a push is told apart from what is pulled", { skip }, async (t) => {
  const sender = await staff();
  const past = await sender.send("past");
  const { inbox, arrived } = client(t, sender);
  const shown = async (): Promise<string[]> => (await inbox.history()).notifications.map((n) => n.id);
  // History is a moment behind, and what it does not show yet counts as coming. It is asked as
  // seldom as an app would: one that never pauses is told to wait.
  await until("the past is shown", async () => (await shown()).length > 0, 5_000, 50);
  inbox.start();
  await until("live", () => inbox.state === "live");
  const id = await sender.send("new");
  await until("new", () => arrived.length === 1);
  assert.equal(arrived[0]?.notification.id, id);
  assert.equal(await inbox.seenInPush(id), false);
  assert.deepEqual(await shown(), [id, past]);
});

test("an expired token is replaced while it is connected", { skip }, async (t) => {
  const sender = await staff();
  let asked = 0;
  const { inbox, arrived, states } = client(t, sender, {
    token: () => {
      asked += 1;
      return sender.token(asked === 1 ? 2 : 600);
    },
  });
  inbox.start();
  await until("live", () => inbox.state === "live");
  await until("a second token", () => asked === 2 && inbox.state === "live", 15_000);
  await sender.send("after");
  await until("after", () => arrived.length === 1);
  assert.ok(!states.includes("waiting"));
});

test("without a WebSocket it polls", { skip }, async (t) => {
  const sender = await staff();
  const polling = client(t, sender, { WebSocket: null });
  polling.inbox.start();
  await until("polling", () => polling.inbox.state === "polling");
  const sent: string[] = [];
  for (let n = 0; n < 120; n += 1) sent.push(await sender.send(`n${n}`));
  await until("all", () => polling.arrived.length >= 120, 15_000);
  assert.deepEqual(ids(polling), sent);
});
