#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::story::Story;
use serde_json::json;

fn raw() -> serde_json::Value {
    json!({
        "id": "0198", "status": "DELIVERED",
        "events": [
            { "position": "p1", "sequence": 1, "at": "2026-01-31T10:00:00Z", "type": "Requested",
              "payload": { "sender": "shop", "category": "general", "priority": "normal" } },
            { "position": "p2", "sequence": 2, "at": "2026-01-31T10:00:00Z", "type": "Queued", "delivery": 0,
              "payload": { "delivery": 0, "channel": "android_push", "rule": "default_opt_in" } },
            { "position": "p3", "sequence": 3, "at": "2026-01-31T10:00:00Z", "type": "Suppressed",
              "payload": { "channel": "email", "rule": "opted_out_of_channel" } },
            { "position": "p4", "sequence": 4, "at": "2026-01-31T10:00:01Z", "type": "AttemptStarted", "delivery": 0,
              "payload": "{\"delivery\":0,\"attempt\":1,\"provider\":\"fcm\"}" },
            { "position": "p5", "sequence": 5, "at": "2026-01-31T10:00:01Z", "type": "AttemptFailed", "delivery": 0,
              "payload": { "delivery": 0, "attempt": 1, "class": "transient", "code": "503 UNAVAILABLE" } }
        ]
    })
}

#[test]
fn the_story_is_told_in_words_a_delivery_at_a_time() {
    let story = Story::of(raw());
    let text = story.text();
    assert!(text.contains("Notification 0198: delivered"), "{text}");
    assert!(text.contains("requested by shop in category general"));
    assert!(text.contains("not sent over email: the recipient switched this channel off"));
    let (before, after) = text.split_once("Delivery 0 over android_push").unwrap();
    assert!(before.contains("requested by") && !before.contains("attempt"));
    assert!(after.contains("attempt 1 by fcm"));
    assert!(after.contains("attempt 1 failed: 503 UNAVAILABLE"));
}

#[test]
fn it_is_over_when_every_delivery_has_ended() {
    let mut raw = raw();
    assert!(!Story::of(raw.clone()).is_over());
    raw["events"].as_array_mut().unwrap().push(json!({
        "position": "p9", "sequence": 9, "at": 0, "type": "Sent", "delivery": 0,
        "payload": { "delivery": 0, "attempt": 2 }
    }));
    let story = Story::of(raw);
    assert!(story.is_over());
    assert_eq!(story.after(5).count(), 1);
}

#[test]
fn every_event_of_a_notification_has_words_of_its_own() {
    for entry in domain::notification::NotificationEvent::catalogue() {
        let words = super::words::of(entry.name, &json!({}));
        assert!(!words.starts_with(entry.name), "{} is not told", entry.name);
    }
}
