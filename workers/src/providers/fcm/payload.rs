//! The message as FCM wants it, written straight from the notification.

use crate::providers::Message;
use domain::values::{Millis, Priority};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// FCM keeps a message for at most four weeks.
const LONGEST_TTL: i64 = 2_419_200;

/// Largest payload in bytes: what is shown, and keys and values of the data. The rest of the request
/// (device token, lifetime, priority) does not reach the device and does not count.
const LARGEST: usize = 4_096;

#[derive(Serialize)]
struct Request<'a> {
    message: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    token: &'a str,
    notification: Shown<'a>,
    data: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    android: Android<'a>,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    body: &'a str,
}

#[derive(Serialize)]
struct Android<'a> {
    priority: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<String>,
    collapse_key: &'a str,
    notification: Tag<'a>,
}

#[derive(Serialize)]
struct Tag<'a> {
    tag: &'a str,
}

/// Text that is copied only where it holds escapes.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The request's body, or why there can be none. FCM's data are texts: other values of the sender's
/// become their JSON, unchanged. A key that FCM reserves is refused here, since renaming it would hide
/// it from the app; `nid`, `delivery` and `attempt` are ours and replace the sender's.
pub(super) fn encode(message: &Message, now: Millis) -> Result<Vec<u8>, &'static str> {
    let mut id = uuid::Uuid::encode_buffer();
    let id: &str = message.notification.0.hyphenated().encode_lower(&mut id);
    let content = &message.content;
    let collapse = content.collapse_key.as_deref().unwrap_or(id);
    let mut data = BTreeMap::new();
    if let Some(json) = &content.data {
        let fields: BTreeMap<Text<'_>, &RawValue> = serde_json::from_str(json).map_err(|_| "data is not an object")?;
        for (Text(key), value) in fields {
            if is_reserved(&key) {
                return Err("data uses a key that FCM reserves");
            }
            let value = match value.get() {
                text if text.starts_with('"') => serde_json::from_str::<Text<'_>>(text).map_err(|_| "data is not an object")?.0,
                other => Cow::Borrowed(other),
            };
            data.insert(key, value);
        }
    }
    // Ours last: the app relies on them to tell a repeat.
    data.insert(Cow::Borrowed("nid"), Cow::Borrowed(id));
    data.insert(Cow::Borrowed("delivery"), Cow::Owned(message.delivery.to_string()));
    data.insert(Cow::Borrowed("attempt"), Cow::Owned(message.attempt.to_string()));
    let shown = content.title.as_deref().map_or(0, str::len) + content.body.len() + collapse.len();
    if shown + data.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() > LARGEST {
        return Err("message over 4096 bytes");
    }
    let request = Request {
        message: Body {
            token: &message.address.value,
            notification: Shown { title: content.title.as_deref(), body: &content.body },
            data,
            android: Android {
                priority: if message.priority >= Priority::High { "high" } else { "normal" },
                ttl: message.expires_at.map(|at| format!("{}s", (at.saturating_sub(now) / 1_000).clamp(0, LONGEST_TTL))),
                collapse_key: collapse,
                notification: Tag { tag: collapse },
            },
        },
    };
    let mut body = Vec::with_capacity(512);
    serde_json::to_writer(&mut body, &request).map_err(|_| "message cannot be written")?;
    Ok(body)
}

/// Keys that FCM refuses in `data`.
fn is_reserved(key: &str) -> bool {
    key == "from" || key == "message_type" || key.starts_with("google") || key.starts_with("gcm")
}
