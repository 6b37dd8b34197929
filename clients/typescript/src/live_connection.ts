import { adviceFor, type CloseAdvice } from "./close_codes.js";
import type { Clock } from "./clock.js";
import { BongsuError } from "./errors.js";

/** What is used of a WebSocket: the browser's, Node's and that of npm `ws` all fit. */
export interface SocketLike {
  readonly protocol: string;
  // `any`, since every implementation has event types of its own.
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export type SocketConstructor = new (url: string, protocol: string) => SocketLike;

export interface LiveSettings {
  url: string;
  WebSocket: SocketConstructor;
  token: string;
  query: string;
  variables: Record<string, unknown>;
  clock: Clock;
  readyMs: number;
  idleMs: number;
  queue: number;
  onReady: () => void;
}

export interface LiveEnd {
  error: BongsuError;
  advice: CloseAdvice;
  /** Whether the WebSocket opened at all. */
  opened: boolean;
}

export type Step = { data: unknown } | { end: LiveEnd };

const PROTOCOL = "graphql-transport-ws";
const OPERATION = "1";

interface Message {
  type?: unknown;
  payload?: unknown;
}

/** One WebSocket with one live query on it: `graphql-transport-ws`. */
export class LiveConnection {
  private readonly socket: SocketLike | null = null;
  private readonly waiting: unknown[] = [];
  private end: LiveEnd | null = null;
  private wake: (() => void) | null = null;
  private opened = false;
  private ready = false;
  private pinged = false;
  private cancelTimer: () => void = () => {};

  constructor(private readonly settings: LiveSettings) {
    this.arm(settings.readyMs, () => this.giveUp("TIMEOUT", "The server did not take the connection in.", 4408));
    try {
      this.socket = new settings.WebSocket(settings.url, PROTOCOL);
    } catch (thrown) {
      this.finish(new BongsuError("NO_WEBSOCKET", String(thrown)), "again");
      return;
    }
    this.socket.onopen = () => {
      this.opened = true;
      this.send({ type: "connection_init", payload: { Authorization: `Bearer ${settings.token}` } });
    };
    this.socket.onmessage = (event: { data: unknown }) => this.hear(event.data);
    // It says nothing, and a close follows; but where it never opened, not in every implementation.
    this.socket.onerror = () => {
      if (!this.opened) this.giveUp("NETWORK", "No WebSocket could be opened.", 1000);
    };
    this.socket.onclose = (event: { code: number; reason?: string }) => {
      const code = event.code;
      this.finish(new BongsuError(`CLOSED_${code}`, event.reason || `The connection was closed with ${code}.`), adviceFor(code));
    };
  }

  /** What came, in order; the end comes after everything else. */
  async next(): Promise<Step> {
    for (;;) {
      if (this.waiting.length > 0) return { data: this.waiting.shift() };
      if (this.end) return { end: this.end };
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  /** Ends it; what has not been taken yet is dropped. */
  close(): void {
    this.waiting.length = 0;
    this.giveUp("CLOSED_1000", "Closed by this client.", 1000);
  }

  private hear(text: unknown): void {
    if (this.end) return;
    let message: Message;
    try {
      message = JSON.parse(String(text)) as Message;
    } catch {
      this.giveUp("BAD_ANSWER", "The server sent something that is not JSON.", 4400);
      return;
    }
    switch (message.type) {
      case "connection_ack":
        this.ready = true;
        this.send({ id: OPERATION, type: "subscribe", payload: { query: this.settings.query, variables: this.settings.variables } });
        this.settings.onReady();
        break;
      case "ping":
        this.send({ type: "pong", payload: message.payload });
        break;
      case "next":
        this.take(message.payload as { data?: unknown; errors?: unknown });
        break;
      case "error":
        this.refuse(message.payload);
        break;
      case "complete":
        this.giveUp("UNAVAILABLE", "The server ended the live query.", 1000);
        break;
    }
    if (this.ready) this.listen();
  }

  /** After a silence the server is pinged; after another one the connection counts as dead. */
  private listen(): void {
    this.pinged = false;
    const check = (): void => {
      if (this.pinged) {
        this.giveUp("TIMEOUT", "The server has gone silent.", 4408);
        return;
      }
      this.pinged = true;
      this.send({ type: "ping" });
      this.arm(this.settings.idleMs, check);
    };
    this.arm(this.settings.idleMs, check);
  }

  private take(payload: { data?: unknown; errors?: unknown }): void {
    if (payload.errors !== undefined) {
      this.refuse(payload.errors);
      return;
    }
    this.waiting.push(payload.data);
    if (this.waiting.length > this.settings.queue) this.giveUp("OVERFLOW", "The app takes items more slowly than they come.", 1000);
    this.wake?.();
  }

  private refuse(errors: unknown): void {
    const first = (Array.isArray(errors) ? errors[0] : null) as { message?: string; extensions?: { code?: string } } | null;
    const error = new BongsuError(first?.extensions?.code ?? "BAD_ANSWER", first?.message ?? "The live query failed.");
    this.giveUp(error.code, error.message, 1000);
  }

  private giveUp(code: string, message: string, closeCode: number): void {
    this.finish(new BongsuError(code, message), "again");
    // Without a network the closing handshake takes long; it is not waited for.
    try {
      this.socket?.close(closeCode);
    } catch {
      // It had not opened, or was closed already.
    }
  }

  private finish(error: BongsuError, advice: CloseAdvice): void {
    if (this.end) return;
    this.end = { error, advice: error.wantsFreshToken ? "fresh_token" : advice, opened: this.opened };
    this.cancelTimer();
    this.wake?.();
  }

  private send(message: object): void {
    if (this.end) return;
    try {
      this.socket?.send(JSON.stringify(message));
    } catch (thrown) {
      this.giveUp("NETWORK", String(thrown), 1000);
    }
  }

  private arm(ms: number, call: () => void): void {
    this.cancelTimer();
    if (!this.end) this.cancelTimer = this.settings.clock.after(ms, call);
  }
}
