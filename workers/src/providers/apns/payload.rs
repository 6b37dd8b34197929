//! The message as APNs wants it, written straight from the notification.

use crate::providers::Message;
use domain::values::Priority;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Names of what this provider derives: SHA-1 namespace of RFC 9562, made once at random.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f0c_61f4_2a5e_4d3b_9a77_51c6_0d3e_b914);

/// Longest collapse id, in bytes.
const LONGEST_COLLAPSE: usize = 64;

#[derive(Serialize)]
struct Body<'a> {
    aps: Aps<'a>,
    nid: &'a str,
    delivery: domain::values::DeliveryNo,
    attempt: u32,
    #[serde(flatten)]
    data: BTreeMap<String, serde_json::Value>,
}

#[derive(Serialize)]
struct Aps<'a> {
    alert: Alert<'a>,
    sound: &'static str,
}

#[derive(Serialize)]
struct Alert<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    body: &'a str,
}

/// The request's body, or why there can be none. The sender's data stands beside `aps`; its keys
/// `aps`, `nid`, `delivery` and `attempt` are left out, since they are ours.
pub(super) fn encode(message: &Message) -> Result<Vec<u8>, &'static str> {
    let mut id = Uuid::encode_buffer();
    let nid: &str = message.notification.0.hyphenated().encode_lower(&mut id);
    let content = &message.content;
    let mut data: BTreeMap<String, serde_json::Value> = match &content.data {
        Some(json) => serde_json::from_str(json).map_err(|_| "data is not an object")?,
        None => BTreeMap::new(),
    };
    for ours in ["aps", "nid", "delivery", "attempt"] {
        data.remove(ours);
    }
    let body = Body {
        aps: Aps { alert: Alert { title: content.title.as_deref(), body: &content.body }, sound: "default" },
        nid,
        delivery: message.delivery,
        attempt: message.attempt,
        data,
    };
    let mut written = Vec::with_capacity(512);
    serde_json::to_writer(&mut written, &body).map_err(|_| "message cannot be written")?;
    Ok(written)
}

/// `apns-id`: the same for the same attempt, another for the next one.
pub(super) fn apns_id(message: &Message) -> Uuid {
    let mut name = Vec::with_capacity(32);
    name.extend_from_slice(message.notification.0.as_bytes());
    name.extend_from_slice(&u64::from(message.delivery).to_be_bytes());
    name.extend_from_slice(&message.attempt.to_be_bytes());
    Uuid::new_v5(&NAMESPACE, &name)
}

/// `apns-collapse-id`: the sender's key, or the notification's id so that a repeat replaces the
/// first on the device. A key that does not fit a header or Apple's 64 bytes is replaced by a
/// digest of it, which collapses the same messages.
pub(super) fn collapse_id(message: &Message) -> Cow<'_, str> {
    match message.content.collapse_key.as_deref() {
        Some(key) if !key.is_empty() && key.len() <= LONGEST_COLLAPSE && key.bytes().all(|byte| byte.is_ascii_graphic()) => Cow::Borrowed(key),
        Some(key) if !key.is_empty() => Cow::Owned(Uuid::new_v5(&NAMESPACE, key.as_bytes()).to_string()),
        _ => Cow::Owned(message.notification.0.to_string()),
    }
}

/// `apns-priority`: 5 lets the device save power.
pub(super) fn priority(priority: Priority) -> &'static str {
    if priority == Priority::Low { "5" } else { "10" }
}

/// `apns-expiration` in seconds since the epoch. Left out without an expiry: 0 would mean a single
/// try, and a device that is switched off would never be told.
pub(super) fn expiration(message: &Message) -> Option<i64> {
    // Within what Apple can read; and a moment in the first second of 1970 must not become that 0.
    message.expires_at.map(|at| at.div_euclid(1_000).clamp(1, i64::from(u32::MAX)))
}
