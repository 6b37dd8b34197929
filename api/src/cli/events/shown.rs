//! An event as the command line shows it.

use crate::cli::output::{local, rfc3339};
use commands::log::Recorded;
use serde::Serialize;
use serde_json::Value;

/// One line of `events read --json`.
#[derive(Debug, Serialize)]
pub struct EventShown {
    /// Place in the log.
    pub position: u64,
    /// Kind and id of the stream.
    pub stream: String,
    /// Place in the stream.
    pub sequence: u64,
    /// When it was committed.
    pub at: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Version of its shape.
    pub version: u16,
    /// By whom.
    pub actor: String,
    /// What anybody may read.
    pub payload: Value,
    /// The personal part, where it was asked for and its key exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal: Option<Value>,
    #[serde(skip)]
    millis: i64,
}

impl EventShown {
    /// Of a recorded event.
    pub fn of(event: &Recorded) -> Self {
        let body = event.fact.body();
        let mut payload = Vec::new();
        body.encode(&mut payload);
        let mut personal = Vec::new();
        let has_personal = body.encode_personal(&mut personal);
        // Our own JSON; null could only stand for a fault of ours.
        let read = |json: &[u8]| serde_json::from_slice(json).unwrap_or(Value::Null);
        Self {
            position: event.position,
            stream: event.stream.to_string(),
            sequence: event.sequence,
            at: rfc3339(event.at),
            kind: body.name(),
            version: body.version(),
            actor: event.metadata.actor.clone(),
            payload: read(&payload),
            personal: has_personal.then(|| read(&personal)),
            millis: event.at,
        }
    }

    /// For people, on one line.
    pub fn text(&self) -> String {
        let mut text = format!("{:>8}  {}  {:<16} {}#{}  {}", self.position, local(self.millis), self.kind, self.stream, self.sequence, self.payload,);
        if let Some(personal) = &self.personal {
            text.push_str(&format!("  personal: {personal}"));
        }
        text
    }
}
