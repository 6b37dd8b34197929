import type { Clock } from "./clock.js";
import { Credentials } from "./credentials.js";
import { asError, BongsuError } from "./errors.js";
import { LiveConnection, type SocketConstructor } from "./live_connection.js";
import type { Settings } from "./settings.js";

export interface TransportOptions {
  /** Of the endpoint, e.g. `https://notify.example.com/graphql`. */
  url: string;
  token: () => Promise<string>;
  fetch: typeof globalThis.fetch;
  WebSocket: SocketConstructor | null;
  clock: Clock;
  settings: Settings;
}

interface Answer {
  data?: unknown;
  errors?: { message: string; extensions?: { code?: string } }[];
}

/** Requests over HTTP, live queries over WebSocket, both with the app's token. */
export class Transport {
  private readonly credentials: Credentials;

  constructor(private readonly options: TransportOptions) {
    this.credentials = new Credentials(options.token);
  }

  get hasWebSocket(): boolean {
    return this.options.WebSocket !== null;
  }

  /** Data of a query or mutation; with a fresh token where the first one is turned down. */
  async request<Data>(query: string, variables: Record<string, unknown> = {}): Promise<Data> {
    const token = await this.credentials.token();
    try {
      return (await this.post(query, variables, token)) as Data;
    } catch (thrown) {
      if (!(thrown instanceof BongsuError && thrown.wantsFreshToken)) throw thrown;
      await this.refused(token);
      return (await this.post(query, variables, await this.credentials.token())) as Data;
    }
  }

  token(): Promise<string> {
    return this.credentials.token();
  }

  refused(token: string): Promise<void> {
    return this.credentials.refused(token);
  }

  live(query: string, variables: Record<string, unknown>, token: string, onReady: () => void): LiveConnection {
    const { url, WebSocket, clock, settings } = this.options;
    if (!WebSocket) throw new BongsuError("NO_WEBSOCKET", "There is no WebSocket here.");
    const { readyMs, idleMs, queue } = settings;
    return new LiveConnection({ url: socketUrl(url), WebSocket, token, query, variables, clock, readyMs, idleMs, queue, onReady });
  }

  private async post(query: string, variables: Record<string, unknown>, token: string): Promise<unknown> {
    const abort = new AbortController();
    const cancel = this.options.clock.after(this.options.settings.requestMs, () => abort.abort());
    try {
      // A method called as a bare function: browsers insist on it.
      const send = this.options.fetch;
      const response = await send(this.options.url, {
        method: "POST",
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ query, variables }),
        signal: abort.signal,
      });
      return read(response, await response.text());
    } catch (thrown) {
      throw abort.signal.aborted ? new BongsuError("TIMEOUT", "The server did not answer in time.") : asError(thrown, "NETWORK");
    } finally {
      cancel();
    }
  }
}

/** `ws:` for `http:`, `wss:` for `https:`; in a page also from a path. */
function socketUrl(url: string): string {
  const base = typeof location === "undefined" ? undefined : location.href;
  return new URL(url, base).href.replace(/^http/, "ws");
}

function read(response: Response, text: string): unknown {
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  const retryAfter = Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  let answer: Answer;
  try {
    answer = JSON.parse(text) as Answer;
  } catch {
    const code = response.status === 401 ? "UNAUTHENTICATED" : "BAD_ANSWER";
    throw new BongsuError(code, `The server answered ${response.status} without JSON.`, retryAfter);
  }
  const error = answer.errors?.[0];
  if (error) throw new BongsuError(error.extensions?.code ?? "BAD_ANSWER", error.message, retryAfter);
  if (answer.data === undefined || answer.data === null) throw new BongsuError("BAD_ANSWER", `The server answered ${response.status} without data.`, retryAfter);
  return answer.data;
}
