use super::super::payload::encode;
use super::message;
use domain::values::{Content, Priority};
use serde_json::Value;
use std::sync::Arc;

const TOO_LARGE: &str = "message over 4096 bytes";

fn with_data(data: &str) -> Result<Value, &'static str> {
    let mut message = message("t");
    message.content = Arc::new(Content { body: "b".to_owned(), data: Some(data.to_owned()), ..Content::default() });
    encode(&message, 0).map(|body| serde_json::from_slice(&body).unwrap())
}

#[test]
fn the_whole_request() {
    let body: Value = serde_json::from_slice(&encode(&message("device"), 0).unwrap()).unwrap();
    let id = "00000000-0000-0000-0000-000000000077";
    let wanted = serde_json::json!({ "message": {
        "token": "device",
        "notification": { "title": "Paid", "body": "Order 42" },
        "data": { "order": "42", "nid": id, "delivery": "3", "attempt": "2" },
        "android": { "priority": "high", "collapse_key": id, "notification": { "tag": id } },
    }});
    assert_eq!(body, wanted);
}

#[test]
fn a_collapse_key_of_the_sender_and_urgency() {
    let mut message = message("t");
    let content = Content { body: "b".to_owned(), collapse_key: Some("order-42".to_owned()), ..Content::default() };
    message.content = Arc::new(content);
    for (priority, wanted) in [(Priority::Critical, "high"), (Priority::High, "high"), (Priority::Normal, "normal"), (Priority::Low, "normal")] {
        message.priority = priority;
        let body: Value = serde_json::from_slice(&encode(&message, 0).unwrap()).unwrap();
        let android = &body["message"]["android"];
        assert_eq!((&android["collapse_key"], &android["notification"]["tag"]), (&"order-42".into(), &"order-42".into()));
        assert_eq!(android["priority"], wanted);
        assert_eq!(body["message"]["notification"], serde_json::json!({ "body": "b" }));
    }
}

#[test]
fn lifetimes_stay_within_what_fcm_takes() {
    let mut message = message("t");
    for (expires_at, now, wanted) in
        [(61_999, 2_000, "59s"), (1_000, 2_000, "0s"), (i64::MAX, 0, "2419200s"), (i64::MAX, -1, "2419200s"), (i64::MIN, i64::MAX, "0s")]
    {
        message.expires_at = Some(expires_at);
        let body: Value = serde_json::from_slice(&encode(&message, now).unwrap()).unwrap();
        assert_eq!(body["message"]["android"]["ttl"], wanted);
    }
}

#[test]
fn data_become_texts_unchanged() {
    let body = with_data(r#"{"t":"a\"\u00e9\n","exact":1.10,"big":123456789012345678901234567890,"o":{"a":[1, 2]},"n":null,"b":true,"k\"":"v"}"#).unwrap();
    let data = &body["message"]["data"];
    assert_eq!(data["t"], "a\"é\n");
    assert_eq!(data["exact"], "1.10");
    assert_eq!(data["big"], "123456789012345678901234567890");
    assert_eq!(data["o"], r#"{"a":[1, 2]}"#);
    assert_eq!((&data["n"], &data["b"], &data["k\""]), (&"null".into(), &"true".into(), &"v".into()));
}

#[test]
fn reserved_keys_are_refused_and_ours_cannot_be_forged() {
    for key in ["from", "message_type", "gcm.x", "gcm", "google.c", "googleX", "g\\u0063m"] {
        assert!(with_data(&format!(r#"{{"{key}":1}}"#)).is_err(), "{key}");
    }
    for key in ["fromage", "x.gcm", "From"] {
        assert!(with_data(&format!(r#"{{"{key}":1}}"#)).is_ok(), "{key}");
    }
    let body = with_data(r#"{"nid":"x","delivery":9,"attempt":9}"#).unwrap();
    assert_eq!(body["message"]["data"]["nid"], "00000000-0000-0000-0000-000000000077");
    assert_eq!((&body["message"]["data"]["delivery"], &body["message"]["data"]["attempt"]), (&"3".into(), &"2".into()));
    assert!(with_data("[1]").is_err());
}

/// 4,096 bytes of what reaches the device; escapes and the request's frame do not count.
#[test]
fn the_limit_counts_what_reaches_the_device() {
    let mut message = message(&"t".repeat(300));
    // Tag, our three ids with their keys.
    let ours = 36 + "nid".len() + 36 + "delivery".len() + 1 + "attempt".len() + 1;
    for (body, fits) in [("\n".repeat(4_096 - ours), true), ("\n".repeat(4_097 - ours), false), ("é".repeat(2_100), false)] {
        message.content = Arc::new(Content { body, ..Content::default() });
        match encode(&message, 0) {
            Ok(_) => assert!(fits),
            Err(error) => assert!(!fits && error == TOO_LARGE, "{error}"),
        }
    }
}
