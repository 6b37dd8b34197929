import type { TestContext } from "node:test";
import { WebSocket } from "ws";
import { Inbox, MemoryCursorStore, type Arrived, type BongsuError, type InboxOptions, type InboxState, type Marked, type Settings } from "../../src/index.js";
import { FakeServer } from "./fake_server.js";

/** Quick, so that tests are. */
export const quick: Partial<Settings> = { backoffFirstMs: 2, backoffMostMs: 20, laterMs: 60, pollMs: 10, retryLiveMs: 60, readyMs: 2_000, idleMs: 2_000 };

export interface Harness {
  server: FakeServer;
  inbox: Inbox;
  store: MemoryCursorStore;
  arrived: Arrived[];
  marked: Marked[];
  errors: BongsuError[];
  states: InboxState[];
  ids: () => string[];
}

/** A fake server and an inbox at it, both ended with the test. */
export async function harness(test: TestContext, options: Partial<InboxOptions> & { server?: FakeServer; store?: MemoryCursorStore } = {}): Promise<Harness> {
  const { server = await FakeServer.start(), store = new MemoryCursorStore(), settings, ...rest } = options;
  const kept = { arrived: [] as Arrived[], marked: [] as Marked[], errors: [] as BongsuError[], states: [] as InboxState[] };
  const inbox = new Inbox({
    url: server.url,
    token: async () => "good",
    store,
    WebSocket,
    onNotification: (item) => void kept.arrived.push(item),
    onMark: (item) => void kept.marked.push(item),
    onError: (error) => kept.errors.push(error),
    onState: (state) => kept.states.push(state),
    settings: { ...quick, ...settings },
    ...rest,
  });
  test.after(async () => {
    await inbox.stop();
    await server.stop();
  });
  return { server, inbox, store, ...kept, ids: () => kept.arrived.map((item) => item.notification.id) };
}
