//! What FCM refuses in a message.
//!
//! Fields are checked by name because protobuf JSON refuses unknown ones; snake_case and camelCase both count.

use serde_json::{Map, Value};

use super::super::fault::Refusal;
use super::error::{bad_field, bad_json};

const TARGETS: [&str; 4] = ["token", "fid", "topic", "condition"];
const REQUEST_FIELDS: [&str; 3] = ["message", "validate_only", "validateOnly"];
const MESSAGE_FIELDS: [&str; 12] =
    ["name", "data", "notification", "android", "webpush", "apns", "fcm_options", "fcmOptions", "token", "fid", "topic", "condition"];
const NOTIFICATION_FIELDS: [&str; 3] = ["title", "body", "image"];
const MAX_TTL_SECONDS: f64 = 2_419_200.0;

/// The address of a message, empty when it has none.
pub(super) fn target(message: &Value) -> &str {
    TARGETS.iter().find_map(|kind| message[*kind].as_str()).unwrap_or_default()
}

/// Checks the request; true when it is a dry run.
pub(super) fn check(request: &Value) -> Result<bool, Refusal> {
    let request = object(request, "")?;
    known(request, &REQUEST_FIELDS, "")?;
    let dry_run = request.get("validate_only").or_else(|| request.get("validateOnly"));
    let dry_run = match dry_run {
        None | Some(Value::Null) => false,
        Some(Value::Bool(flag)) => *flag,
        Some(_) => return Err(bad_json("Invalid value at 'validate_only' (TYPE_BOOL)")),
    };
    let Some(message) = request.get("message") else {
        return Err(bad_field("message", "The message is not set."));
    };
    let message = object(message, "message")?;
    known(message, &MESSAGE_FIELDS, "message")?;
    recipient(message)?;
    let mut size = 0;
    if let Some(data) = message.get("data") {
        size += data_size(object(data, "message.data")?, "message.data")?;
    }
    if let Some(notification) = message.get("notification") {
        let notification = object(notification, "message.notification")?;
        known(notification, &NOTIFICATION_FIELDS, "message.notification")?;
        for (key, value) in notification {
            size += string(value, &format!("message.notification.{key}"))?.len();
        }
    }
    if let Some(android) = message.get("android") {
        size += check_android(object(android, "message.android")?)?;
    }
    // For Apple devices the whole payload object counts.
    let apns = message.get("apns").map_or(0, |apns| match &apns["payload"] {
        Value::Null => 0,
        payload => payload.to_string().len(),
    });
    let limit = if message.contains_key("topic") { 2_048 } else { 4_096 };
    if size > limit || apns > 4_096 {
        return Err(bad_field("message", "Message too big. The maximum payload size was exceeded."));
    }
    Ok(dry_run)
}

fn recipient(message: &Map<String, Value>) -> Result<(), Refusal> {
    let mut given = TARGETS.iter().filter(|kind| message.contains_key(**kind));
    let Some(kind) = given.next() else {
        return Err(bad_field("message", "Recipient of the message is not set."));
    };
    if given.next().is_some() {
        return Err(bad_json("Invalid value at 'message' (oneof), oneof field 'target' is already set."));
    }
    let value = message.get(*kind).unwrap_or(&Value::Null);
    if string(value, &format!("message.{kind}"))?.is_empty() {
        return Err(bad_field("message", "Recipient of the message is not set."));
    }
    Ok(())
}

fn check_android(android: &Map<String, Value>) -> Result<usize, Refusal> {
    if let Some(priority) = android.get("priority") {
        let priority = string(priority, "message.android.priority")?;
        if !["high", "normal"].iter().any(|known| known.eq_ignore_ascii_case(priority)) {
            return Err(bad_json("Invalid value at 'message.android.priority'"));
        }
    }
    if let Some(ttl) = android.get("ttl") {
        let text = string(ttl, "message.android.ttl")?;
        let seconds: Option<f64> = text.strip_suffix('s').and_then(|digits| digits.parse().ok());
        match seconds {
            None => {
                return Err(bad_json("Invalid value at 'message.android.ttl' (Duration)"));
            }
            Some(seconds) if !(0.0..=MAX_TTL_SECONDS).contains(&seconds) => {
                return Err(bad_field("message.android.ttl", "TTL must be between 0 and 2419200 seconds."));
            }
            Some(_) => {}
        }
    }
    let mut size = 0;
    if let Some(data) = android.get("data") {
        size += data_size(object(data, "message.android.data")?, "message.android.data")?;
    }
    if let Some(notification) = android.get("notification") {
        let notification = object(notification, "message.android.notification")?;
        size += notification.values().filter_map(Value::as_str).map(str::len).sum::<usize>();
    }
    Ok(size)
}

fn data_size(data: &Map<String, Value>, at: &str) -> Result<usize, Refusal> {
    let mut size = 0;
    for (index, (key, value)) in data.iter().enumerate() {
        let Value::String(value) = value else {
            return Err(bad_json(&format!("Invalid value at '{at}[{index}].value' (TYPE_STRING)")));
        };
        let reserved = key == "from" || key == "message_type" || key.starts_with("gcm") || key.starts_with("google");
        if reserved {
            return Err(bad_field(&format!("{at}[{key}]"), &format!("Invalid data payload key: {key}")));
        }
        size += key.len() + value.len();
    }
    Ok(size)
}

fn object<'a>(value: &'a Value, at: &str) -> Result<&'a Map<String, Value>, Refusal> {
    value.as_object().ok_or_else(|| bad_json(&format!("Invalid value at '{at}' (object expected)")))
}

fn string<'a>(value: &'a Value, at: &str) -> Result<&'a str, Refusal> {
    value.as_str().ok_or_else(|| bad_json(&format!("Invalid value at '{at}' (TYPE_STRING)")))
}

fn known(fields: &Map<String, Value>, names: &[&str], at: &str) -> Result<(), Refusal> {
    match fields.keys().find(|key| !names.contains(&key.as_str())) {
        Some(unknown) => Err(bad_json(&format!("Invalid JSON payload received. Unknown name \"{unknown}\" at '{at}': Cannot find field."))),
        None => Ok(()),
    }
}
