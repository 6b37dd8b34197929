#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::{Fcm, Settings, error_map, payload};
use crate::providers::http::Credential;
use crate::providers::{Message, Provider};
use crate::simulators::{self, SimulatorsConfig};
use commands::ports::SystemClock;
use domain::recipient::AddressDetails;
use domain::values::{BadAddress, Content, Misconfigured, NotificationId, Outcome, Priority, ThrottleScope};
use std::sync::Arc;
use std::time::Duration;

fn message(token: &str) -> Message {
    Message {
        notification: NotificationId(uuid::Uuid::from_u128(0x77)),
        delivery: 0,
        attempt: 1,
        priority: Priority::High,
        content: Arc::new(Content {
            title: Some("Paid".to_owned()),
            body: "Order 42".to_owned(),
            data: Some(r#"{"order":42}"#.to_owned()),
            ..Content::default()
        }),
        address: AddressDetails { value: token.to_owned(), secret: None },
        expires_at: None,
        requested_at: 0,
    }
}

fn refused(status: u16, error_code: &str, status_name: &str) -> Outcome {
    let body = format!(
        r#"{{"error":{{"code":{status},"message":"m","status":"{status_name}","details":[{{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"{error_code}"}}]}}}}"#
    );
    error_map::outcome(status, None, body.as_bytes())
}

#[test]
fn every_row_of_the_error_table() {
    assert!(matches!(refused(404, "UNREGISTERED", "NOT_FOUND"), Outcome::BadAddress { kind: BadAddress::Dead, .. }));
    assert!(matches!(refused(403, "SENDER_ID_MISMATCH", "PERMISSION_DENIED"), Outcome::BadAddress { kind: BadAddress::Unsupported, .. }));
    assert!(matches!(refused(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"), Outcome::BadAddress { .. }));
    let fields = br#"{"error":{"status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[]}]}}"#;
    assert!(matches!(error_map::outcome(400, None, fields), Outcome::Permanent { .. }));
    assert!(matches!(refused(401, "THIRD_PARTY_AUTH_ERROR", "UNAUTHENTICATED"), Outcome::Misconfigured { scope: Misconfigured::Credential, .. }));
    assert!(matches!(error_map::outcome(401, None, br#"{"error":{"status":"UNAUTHENTICATED"}}"#), Outcome::Misconfigured { .. }));
    assert!(
        matches!(refused(429, "QUOTA_EXCEEDED", "RESOURCE_EXHAUSTED"), Outcome::Throttled { after: Some(after), scope: ThrottleScope::Provider, .. } if after == Duration::from_secs(60))
    );
    assert!(matches!(refused(500, "INTERNAL", "INTERNAL"), Outcome::Retry { after: Some(after), .. } if after >= Duration::from_secs(10)));
    assert!(matches!(refused(503, "UNAVAILABLE", "UNAVAILABLE"), Outcome::Retry { after: None, .. }));
}

#[test]
fn nonsense_never_loses_the_work() {
    assert!(matches!(error_map::outcome(200, None, b"<html>"), Outcome::Unknown { .. }));
    assert!(matches!(error_map::outcome(502, None, b"<html>"), Outcome::Retry { .. }));
    assert!(matches!(error_map::outcome(404, None, b"<html>"), Outcome::Misconfigured { .. }));
    assert!(matches!(error_map::outcome(418, None, b""), Outcome::Permanent { .. }));
}

#[test]
fn reserved_keys_are_refused_and_values_become_text() {
    let body = payload::encode(&message("t"), 0).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(json["message"]["data"]["order"], "42");
    assert_eq!(json["message"]["data"]["nid"], "00000000-0000-0000-0000-000000000077");
    assert_eq!(json["message"]["android"]["collapse_key"], json["message"]["android"]["notification"]["tag"]);
    let mut reserved = message("t");
    reserved.content = Arc::new(Content { body: "b".to_owned(), data: Some(r#"{"gcm.x":1}"#.to_owned()), ..Content::default() });
    assert!(payload::encode(&reserved, 0).is_err());
}

#[tokio::test]
async fn a_push_arrives_once_and_a_dead_token_is_told() {
    let simulators = simulators::start(SimulatorsConfig::default()).await.unwrap();
    let mut settings = Settings::new(Credential::new(simulators.credentials.fcm_service_account_json.clone()));
    settings.base_url = format!("http://{}", simulators.fcm);
    let fcm = Fcm::new(&settings, Arc::new(SystemClock::default())).unwrap();
    assert!(fcm.check().await.is_ok());
    assert!(matches!(fcm.send(&message("good-token")).await, Outcome::Accepted { provider_id: Some(_) }));
    assert!(matches!(fcm.send(&message("dead-token")).await, Outcome::BadAddress { kind: BadAddress::Dead, .. }));
    let entries = simulators.ledger().entries(0, 10);
    assert_eq!(entries.len(), 2);
    simulators.shutdown().await;
}
