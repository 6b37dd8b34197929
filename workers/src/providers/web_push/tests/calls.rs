use super::super::{Keys, Settings, VapidKeys, WebPush};
use crate::providers::http::Credential;
use crate::providers::testing::{expect, message};
use crate::providers::webhook::WebhookPolicy;
use crate::providers::{Message, Provider};
use crate::simulators::{self, RunningSimulators, SimulatorsConfig};
use commands::ports::SystemClock;
use domain::values::{BadAddress, Content, Outcome};
use std::sync::Arc;
use std::time::Duration;

async fn started() -> (RunningSimulators, Settings) {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let settings = Settings {
        private_key: Credential::new(simulators.credentials.vapid_private_key.clone()),
        subject: "mailto:notify@example.com".to_owned(),
        policy: WebhookPolicy { allow_http: true, allow_private: vec![("127.0.0.0".parse().unwrap(), 8)] },
        ca_pem: None,
        concurrency: 4,
        timeout: Duration::from_secs(5),
    };
    (simulators, settings)
}

fn web_push(settings: &Settings) -> WebPush {
    WebPush::new(settings, Arc::new(SystemClock::default())).unwrap()
}

fn to(simulators: &RunningSimulators, path: &str) -> Message {
    let keys = Keys::read(&simulators.credentials.browser_p256dh, &simulators.credentials.browser_auth).unwrap();
    message(&format!("http://{}/push/{path}", simulators.web_push), Some(keys.secret()))
}

#[tokio::test]
async fn only_the_browser_reads_what_is_sent() {
    let (simulators, settings) = started().await;
    let web_push = web_push(&settings);
    assert_eq!(web_push.check().await, Ok(()));
    let data = Content { title: Some("Paid".to_owned()), body: "Order 42".to_owned(), data: Some(r#"{"order":1.10}"#.to_owned()), ..Content::default() };
    let told = web_push.send(&Message { content: Arc::new(data), ..to(&simulators, "alice") }).await;
    assert_eq!(told, Outcome::Accepted { provider_id: Some("m1".to_owned()) });
    let entries = simulators.ledger().entries(0, 10);
    assert_eq!((entries[0].notification.as_deref(), entries[0].delivery, entries[0].attempt), (Some("00000000-0000-0000-0000-000000000077"), Some(3), Some(2)));
    let read = simulators.messages().latest(simulators::Provider::WebPush, 1).remove(0).raw;
    let read = std::str::from_utf8(&read).unwrap();
    assert!(read.contains(r#""data":{"order":1.10},"tag":"00000000-0000-0000-0000-000000000077""#), "{read}");
    let longest = Message { content: Arc::new(Content { body: "x".repeat(3_867), ..Content::default() }), ..to(&simulators, "alice") };
    let longer = Message { content: Arc::new(Content { body: "x".repeat(3_868), ..Content::default() }), ..to(&simulators, "alice") };
    expect(&web_push, &[(longest, "accepted", ""), (longer, "permanent", "message over 3993 bytes")]).await;
    simulators.shutdown().await;
}

#[tokio::test]
async fn each_refusal_is_what_it_means() {
    let (simulators, mut settings) = started().await;
    let to = |path: &str| to(&simulators, path);
    let patient = web_push(&settings);
    // Nobody took our key yet: it may be the wrong one.
    expect(&patient, &[(to("otherkey-a"), "misconfigured", "403"), (to("a"), "accepted", ""), (to("otherkey-a"), "bad address", "403")]).await;
    assert!(matches!(patient.send(&to("gone-a")).await, Outcome::BadAddress { kind: BadAddress::Dead, .. }));
    let mut keyless = to("a");
    keyless.address.secret = None;
    let mut elsewhere = to("a");
    elsewhere.address.value = "http://192.168.0.1:8080/push/a".to_owned();
    expect(
        &patient,
        &[
            (to("missing-a"), "bad address", "404"),
            (to("toolarge-a"), "permanent", "413"),
            (to("busy-a"), "throttled", "429"),
            (to("busy-a"), "accepted", ""),
            (to("flaky-a"), "retry", "503"),
            (to("drop-a"), "unknown", "connection broken"),
            (to("reset-a"), "unknown", "connection broken"),
            (to("garbage-a"), "unknown", "200 without a location"),
            (to("empty-a"), "unknown", "200 without a location"),
            (keyless, "bad address", "no keys of a browser"),
            (elsewhere, "permanent", "DESTINATION_BLOCKED"),
        ],
    )
    .await;
    settings.timeout = Duration::from_millis(300);
    expect(&web_push(&settings), &[(to("hang-a"), "unknown", "no answer in time")]).await;
    settings.private_key = Credential::new(VapidKeys::generate().unwrap().private.to_string());
    expect(&web_push(&settings), &[(to("a"), "misconfigured", "403")]).await;
    simulators.shutdown().await;
}

#[tokio::test]
async fn a_claim_that_grew_old_while_the_machine_slept_is_made_anew() {
    let (simulators, settings) = started().await;
    let web_push = web_push(&settings);
    // The service's clock is thirteen hours ahead: a claim of twelve hours is refused, twice.
    simulators.clock().set_offset_seconds(13 * 3_600);
    expect(&web_push, &[(to(&simulators, "a"), "misconfigured", "403")]).await;
    assert_eq!(simulators.ledger().entries(0, 10).len(), 2);
    simulators.clock().set_offset_seconds(0);
    expect(&web_push, &[(to(&simulators, "a"), "accepted", "")]).await;
    simulators.shutdown().await;
}
