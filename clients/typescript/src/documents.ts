import type { Arrived, Cursor, FeedItem, MarkKind, Notification, Page } from "./types.js";

const fields = `id sender category priority requestedAt expiresAt
  content { title body data collapseKey } seen read archived`;

export const FEED = `subscription Feed($after: Position) {
  notificationFeed(after: $after) {
    __typename
    ... on NotificationArrived { cursor notification { ${fields} } }
    ... on NotificationMarked { cursor mark notification { ${fields} } }
  }
}`;

export const MISSED = `query Missed($after: Position) {
  missedNotifications(first: 50, after: $after) {
    edges { cursor node { ${fields} } } pageInfo { hasNextPage endCursor }
  }
}`;

export const HISTORY = `query History($first: Int!, $after: Position, $unreadOnly: Boolean!, $includeArchived: Boolean!, $atLeast: Position) {
  notifications(first: $first, after: $after, unreadOnly: $unreadOnly, includeArchived: $includeArchived, atLeastPosition: $atLeast) {
    edges { cursor node { ${fields} } } pageInfo { hasNextPage endCursor }
  }
}`;

export const UNREAD = `query Unread($atLeast: Position) { unreadCount(atLeastPosition: $atLeast) }`;

export const NEWEST = `query Newest { notifications(first: 1, includeArchived: true) { edges { cursor } } }`;

/** Marks nothing. Its position lies before everything that comes after an empty history. */
export const BEGINNING = `mutation Beginning { markSeen(input: { ids: [] }) { position } }`;

export type MarkField = "markSeen" | "markRead" | "archive";

export function markDocument(field: MarkField): string {
  return `mutation Mark($ids: [ID!]!) { marked: ${field}(input: { ids: $ids }) { position notifications { ${fields} } } }`;
}

export interface Connection {
  edges: { cursor: Cursor; node: Notification }[];
  pageInfo: { hasNextPage: boolean; endCursor: Cursor | null };
}

export interface FeedData {
  notificationFeed:
    | { __typename: "NotificationArrived"; cursor: Cursor; notification: Notification }
    | { __typename: "NotificationMarked"; cursor: Cursor; mark: MarkKind; notification: Notification };
}

export interface MarkData {
  marked: { position: Cursor; notifications: Notification[] };
}

export function feedItem({ notificationFeed: item }: FeedData): FeedItem {
  return item.__typename === "NotificationMarked"
    ? { type: "marked", notification: item.notification, mark: item.mark, cursor: item.cursor }
    : { type: "arrived", notification: item.notification, cursor: item.cursor, pushed: false };
}

export function arrivals(connection: Connection): Arrived[] {
  return connection.edges.map(({ cursor, node }) => ({ type: "arrived", notification: node, cursor, pushed: false }));
}

export function page(connection: Connection): Page {
  return {
    notifications: connection.edges.map((edge) => edge.node),
    endCursor: connection.pageInfo.endCursor,
    hasNextPage: connection.pageInfo.hasNextPage,
  };
}
