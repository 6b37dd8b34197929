//! What APNs refuses in headers and payload.

use hyper::HeaderMap;

type Error = (u16, &'static str);

const HEADERS: [&str; 7] = ["authorization", "apns-topic", "apns-push-type", "apns-id", "apns-priority", "apns-expiration", "apns-collapse-id"];

/// Push types and the suffix their topic carries.
const PUSH_TYPES: [(&str, &str); 11] = [
    ("alert", ""),
    ("background", ""),
    ("voip", ".voip"),
    ("complication", ".complication"),
    ("fileprovider", ".pushkit.fileprovider"),
    ("location", ".location-query"),
    ("liveactivity", ".push-type.liveactivity"),
    ("pushtotalk", ".voip-ptt"),
    ("widgets", ".push-type.widgets"),
    ("controls", ".push-type.controls"),
    ("mdm", ""),
];

pub(super) fn check(headers: &HeaderMap, device: &str, topic: &str, body: &[u8], is_object: bool) -> Result<(), Error> {
    if HEADERS.iter().any(|name| headers.get_all(*name).iter().count() > 1) {
        return Err((400, "DuplicateHeaders"));
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if device.is_empty() {
        return Err((400, "MissingDeviceToken"));
    }
    let hex = device.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !hex || !device.len().is_multiple_of(2) || !(64..=200).contains(&device.len()) {
        return Err((400, "BadDeviceToken"));
    }
    let push_type = text("apns-push-type");
    let suffix = match push_type {
        None => "",
        Some(given) => match PUSH_TYPES.iter().find(|(name, _)| *name == given) {
            Some((_, suffix)) => suffix,
            None => return Err((400, "InvalidPushType")),
        },
    };
    let given = text("apns-topic").ok_or((400, "MissingTopic"))?;
    match given.strip_prefix(topic) {
        Some(rest) if rest == suffix => {}
        Some(_) => return Err((400, "BadTopic")),
        None => return Err((400, "TopicDisallowed")),
    }
    match (text("apns-priority"), push_type) {
        (None | Some("1" | "5"), _) => {}
        (Some("10"), kind) if kind != Some("background") => {}
        _ => return Err((400, "BadPriority")),
    }
    if text("apns-expiration").is_some_and(|value| value.parse::<u32>().is_err()) {
        return Err((400, "BadExpirationDate"));
    }
    if headers.get("apns-collapse-id").is_some_and(|value| value.len() > 64) {
        return Err((400, "BadCollapseId"));
    }
    let limit = if push_type == Some("voip") { 5_120 } else { 4_096 };
    match body.len() {
        0 => Err((400, "PayloadEmpty")),
        length if length > limit => Err((413, "PayloadTooLarge")),
        // Apple's reason for malformed JSON is not documented; this is the nearest of its table.
        _ if !is_object => Err((400, "PayloadEmpty")),
        _ => Ok(()),
    }
}
