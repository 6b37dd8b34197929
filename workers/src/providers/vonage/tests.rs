#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use super::{Settings, Vonage, error_map, ttl};
use crate::providers::http::Credential;
use crate::providers::testing::{expect, message, told};
use crate::providers::{Message, Provider};
use crate::simulators::{self, RunningSimulators, SimulatorsConfig};
use commands::ports::SystemClock;
use domain::values::{Content, Outcome, SentAs};
use std::sync::Arc;
use std::time::Duration;

async fn started() -> (RunningSimulators, Settings) {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let settings = Settings {
        api_key: simulators.credentials.vonage_api_key.clone(),
        api_secret: Credential::new(simulators.credentials.vonage_api_secret.clone()),
        from: simulators.credentials.vonage_from.clone(),
        callback: Some("https://n.example/cb".parse().unwrap()),
        base_url: format!("http://{}", simulators.vonage),
        concurrency: 4,
        timeout: Duration::from_secs(5),
    };
    (simulators, settings)
}

fn vonage(settings: &Settings) -> Vonage {
    Vonage::new(settings, Arc::new(SystemClock::default())).unwrap()
}

fn to(number: &str) -> Message {
    message(number, None)
}

#[tokio::test]
async fn a_text_message_arrives_with_our_ids_in_the_alphabet_that_it_needs() {
    let (simulators, settings) = started().await;
    let vonage = vonage(&settings);
    assert_eq!(vonage.check().await, Ok(()));
    let Outcome::Accepted { provider_id: Some(id) } = vonage.send(&to("+821023456789")).await else { panic!("not accepted") };
    let korean = Message { content: Arc::new(Content { body: "한".repeat(135), ..Content::default() }), ..to("+821023456789") };
    assert!(matches!(vonage.send(&korean).await, Outcome::Accepted { .. }));
    let entries = simulators.ledger().entries(0, 10);
    assert_eq!((entries[0].notification.as_deref(), entries[0].provider_id.as_deref()), (Some("00000000-0000-0000-0000-000000000077"), Some(id.as_str())));
    assert_eq!((entries[0].delivery, entries[0].attempt), (Some(3), Some(2)));
    assert_eq!((entries[0].segments, entries[1].segments), (Some(1), Some(3)));
    simulators.shutdown().await;
}

#[tokio::test]
async fn each_refusal_is_what_it_means_though_all_are_answered_200() {
    let (simulators, mut settings) = started().await;
    expect(
        &vonage(&settings),
        &[
            (to("+15005550001"), "bad address", "status 33"),
            (to("+15005550004"), "bad address", "status 7"),
            (to("+15005550003"), "permanent", "status 6"),
            (to("+1500556081"), "throttled", "status 1"),
            (to("+1500556081"), "accepted", ""),
            (to("+1500556091"), "retry", "status 5"),
            (to("+1500556101"), "misconfigured", "status 15"),
            (to("+1500556111"), "misconfigured", "status 4"),
            (to("+1500556121"), "permanent", "status 3"),
            (to("+1500556011"), "unknown", "connection broken"),
            (to("+1500556021"), "retry", "503"),
            (to("+1500556041"), "unknown", "200 with another body"),
            (to("+1500556051"), "unknown", "200 with another body"),
        ],
    )
    .await;
    settings.timeout = Duration::from_millis(300);
    expect(&vonage(&settings), &[(to("+1500556061"), "unknown", "no answer in time")]).await;
    settings.api_secret = Credential::new("wrong");
    assert!(vonage(&settings).check().await.unwrap_err().contains("api_secret"));
    expect(&vonage(&settings), &[(to("+821023456789"), "misconfigured", "status 4")]).await;
    simulators.shutdown().await;
}

#[test]
fn parts_are_judged_one_by_one_and_nothing_taken_is_sent_again() {
    let map = |body: &str| error_map::outcome(200, None, body.as_bytes());
    let (outcome, parts) = map(r#"{"messages":[{"status":"1"},{"status":"0","message-id":"A1"},{"status":"0","message-id":"A2"}]}"#);
    assert_eq!((outcome, parts), (Outcome::Accepted { provider_id: Some("A1".to_owned()) }, Some(2)));
    for (body, kind) in [
        (r#"{"messages":[]}"#, "unknown"),
        ("ok", "unknown"),
        (r#"{"messages":[{"status":"x y"}]}"#, "permanent"),
        (r#"{"messages":[{"status":"99"}]}"#, "permanent"),
    ] {
        assert_eq!(told(&map(body).0).0, kind, "{body}");
    }
    assert_eq!(told(&error_map::outcome(429, None, b"").0).0, "throttled");
    assert_eq!(told(&error_map::outcome(502, None, b"").0).0, "retry");
}

#[test]
fn a_message_is_kept_within_the_bounds_of_vonage() {
    assert_eq!((ttl(None, 0), ttl(Some(60_000), 0), ttl(Some(1_000), 0), ttl(Some(700_000_000), 0)), (None, Some(60_000), Some(20_000), None));
}

#[tokio::test]
async fn a_text_comes_from_whom_its_category_says_without_a_plus() {
    let (simulators, settings) = started().await;
    let from = |number: &str| Message { from: Some(SentAs::Number(number.to_owned())), ..to("+821023456789") };
    // Vonage knows the number of nobody.
    expect(&vonage(&settings), &[(from("ORDERS"), "accepted", ""), (from("+821055550000"), "misconfigured", "status 15")]).await;
    let sent = simulators.messages().latest(simulators::Provider::Vonage, 1);
    assert!(url::form_urlencoded::parse(&sent[0].raw).any(|(name, value)| name == "from" && value == "ORDERS"));
    simulators.shutdown().await;
}
