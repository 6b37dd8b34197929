//! Every GraphQL document that a command sends, in one place, so that one test can hold them
//! against the schema.

/// `bongsu send`.
pub const SEND: &str = "mutation Send($input: SendNotificationInput!) {
  sendNotification(input: $input) { __typename ... on SendNotificationPayload { id position deduplicated } }
}";

/// `bongsu trace`.
pub const TRACE: &str = "query Trace($id: ID!) {
  notification(id: $id) {
    id status
    events { position at type delivery payload }
  }
}";

/// `bongsu dlq list`.
pub const DEAD_LETTERS: &str = "query DeadLetters($first: Int!, $after: String) {
  deadLetters(first: $first, after: $after) {
    nodes { notificationId delivery channel attempts code unknown at }
    pageInfo { hasNextPage endCursor }
  }
}";

/// `bongsu dlq retry`.
pub const REDRIVE: &str = "mutation Redrive($input: RedriveDeadLettersInput!) {
  redriveDeadLetters(input: $input) { count position }
}";

/// `bongsu dlq discard`.
pub const DISCARD: &str = "mutation Discard($input: DiscardDeadLettersInput!) {
  discardDeadLetters(input: $input) { count position }
}";

/// `bongsu token create`.
pub const MINT_TOKEN: &str = "mutation Mint($input: MintRecipientTokenInput!) {
  mintRecipientToken(input: $input) { token expiresAt }
}";

/// `bongsu key create`.
pub const CREATE_KEY: &str = "mutation CreateKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { key apiKey { id name prefix } position }
}";

/// `bongsu projection rebuild`, where a server runs.
pub const REBUILD_PROJECTION: &str = "mutation Rebuild($input: RebuildProjectionInput!) {
  rebuildProjection(input: $input) { name position }
}";
