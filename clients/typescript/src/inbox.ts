import { systemClock, type Clock } from "./clock.js";
import { MemoryCursorStore, type CursorStore } from "./cursor_store.js";
import { Delivery } from "./delivery.js";
import { HISTORY, markDocument, page, UNREAD, type Connection, type MarkData, type MarkField } from "./documents.js";
import { asError, BongsuError } from "./errors.js";
import { Feed } from "./feed.js";
import { HandOver } from "./hand_over.js";
import type { SocketConstructor } from "./live_connection.js";
import { defaults, type Settings } from "./settings.js";
import { Transport } from "./transport.js";
import type { Arrived, Cursor, FeedItem, InboxState, Marked, Notification, Page } from "./types.js";

export interface InboxOptions {
  /** Of the endpoint, e.g. `https://notify.example.com/graphql`. */
  url: string;
  /** A recipient's token, fresh from the app's own server. Asked again only once one was turned down. */
  token: () => Promise<string>;
  /** Where the cursor is kept; without one it is forgotten with the process. */
  store?: CursorStore;
  onNotification?: (item: Arrived) => Promise<void> | void;
  onMark?: (item: Marked) => Promise<void> | void;
  onError?: (error: BongsuError) => void;
  onState?: (state: InboxState) => void;
  /** The platform's where nothing is said; null to poll only. */
  WebSocket?: SocketConstructor | null;
  fetch?: typeof globalThis.fetch;
  clock?: Clock;
  settings?: Partial<Settings>;
}

export interface HistoryOptions {
  first?: number;
  /** `endCursor` of the page before; older ones follow. */
  after?: Cursor | null;
  unreadOnly?: boolean;
  includeArchived?: boolean;
}

/** The server's bound on ids at once. */
const IDS_AT_ONCE = 100;

/** A recipient's notifications: what was missed, what comes, and what was. */
export class Inbox implements AsyncIterable<FeedItem> {
  private readonly options: InboxOptions;
  private readonly clock: Clock;
  private readonly settings: Settings;
  private readonly transport: Transport;
  private readonly delivery: Delivery;
  private current: InboxState = "stopped";
  private feed: Feed | null = null;
  private running: Promise<void> = Promise.resolve();
  private loop: HandOver | null = null;

  constructor(options: InboxOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.settings = { ...defaults, ...options.settings };
    const WebSocket = options.WebSocket === undefined ? ((globalThis.WebSocket as SocketConstructor | undefined) ?? null) : options.WebSocket;
    const { url, token, fetch = globalThis.fetch } = options;
    this.transport = new Transport({ url, token, fetch, WebSocket, clock: this.clock, settings: this.settings });
    const store = options.store ?? new MemoryCursorStore();
    this.delivery = new Delivery({ store, remember: this.settings.remember, give: (item) => this.give(item), onError: (error) => this.fail(error) });
  }

  get state(): InboxState {
    return this.current;
  }

  /** Begins, or goes on, from the kept cursor; without one from now. Returns at once. */
  start(): void {
    if (this.feed) return;
    const feed = new Feed({
      transport: this.transport,
      delivery: this.delivery,
      clock: this.clock,
      settings: this.settings,
      onState: (state) => this.become(feed, state),
      onError: (error) => this.fail(error),
    });
    this.feed = feed;
    this.become(feed, "connecting");
    this.running = this.running.then(() => this.run(feed));
  }

  private async run(feed: Feed): Promise<void> {
    try {
      await feed.run();
    } catch (thrown) {
      const error = asError(thrown, "NETWORK");
      this.fail(error);
      this.loop?.end(error);
      this.loop = null;
    }
    this.become(feed, "stopped");
    if (this.feed === feed) this.feed = null;
  }

  /**
   * Ends it. Answered when the handler at work, if any, has returned and its cursor is kept; so
   * do not wait for it inside of `onNotification` or `onMark`.
   */
  async stop(): Promise<void> {
    const { feed, loop } = this;
    feed?.stop();
    if (feed) this.become(feed, "stopped");
    this.feed = null;
    this.loop = null;
    loop?.end(true);
    if (!loop?.busy) await this.running;
  }

  /** Tries at once where it waits; call it when the app comes to the front or the network is back. */
  wake(): void {
    this.feed?.wake();
  }

  /** Starts, and gives items to a `for await` loop instead of the callbacks. */
  [Symbol.asyncIterator](): AsyncIterator<FeedItem> {
    if (this.options.onNotification || this.options.onMark) throw new Error("Either callbacks or a loop, not both.");
    if (this.loop) throw new Error("There is a loop already.");
    const loop = new HandOver(() => void this.stop());
    this.loop = loop;
    this.start();
    return loop;
  }

  /** The past, newest first. It shows at least what was given so far, marks by this client included. */
  async history(options: HistoryOptions = {}): Promise<Page> {
    const { first = 20, after = null, unreadOnly = false, includeArchived = false } = options;
    const variables = { first, after, unreadOnly, includeArchived, atLeast: this.delivery.latest };
    return page((await this.read<{ notifications: Connection }>(HISTORY, variables)).notifications);
  }

  async unreadCount(): Promise<number> {
    return (await this.read<{ unreadCount: number }>(UNREAD, { atLeast: this.delivery.latest })).unreadCount;
  }

  markSeen(...ids: string[]): Promise<Notification[]> {
    return this.mark("markSeen", ids);
  }

  markRead(...ids: string[]): Promise<Notification[]> {
    return this.mark("markRead", ids);
  }

  archive(...ids: string[]): Promise<Notification[]> {
    return this.mark("archive", ids);
  }

  /**
   * Tells that a push with this `nid` came natively. True where it is new: show it. False where
   * the app has had it, pulled or pushed: drop it. One that is new comes to `onNotification` too,
   * then with `pushed`.
   */
  seenInPush(nid: string): Promise<boolean> {
    return this.delivery.pushed(nid);
  }

  /** The server waits a while itself until it can show that much; after that it is asked once more. */
  private read<Data>(query: string, variables: Record<string, unknown>): Promise<Data> {
    return this.transport.request<Data>(query, variables).catch((thrown: unknown) => {
      if (thrown instanceof BongsuError && thrown.code === "NOT_YET") return this.transport.request<Data>(query, variables);
      throw thrown;
    });
  }

  private async mark(field: MarkField, ids: string[]): Promise<Notification[]> {
    const marked: Notification[] = [];
    for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
      const answer = await this.transport.request<MarkData>(markDocument(field), { ids: ids.slice(from, from + IDS_AT_ONCE) });
      marked.push(...answer.marked.notifications);
      if (answer.marked.notifications.length > 0) this.delivery.wrote(answer.marked.position);
    }
    return marked;
  }

  private async give(item: FeedItem): Promise<void> {
    if (this.loop) await this.loop.give(item);
    else if (item.type === "arrived") await this.options.onNotification?.(item);
    else await this.options.onMark?.(item);
  }

  private become(feed: Feed, state: InboxState): void {
    if (this.feed !== feed || this.current === state) return;
    this.current = state;
    guarded(() => this.options.onState?.(state));
  }

  private fail(error: BongsuError): void {
    guarded(() => this.options.onError?.(error));
  }
}

/** A callback that tells something must not end the inbox; what it throws is thrown later. */
function guarded(call: () => void): void {
  try {
    call();
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown;
    });
  }
}
