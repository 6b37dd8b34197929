#![allow(clippy::unwrap_used, missing_docs)]

use super::{PLACE, Settings, Slack, check_url, error_map, payload};
use crate::providers::testing::{expect, message, told};
use crate::providers::{Message, Provider};
use crate::simulators::{self, SimulatorsConfig};
use commands::ports::SystemClock;
use domain::values::{BadAddress, Content, Outcome};
use std::sync::Arc;
use std::time::Duration;

fn slack(place: String, timeout: Duration) -> Slack {
    Slack::new(&Settings { place, concurrency: 4, timeout }, Arc::new(SystemClock::default())).unwrap()
}

#[tokio::test]
async fn a_message_arrives_and_each_refusal_is_what_it_means() {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let place = format!("http://{}/", simulators.slack);
    let to = |last: &str| message(&format!("{place}services/T01/B01/{last}"), None);
    let patient = slack(place.clone(), Duration::from_secs(5));
    assert_eq!(patient.check().await, Ok(()));
    expect(
        &patient,
        &[
            (to("abc"), "accepted", ""),
            (to("gone-a"), "bad address", "404 no_service"),
            (to("archived-a"), "bad address", "410 channel_is_archived"),
            (to("prohibited-a"), "bad address", "403 action_prohibited"),
            (to("invalid-a"), "permanent", "400 invalid_payload"),
            (to("busy-a"), "throttled", "429 rate_limited"),
            (to("busy-a"), "accepted", ""),
            (to("flaky-a"), "retry", "500 rollup_error"),
            (to("drop-a"), "unknown", "connection broken"),
            (to("reset-a"), "unknown", "connection broken"),
            (to("garbage-a"), "unknown", "200 with another body"),
            (to("empty-a"), "unknown", "200 with another body"),
            (message("https://hooks.slack.com/services/T01/B01/abc", None), "bad address", "not a URL of Slack's"),
        ],
    )
    .await;
    expect(&slack(place.clone(), Duration::from_millis(300)), &[(to("hang-a"), "unknown", "no answer in time")]).await;
    let entries = simulators.ledger().entries(0, 20);
    assert_eq!((entries[0].notification.as_deref(), entries[0].delivery, entries[0].attempt), (Some("00000000-0000-0000-0000-000000000077"), Some(3), Some(2)));
    simulators.shutdown().await;
}

#[test]
fn only_incoming_webhooks_of_slack_are_addresses() {
    let good = "https://hooks.slack.com/services/T01/B01/abcDEF123";
    assert_eq!(check_url(good, PLACE).unwrap().as_str(), good);
    for bad in [
        "",
        "hooks.slack.com/services/T01/B01/abc",
        "http://hooks.slack.com/services/T01/B01/abc",
        "https://hooks.slack.com:8443/services/T01/B01/abc",
        "https://hooks.slack.com.example.org/services/T01/B01/abc",
        "https://user@hooks.slack.com/services/T01/B01/abc",
        "https://hooks.slack.com/services/T01/B01/abc?x=1",
        "https://hooks.slack.com/services/T01/B01/abc/d",
        "https://hooks.slack.com/services/T01/B01/",
        "https://hooks.slack.com/services/T01/..%2f/abc",
        "https://hooks.slack.com/workflows/T01/B01/abc",
    ] {
        assert!(check_url(bad, PLACE).is_err(), "{bad}");
    }
    assert!(check_url(good, PLACE).is_ok() && check_url("x", PLACE).unwrap_err().to_string().contains("https://hooks.slack.com/services/"));
}

fn blocks(title: Option<&str>, body: &str) -> Vec<(String, String)> {
    let content = Content { title: title.map(str::to_owned), body: body.to_owned(), ..Content::default() };
    let body = payload::encode(&Message { content: Arc::new(content), ..message("", None) }).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(json["blocks"][0]["block_id"], "00000000000000000000000000000077.3.2");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    json["blocks"].as_array().unwrap().iter().map(|block| (text(&block["type"]), text(&block["text"]["text"]))).collect()
}

#[test]
fn nothing_in_a_text_is_a_command_and_long_ones_are_cut_between_words() {
    let pair = |kind: &str, text: &str| (kind.to_owned(), text.to_owned());
    assert_eq!(blocks(Some("Paid & <done>"), "<!channel> & co"), [pair("header", "Paid & <done>"), pair("section", "&lt;!channel&gt; &amp; co")]);
    let long = format!("{} {}", "a".repeat(2_999), "b".repeat(10));
    assert_eq!(blocks(None, &long), [pair("section", &format!("{} ", "a".repeat(2_999))), pair("section", &"b".repeat(10))]);
    // Escaped they are four times as long.
    assert_eq!(blocks(None, &"<".repeat(1_600)).len(), 3);
    assert_eq!(blocks(Some(&"x".repeat(151)), "y")[0].0, "section");
    let many = Message { content: Arc::new(Content { body: "x".repeat(150_001), ..Content::default() }), ..message("", None) };
    assert_eq!(payload::encode(&many), Err("text over 50 blocks"));
}

#[test]
fn the_word_counts_before_the_status() {
    let map = |status, body: &str| error_map::outcome(status, None, body.as_bytes());
    assert_eq!(map(400, "no_service\n"), Outcome::BadAddress { kind: BadAddress::Dead, as_of: None, code: "400 no_service".to_owned() });
    assert_eq!(map(403, "<html>"), Outcome::BadAddress { kind: BadAddress::Unsupported, as_of: None, code: "403".to_owned() });
    assert_eq!(told(&map(418, "i_am_a_teapot")), ("permanent", "418 i_am_a_teapot".to_owned()));
    assert_eq!(told(&map(502, "")).0, "retry");
}
