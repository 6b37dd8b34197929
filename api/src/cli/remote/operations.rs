//! Every GraphQL document that a command sends, in one place, so that one test can hold them
//! against the schema.

/// `bongsu send`.
pub const SEND: &str = "mutation Send($input: SendNotificationInput!) {
  sendNotification(input: $input) {
    __typename
    ... on SendAccepted { notification { id } position duplicate }
    ... on Refused { code message field }
  }
}";

/// `bongsu explain`.
pub const EXPLAIN: &str = "query Explain($id: ID!) {
  explain(notificationId: $id) {
    notification outcome sentence over erased
    steps {
      sequence at type delivery channel rule rulesVersion sentence payload
      facts { of sequence at by source notification sentence }
    }
    deliveries { number channel address status provider attempts code sentence }
  }
}";

/// `bongsu explain --recipient`.
pub const EXPLAIN_ABSENCE: &str = "query ExplainAbsence($recipient: String!, $category: String, $from: DateTime!, $to: DateTime) {
  explainAbsence(recipientId: $recipient, category: $category, from: $from, to: $to) {
    sentence more
    reasons { kind sentence fact { of sequence at by source notification sentence } }
    notifications { id requestedAt category outcome sentence }
  }
}";

/// `bongsu dlq list`.
pub const DEAD_LETTERS: &str = "query DeadLetters($first: Int!, $after: Position, $code: String) {
  deadLetters(first: $first, after: $after, code: $code) {
    id delivery attempts code unknown at cursor
    notification { id deliveries { number channel } }
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

/// `bongsu status`.
pub const STATUS: &str = "{
  status {
    version events window followers replicas { number name version roles }
    backlog { channel priority sandbox state deliveries }
    providers { name channel breaker }
    consumers { name lag parked }
  }
}";

/// `bongsu key create`, before the first key of a sender.
pub const REGISTER_SENDER: &str = "mutation RegisterSender($input: RegisterSenderInput!) {
  registerSender(input: $input) {
    __typename
    ... on SenderChanged { sender { key name } position }
    ... on Refused { code message field }
  }
}";

/// `bongsu token create`.
pub const MINT_TOKEN: &str = "mutation Mint($input: MintRecipientTokenInput!) {
  mintRecipientToken(input: $input) {
    __typename
    ... on RecipientToken { token expiresAt }
    ... on Refused { code message field }
  }
}";

/// `bongsu key create`.
pub const CREATE_KEY: &str = "mutation CreateKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    __typename
    ... on ApiKeyCreated { secret apiKey { id name prefix } position }
    ... on Refused { code message field }
  }
}";

/// `bongsu projection rebuild`, where a server runs.
pub const REBUILD_PROJECTION: &str = "mutation Rebuild($input: RebuildProjectionInput!) {
  rebuildProjection(input: $input) { name position }
}";

/// Looked at before a sender is registered, so as not to rename it.
pub const SENDERS: &str = "{ senders { key } }";
