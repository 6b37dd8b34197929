//! Where to look next.

use std::net::SocketAddr;
use std::path::Path;

/// Everything that the commands to paste need.
pub(super) struct Next<'a> {
    /// The server's URL.
    pub(super) base: &'a str,
    /// The server's data folder.
    pub(super) data: &'a Path,
    /// The simulators' administration.
    pub(super) admin: SocketAddr,
    /// The administrator's key.
    pub(super) administrator_key: &'a str,
    /// The sender's key.
    pub(super) sender_key: &'a str,
    /// A notification with a story.
    pub(super) id: Option<&'a str>,
}

impl Next<'_> {
    /// For people.
    pub(super) fn text(&self) -> String {
        let Self { base, admin, administrator_key, sender_key, .. } = self;
        let program = program(std::env::args().next());
        let data = quoted(&self.data.display().to_string());
        let id = self.id.unwrap_or("ID");
        format!(
            r#"
Everything goes on running. Where to look next:

  The explorer (GraphiQL)  {base}/graphiql
    with this as its header: {{"Authorization": "Bearer {administrator_key}"}}

  Send one yourself, in another terminal
    curl -s {base}/graphql -H 'content-type: application/json' \
      -H 'authorization: Bearer {sender_key}' \
      -d '{{"query":"mutation {{ sendNotification(input: {{recipient: \"ada\", content: {{title: \"Hello\", body: \"From me\"}}}}) {{ ... on SendAccepted {{ notification {{ id status }} position }} ... on Refused {{ code message }} }} }}"}}'

  Its story
    {program} explain {id} --server {base} --data {data}

  The state of the whole
    {program} status --server {base} --data {data}

  What the imitated providers received
    curl -s http://{admin}/_sim/ledger

  The administrator's key  {administrator_key}
  A sender's key           {sender_key}

Ctrl-C stops everything."#
        )
    }
}

/// How this program was called, so that what is printed can be pasted.
pub(super) fn program(called: Option<String>) -> String {
    called.filter(|called| !called.is_empty()).map_or_else(|| "bongsu".to_owned(), |called| quoted(&called))
}

/// For a POSIX shell.
pub(super) fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@%".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
