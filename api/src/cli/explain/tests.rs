#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::{absence, story::Story};
use serde_json::json;

fn raw() -> serde_json::Value {
    json!({
        "notification": "0198", "outcome": "sent", "sentence": "Sent over email by smtp.", "over": true, "erased": false,
        "steps": [
            { "sequence": 1, "at": "2026-01-31T10:00:00Z", "type": "Requested", "sentence": "requested by shop", "facts": [] },
            { "sequence": 2, "at": "2026-01-31T10:00:00Z", "type": "Queued", "delivery": 0, "channel": "EMAIL", "sentence": "queued over email: the category stood",
              "facts": [{ "sentence": "the category stood" }, { "sentence": "the recipient had switched nothing off" }] },
            { "sequence": 3, "at": "2026-01-31T10:00:01Z", "type": "Sent", "delivery": 0, "channel": "EMAIL", "sentence": "sent: the provider took it", "facts": [] }
        ]
    })
}

#[test]
fn the_story_is_told_in_the_servers_words_a_delivery_at_a_time() {
    let story = Story::of(raw());
    let text = story.text();
    assert!(text.starts_with("Notification 0198: sent\nSent over email by smtp.\n"), "{text}");
    let (before, after) = text.split_once("Delivery 0 over email").unwrap();
    assert!(before.contains("requested by shop") && !before.contains("queued"));
    assert!(after.contains("sent: the provider took it") && after.contains("\n      the recipient had switched nothing off"), "{after}");
    assert_eq!(text.matches("the category stood").count(), 1, "what the sentence says is not said twice: {text}");
    assert!(!text.contains("erased"), "{text}");
    assert_eq!(story.after(1).count(), 2);
    assert!(story.after(2).next().unwrap().line().ends_with("delivery 0: sent: the provider took it"));
}

#[test]
fn it_is_over_when_the_server_says_so() {
    let mut raw = raw();
    assert!(Story::of(raw.clone()).is_over());
    raw["over"] = json!(false);
    raw["erased"] = json!(true);
    let story = Story::of(raw);
    assert!(!story.is_over());
    assert!(story.text().contains("was erased since"));
}

#[test]
fn silence_is_told_with_its_reasons_and_what_was_asked_for() {
    let text = absence::text(&json!({
        "sentence": "1 notification was requested.", "more": true,
        "reasons": [{ "kind": "opted_out", "sentence": "Email was switched off." }],
        "notifications": [{ "id": "0198", "requestedAt": "2026-01-31T10:00:00Z", "category": "orders", "outcome": "suppressed", "sentence": "Not sent at all." }]
    }));
    for part in ["1 notification was requested.\n- Email was switched off.", "0198 (orders): suppressed\n  Not sent at all.", "There are more"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}
