export type { Clock } from "./clock.js";
export { LocalStorageCursorStore, MemoryCursorStore, type CursorStore, type Saved, type StorageLike } from "./cursor_store.js";
export { BongsuError } from "./errors.js";
export { Inbox, type HistoryOptions, type InboxOptions } from "./inbox.js";
export type { SocketConstructor, SocketLike } from "./live_connection.js";
export type { Settings } from "./settings.js";
export type { Arrived, Content, Cursor, FeedItem, InboxState, MarkKind, Marked, Notification, Page } from "./types.js";
