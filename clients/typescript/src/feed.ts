import { Backoff } from "./backoff.js";
import type { Clock } from "./clock.js";
import type { Delivery } from "./delivery.js";
import { arrivals, BEGINNING, FEED, feedItem, MISSED, NEWEST, type Connection, type FeedData, type MarkData } from "./documents.js";
import { asError, BongsuError } from "./errors.js";
import type { LiveConnection, LiveEnd } from "./live_connection.js";
import { Pause } from "./pause.js";
import type { Settings } from "./settings.js";
import type { Transport } from "./transport.js";
import type { Cursor, InboxState } from "./types.js";

export interface FeedOptions {
  transport: Transport;
  delivery: Delivery;
  clock: Clock;
  settings: Settings;
  onState: (state: InboxState) => void;
  onError: (error: BongsuError) => void;
}

/** Errors that asking again would only repeat. */
const hopeless = new Set(["FORBIDDEN", "BAD_USER_INPUT", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"]);

/** One run of an inbox, from start to stop: live where it can be had, else by polling. */
export class Feed {
  private readonly backoff: Backoff;
  private readonly pause: Pause;
  private over = false;
  private connection: LiveConnection | null = null;
  private failedOpens = 0;
  /** The server said that no WebSocket of ours will do. */
  private neverLive = false;
  private nextLive = 0;
  private nextQuickRetry = 0;

  constructor(private readonly options: FeedOptions) {
    this.backoff = new Backoff({ firstMs: options.settings.backoffFirstMs, mostMs: options.settings.backoffMostMs }, options.clock);
    this.pause = new Pause(options.clock);
  }

  stop(): void {
    this.over = true;
    this.connection?.close();
    this.pause.end();
  }

  /** Tries at once instead of waiting on; for an app that comes to the front or gets a network. */
  wake(): void {
    this.nextLive = 0;
    this.pause.end();
  }

  /** Throws only what trying again cannot mend. */
  async run(): Promise<void> {
    while (!this.over) {
      const wait = await this.turn().catch((thrown: unknown) => this.failed(asError(thrown, "NETWORK")));
      if (wait > 0 && !this.over) await this.pause.wait(wait);
    }
  }

  /** Does what can be done now; answers how long to wait then. */
  private async turn(): Promise<number> {
    await this.options.delivery.load();
    if (this.options.delivery.cursor === null) await this.options.delivery.begin(await this.now());
    if (this.over) return 0;
    return this.liveIsDue() ? this.afterLive(await this.live()) : this.poll();
  }

  /** Where the recipient's history ends. */
  private async now(): Promise<Cursor> {
    this.options.onState("connecting");
    const { transport } = this.options;
    const { notifications } = await transport.request<{ notifications: Connection }>(NEWEST);
    const newest = notifications.edges[0];
    return newest ? newest.cursor : (await transport.request<{ markSeen: MarkData["marked"] }>(BEGINNING)).markSeen.position;
  }

  private failed(error: BongsuError): number {
    if (this.over) return 0;
    if (hopeless.has(error.code)) throw error;
    this.options.onError(error);
    this.options.onState("waiting");
    return this.backoff.next(error.retryAfterMs);
  }

  private liveIsDue(): boolean {
    return this.options.transport.hasWebSocket && !this.neverLive && this.options.clock.now() >= this.nextLive;
  }

  /** Takes what comes live until it ends. */
  private async live(): Promise<LiveEnd> {
    const { transport, delivery, clock, settings, onState } = this.options;
    onState("connecting");
    const began = clock.now();
    const token = await transport.token();
    const connection = transport.live(FEED, { after: delivery.cursor }, token, () => onState("live"));
    this.connection = connection;
    try {
      if (this.over) connection.close();
      for (;;) {
        const step = await connection.next();
        if ("end" in step) {
          if (clock.now() - began > settings.backoffMostMs) this.backoff.reset();
          if (step.end.advice === "fresh_token") await transport.refused(token);
          return step.end;
        }
        // Nothing is given any more once the app said stop.
        if (this.over) continue;
        await delivery.take(feedItem(step.data as FeedData));
        this.backoff.reset();
      }
    } finally {
      this.connection = null;
      connection.close();
    }
  }

  private afterLive({ error, advice, opened }: LiveEnd): number {
    if (this.over) return 0;
    const { clock, settings } = this.options;
    this.failedOpens = opened ? 0 : this.failedOpens + 1;
    if (advice === "never") {
      this.neverLive = true;
      this.options.onError(error);
      return 0;
    }
    if (this.failedOpens >= settings.openTries) {
      this.nextLive = clock.now() + settings.retryLiveMs;
      this.options.onError(new BongsuError("NO_WEBSOCKET", `No WebSocket could be opened; polling. ${error.message}`));
      return 0;
    }
    // An expired credential is mended at once, but not again and again.
    if (advice === "fresh_token" && clock.now() >= this.nextQuickRetry) {
      this.nextQuickRetry = clock.now() + settings.backoffMostMs;
      return 0;
    }
    const wait = this.failed(error);
    return advice === "later" ? Math.max(wait, settings.laterMs + wait * clock.random()) : wait;
  }

  /** Takes what came since; answers when to ask again. */
  private async poll(): Promise<number> {
    const { transport, delivery, clock, settings } = this.options;
    this.options.onState("polling");
    for (let more = true; more && !this.over; ) {
      const { missedNotifications: missed } = await transport
        .request<{ missedNotifications: Connection }>(MISSED, { after: delivery.cursor })
        .catch((thrown: unknown) => {
          // The network is down, so that no WebSocket opened says nothing about WebSockets.
          this.nextLive = 0;
          throw thrown;
        });
      for (const item of arrivals(missed)) {
        if (this.over) return 0;
        await delivery.take(item);
      }
      more = missed.pageInfo.hasNextPage && missed.edges.length > 0;
    }
    this.backoff.reset();
    return settings.pollMs * (0.75 + clock.random() / 2);
  }
}
