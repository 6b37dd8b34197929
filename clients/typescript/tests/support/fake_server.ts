import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";

interface Entry {
  at: number;
  id: string;
  mark?: string;
}

interface Follower {
  socket: WebSocket;
  operation: string;
}

const cursor = (at: number): string => `c${at}`;
const place = (text: unknown): number => (typeof text === "string" ? Number(text.slice(1)) : -1);

/** Speaks as the server does, as far as the client looks, and can be told to misbehave. */
export class FakeServer {
  readonly tokens = new Set(["good"]);
  /** What every subscription came with. */
  readonly subscribed: (string | null)[] = [];
  readonly tokensSeen: string[] = [];
  readonly pongs: unknown[] = [];
  polls = 0;
  opens = 0;
  refuseUpgrades = false;
  silent = false;
  failHttp = false;
  /** Close code instead of an acknowledgement. */
  closeInit: number | null = null;
  private readonly entries: Entry[] = [];
  private readonly http = createServer((request, response) => void this.answer(request, response));
  private readonly sockets = new WebSocketServer({ noServer: true });
  private readonly followers = new Set<Follower>();

  static async start(): Promise<FakeServer> {
    const fake = new FakeServer();
    fake.http.on("upgrade", (request, socket, head) => {
      if (fake.refuseUpgrades) socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
      else fake.sockets.handleUpgrade(request, socket, head, (open) => fake.serve(open));
    });
    await new Promise<void>((resolve) => fake.http.listen(0, "127.0.0.1", resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}/graphql`;
  }

  get connections(): number {
    return this.sockets.clients.size;
  }

  get following(): number {
    return this.followers.size;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets.clients) socket.terminate();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  publish(...ids: string[]): void {
    for (const id of ids) this.append({ at: this.entries.length + 1, id });
  }

  mark(id: string, mark: string): void {
    this.append({ at: this.entries.length + 1, id, mark });
  }

  /** Sends an entry again, as a server with a bug would. */
  repeat(id: string): void {
    for (const entry of this.entries) if (entry.id === id) this.tell(entry);
  }

  failOperations(code: string): void {
    for (const { socket, operation } of this.followers) {
      socket.send(JSON.stringify({ id: operation, type: "next", payload: { data: null, errors: [{ message: code, extensions: { code } }] } }));
    }
  }

  ping(payload: unknown): void {
    for (const socket of this.sockets.clients) socket.send(JSON.stringify({ type: "ping", payload }));
  }

  close(code: number): void {
    for (const socket of this.sockets.clients) socket.close(code);
  }

  /** As when the network breaks. */
  cut(): void {
    for (const socket of this.sockets.clients) socket.terminate();
  }

  private append(entry: Entry): void {
    this.entries.push(entry);
    this.tell(entry);
  }

  private tell(entry: Entry): void {
    for (const follower of this.followers) this.send(follower, entry);
  }

  private send({ socket, operation }: Follower, entry: Entry): void {
    const notificationFeed = {
      __typename: entry.mark ? "NotificationMarked" : "NotificationArrived",
      cursor: cursor(entry.at),
      mark: entry.mark,
      notification: node(entry),
    };
    socket.send(JSON.stringify({ id: operation, type: "next", payload: { data: { notificationFeed } } }));
  }

  private serve(socket: WebSocket): void {
    this.opens += 1;
    let follower: Follower | null = null;
    socket.on("close", () => follower && this.followers.delete(follower));
    socket.on("message", (text) => {
      const message = JSON.parse(String(text)) as { type: string; id: string; payload: never };
      if (message.type === "connection_init") this.initialise(socket, message.payload);
      if (message.type === "subscribe") follower = this.follow(socket, message.id, message.payload);
      if (message.type === "ping" && !this.silent) socket.send(JSON.stringify({ type: "pong" }));
      if (message.type === "pong") this.pongs.push(message.payload);
    });
  }

  private initialise(socket: WebSocket, payload: { Authorization: string }): void {
    const token = payload.Authorization.replace("Bearer ", "");
    this.tokensSeen.push(token);
    if (this.closeInit !== null) socket.close(this.closeInit);
    else if (!this.tokens.has(token)) socket.close(4403, "Forbidden: KEY_REVOKED");
    else socket.send(JSON.stringify({ type: "connection_ack" }));
  }

  private follow(socket: WebSocket, operation: string, payload: { variables: { after: string | null } }): Follower {
    const { after } = payload.variables;
    this.subscribed.push(after);
    const follower = { socket, operation };
    for (const entry of this.missed(after)) this.send(follower, entry);
    this.followers.add(follower);
    return follower;
  }

  /** Marks come live only. */
  private missed(after: unknown): Entry[] {
    return this.entries.filter((entry) => !entry.mark && entry.at > place(after));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (this.failHttp) {
      response.destroy();
      return;
    }
    const token = String(request.headers.authorization).replace("Bearer ", "");
    this.tokensSeen.push(token);
    const known = this.tokens.has(token);
    const refusal = { errors: [{ message: "Send a valid credential.", extensions: { code: "UNAUTHENTICATED" } }] };
    response.writeHead(known ? 200 : 401, { "Content-Type": "application/json" });
    response.end(JSON.stringify(known ? { data: this.data(JSON.parse(Buffer.concat(chunks).toString()) as never) } : refusal));
  }

  private data({ query, variables }: { query: string; variables: { after?: string; ids?: string[]; first?: number } }): unknown {
    const arrived = this.entries.filter((entry) => !entry.mark);
    if (query.startsWith("query Newest")) return { notifications: connection(arrived.slice(-1), false) };
    if (query.startsWith("query History")) return { notifications: connection(arrived.reverse().slice(0, variables.first), false) };
    if (query.startsWith("query Unread")) return { unreadCount: arrived.length };
    if (query.startsWith("mutation Beginning")) return { markSeen: { position: cursor(0) } };
    if (query.startsWith("mutation Mark")) return { marked: { position: cursor(0), notifications: variables.ids?.map((id) => node({ id, at: 0 })) } };
    this.polls += 1;
    const missed = this.missed(variables.after);
    return { missedNotifications: connection(missed.slice(0, 2), missed.length > 2) };
  }
}

function connection(entries: Entry[], hasNextPage: boolean): unknown {
  return { edges: entries.map((entry) => ({ cursor: cursor(entry.at), node: node(entry) })), pageInfo: { hasNextPage, endCursor: null } };
}

function node({ id }: Entry): unknown {
  return { id, sender: "shop", category: "general", priority: "NORMAL", content: { title: null, body: id, data: null, collapseKey: null } };
}
