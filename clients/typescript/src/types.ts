/** A place in the order of events: opaque, to be handed back to the server. */
export type Cursor = string;

export interface Content {
  title: string | null;
  body: string;
  /** The JSON object for the app, as text. */
  data: string | null;
  collapseKey: string | null;
}

export interface Notification {
  /** The same in a push, as `nid`. */
  id: string;
  sender: string;
  category: string;
  priority: "LOW" | "NORMAL" | "HIGH" | "CRITICAL";
  requestedAt: string | null;
  expiresAt: string | null;
  content: Content | null;
  seen: boolean;
  read: boolean;
  archived: boolean;
}

export type MarkKind = "SEEN" | "READ" | "ARCHIVED";

export interface Arrived {
  type: "arrived";
  notification: Notification;
  cursor: Cursor;
  /** `seenInPush` was told of it before: list it, but do not alert again. */
  pushed: boolean;
}

export interface Marked {
  type: "marked";
  notification: Notification;
  mark: MarkKind;
  cursor: Cursor;
}

export type FeedItem = Arrived | Marked;

export interface Page {
  notifications: Notification[];
  /** Hand it to `after` for the next page. */
  endCursor: Cursor | null;
  hasNextPage: boolean;
}

/**
 * `connecting`: towards the live query. `live`: connected. `polling`: no WebSocket can be had, so
 * asks from time to time. `waiting`: until the next try. `stopped`: not started, or stopped.
 */
export type InboxState = "stopped" | "connecting" | "live" | "polling" | "waiting";
