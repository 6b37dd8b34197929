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
pub const EXPLAIN_ABSENCE: &str = "query ExplainAbsence($recipient: String!, $category: String, $from: DateTime, $to: DateTime) {
  explainAbsence(recipientId: $recipient, category: $category, from: $from, to: $to) {
    sentence from to more
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

/// What `bongsu template` asks of a change.
macro_rules! template_changed {
    () => {
        "__typename
    ... on TemplateChanged { template { revision version } }
    ... on TemplateInvalid { problems { code message hint locale channel field part line column } }
    ... on Refused { code message field }"
    };
}

/// `bongsu template pull`.
pub const TEMPLATES: &str = "query Templates($first: Int!, $after: String) {
  templates(first: $first, after: $after) { key cursor }
}";

/// `bongsu template pull`, `push` and `diff`.
pub const TEMPLATE: &str = "query Template($key: String!) {
  template(key: $key) {
    revision
    draft {
      name description tags kind defaultLocale
      parameters { name type description required default example }
      locales { locale bodies { channel title text html mjml preheader data } }
      experiment { name controlWeight variants { name weight locales { locale bodies { channel title text html mjml preheader data } } } }
    }
  }
}";

/// `bongsu template push`.
pub const SAVE_TEMPLATE: &str = concat!(
    "mutation SaveTemplate($input: SaveTemplateInput!) {
  saveTemplate(input: $input) { ",
    template_changed!(),
    " }
}"
);

/// `bongsu template push --publish`.
pub const PUBLISH_TEMPLATE: &str = concat!(
    "mutation PublishTemplate($key: String!, $revision: Int) {
  publishTemplate(key: $key, revision: $revision) { ",
    template_changed!(),
    " }
}"
);

/// `bongsu template preview`, of a template on the server.
pub const PREVIEW_TEMPLATE: &str = "query PreviewTemplate($input: PreviewTemplateInput!) {
  previewTemplate(input: $input) {
    __typename
    ... on TemplatePreview { locale title text html data warnings { code message hint locale channel field part line column } }
    ... on TemplatePreviewFailed { problems { code message hint locale channel field part line column } }
    ... on Refused { code message field }
  }
}";

/// `bongsu template test`.
pub const SEND_TEMPLATE_TEST: &str = "mutation SendTemplateTest($input: SendTemplateTestInput!) {
  sendTemplateTest(input: $input) {
    __typename
    ... on TemplateTestSent { notification { id } position }
    ... on TemplateInvalid { problems { code message hint locale channel field part line column } }
    ... on Refused { code message field }
  }
}";
