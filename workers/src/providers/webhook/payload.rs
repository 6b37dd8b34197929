//! The body of a call. It depends on the notification only, so every attempt sends the same bytes.

use crate::providers::Message;
use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    title: Option<&'a str>,
    body: &'a str,
    data: Option<&'a RawValue>,
}

/// The value of `webhook-id`, the same on every attempt. No dot in it: the signature puts dots
/// between its parts.
pub(super) fn webhook_id(message: &Message) -> String {
    format!("msg_{}_{}", message.notification.0.simple(), message.delivery)
}

/// The request's body, or why there can be none.
pub(super) fn encode(message: &Message) -> Result<Vec<u8>, &'static str> {
    let mut id = uuid::Uuid::encode_buffer();
    let id: &str = message.notification.0.hyphenated().encode_lower(&mut id);
    let data = message.content.data.as_deref().map(serde_json::from_str::<&RawValue>).transpose().map_err(|_| "data is not JSON")?;
    let timestamp = DateTime::from_timestamp_millis(message.requested_at).ok_or("time of the request is out of range")?;
    let body = Body {
        id,
        kind: "notification",
        timestamp: timestamp.to_rfc3339_opts(SecondsFormat::Millis, true),
        title: message.content.title.as_deref(),
        body: &message.content.body,
        data,
    };
    serde_json::to_vec(&body).map_err(|_| "message cannot be written")
}
