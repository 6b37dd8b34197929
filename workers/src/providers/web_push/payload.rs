//! What the service worker gets, and the headers that tell the push service how to treat it.

use super::subscription::BASE64;
use crate::providers::Message;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use domain::values::{Millis, Priority};
use serde::Serialize;
use serde_json::value::RawValue;

/// Longest time, in seconds, for which a message is kept that does not say: four weeks, the most that
/// every push service takes.
const LONGEST_TTL: i64 = 2_419_200;

/// Longest `Topic` (RFC 8030 section 5.4).
const TOPIC: usize = 32;

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    body: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    /// For `showNotification`: a repeat takes the place of the first.
    tag: &'a str,
    nid: &'a str,
    delivery: u32,
    attempt: u32,
}

/// The plaintext, or why there can be none.
pub(super) fn encode(message: &Message) -> Result<Vec<u8>, &'static str> {
    let mut id = uuid::Uuid::encode_buffer();
    let id: &str = message.notification.0.hyphenated().encode_lower(&mut id);
    let content = &message.content;
    let body = Body {
        title: content.title.as_deref(),
        body: &content.body,
        data: content.data.as_deref().map(serde_json::from_str::<&RawValue>).transpose().map_err(|_| "data is not JSON")?,
        tag: content.collapse_key.as_deref().unwrap_or(id),
        nid: id,
        delivery: message.delivery.into(),
        attempt: message.attempt,
    };
    serde_json::to_vec(&body).map_err(|_| "message cannot be written")
}

/// Seconds for which the push service is to keep it.
pub(super) fn ttl(expires_at: Option<Millis>, now: Millis) -> i64 {
    expires_at.map_or(LONGEST_TTL, |at| (at.saturating_sub(now) / 1_000).clamp(0, LONGEST_TTL))
}

/// How much battery it is worth.
pub(super) const fn urgency(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "low",
        Priority::Normal => "normal",
        Priority::High | Priority::Critical => "high",
    }
}

/// What it replaces while undelivered: those with the same collapse key, else its own repeats. A key
/// that is no topic by itself becomes one by its hash.
pub(super) fn topic(message: &Message) -> String {
    match message.content.collapse_key.as_deref() {
        None => message.notification.0.simple().to_string(),
        Some(key) if (1..=TOPIC).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) => key.to_owned(),
        Some(key) => BASE64.encode(&digest(&SHA256, key.as_bytes()).as_ref()[..TOPIC * 3 / 4]),
    }
}
