use super::super::{Settings, WebhookPolicy, WebhookProvider};
use crate::providers::{Message, Provider};
use crate::simulators::{self, RunningSimulators, SimulatorsConfig};
use commands::ports::SystemClock;
use domain::recipient::AddressDetails;
use domain::values::{BadAddress, Content, NotificationId, Outcome, Priority, ThrottleScope};
use std::sync::Arc;
use std::time::Duration;

fn message(url: String, secret: &str) -> Message {
    Message {
        notification: NotificationId(uuid::Uuid::from_u128(0x77)),
        delivery: 3,
        attempt: 2,
        priority: Priority::High,
        content: Arc::new(Content {
            title: Some("Paid".to_owned()),
            body: "Order 42".to_owned(),
            data: Some(r#"{"order":42,"exact":1.10}"#.to_owned()),
            ..Content::default()
        }),
        address: AddressDetails { value: url, secret: Some(secret.to_owned()) },
        from: None,
        files: Vec::new(),
        unsubscribe: None,
        expires_at: None,
        requested_at: 1_700_000_000_000,
        after_unknown: false,
    }
}

fn provider(loopback: bool) -> WebhookProvider {
    let allow_private = if loopback { vec![("127.0.0.0".parse().unwrap(), 8)] } else { Vec::new() };
    let settings = Settings { policy: WebhookPolicy { allow_http: true, allow_private }, ..Settings::default() };
    WebhookProvider::new(&settings, Arc::new(SystemClock::default())).unwrap()
}

async fn send(simulators: &RunningSimulators, provider: &WebhookProvider, path: &str) -> Outcome {
    let url = format!("http://127.0.0.1:{}{path}", simulators.webhook.port());
    provider.send(&message(url, &simulators.credentials.webhook_secret)).await
}

#[tokio::test]
async fn a_signed_call_arrives_and_carries_our_ids() {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let provider = provider(true);
    assert!(provider.check().await.is_ok());
    assert_eq!(send(&simulators, &provider, "/hook").await, Outcome::Accepted { provider_id: None });
    // A name that leads to an allowed address passes the resolver.
    let named = message(format!("http://localhost:{}/hook", simulators.webhook.port()), &simulators.credentials.webhook_secret);
    assert_eq!(provider.send(&named).await, Outcome::Accepted { provider_id: None });

    let entries = serde_json::to_value(simulators.ledger().entries(0, 10)).unwrap();
    assert_eq!(entries[0]["notification"], "00000000-0000-0000-0000-000000000077");
    assert_eq!((&entries[0]["delivery"], &entries[0]["attempt"]), (&3.into(), &2.into()));
    let received = simulators.messages().latest(simulators::Provider::Webhook, 1);
    let text = std::str::from_utf8(&received[0].raw).unwrap();
    assert!(text.contains(r#""data":{"order":42,"exact":1.10}"#), "{text}");
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(json["id"], "00000000-0000-0000-0000-000000000077");
    assert_eq!(json["type"], "notification");
    assert_eq!(json["timestamp"], "2023-11-14T22:13:20.000Z");
    assert_eq!((&json["title"], &json["body"]), (&"Paid".into(), &"Order 42".into()));
    simulators.shutdown().await;
}

#[tokio::test]
async fn a_wrong_secret_is_refused_by_the_receiver_and_none_by_us() {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let provider = provider(true);
    let url = format!("http://127.0.0.1:{}/hook", simulators.webhook.port());
    let mut message = message(url, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    assert_eq!(provider.send(&message).await, Outcome::Retry { after: None, code: "401".to_owned() });
    message.address.secret = None;
    assert!(matches!(provider.send(&message).await, Outcome::BadAddress { kind: BadAddress::Unsupported, .. }));
    assert_eq!(simulators.ledger().entries(0, 10).len(), 1);
    simulators.shutdown().await;
}

#[tokio::test]
async fn refusals_and_breaks() {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let provider = provider(true);
    assert!(matches!(send(&simulators, &provider, "/gone").await, Outcome::BadAddress { kind: BadAddress::Dead, .. }));
    let throttled = send(&simulators, &provider, "/throttle").await;
    assert_eq!(throttled, Outcome::Throttled { after: Some(Duration::from_secs(2)), scope: ThrottleScope::Recipient, code: "429".to_owned() });
    assert!(matches!(send(&simulators, &provider, "/status/500").await, Outcome::Retry { .. }));
    assert!(matches!(send(&simulators, &provider, "/drop").await, Outcome::Unknown { .. }));
    simulators.shutdown().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    drop(silent);
    let refused = message(format!("http://127.0.0.1:{port}/"), "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    assert!(matches!(provider.send(&refused).await, Outcome::Retry { .. }));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    assert_eq!(send(&simulators, &provider(true), "/redirect").await, Outcome::Retry { after: None, code: "302".to_owned() });
    assert_eq!(simulators.ledger().entries(0, 10).len(), 1);
    simulators.shutdown().await;
}

#[tokio::test]
async fn loopback_is_blocked_as_address_and_behind_a_name() {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let provider = provider(false);
    let blocked = Outcome::Permanent { code: "DESTINATION_BLOCKED".to_owned() };
    for host in ["127.0.0.1", "2130706433", "0x7f000001", "0177.1", "[::ffff:127.0.0.1]", "localhost"] {
        let url = format!("http://{host}:{}/hook", simulators.webhook.port());
        assert_eq!(provider.send(&message(url, &simulators.credentials.webhook_secret)).await, blocked, "{host}");
    }
    assert!(simulators.ledger().entries(0, 10).is_empty());
    simulators.shutdown().await;
}

/// A label of more than 63 bytes fails in the resolver itself, without a question to anybody. A lookup
/// that fails is no verdict on the address.
#[tokio::test]
async fn a_name_that_does_not_resolve_is_tried_again() {
    let url = format!("http://{}.invalid/", "x".repeat(70));
    let unknown = message(url, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    assert!(matches!(provider(true).send(&unknown).await, Outcome::Retry { .. }));
}

#[test]
fn certificates_that_are_none_are_refused() {
    for pem in ["", "nothing", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        let settings = Settings { ca_pem: Some(pem.to_owned()), ..Settings::default() };
        assert!(WebhookProvider::new(&settings, Arc::new(SystemClock::default())).is_err(), "{pem}");
    }
}
