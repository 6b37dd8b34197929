//! What is asked of APNs: payload and headers.

use super::*;
use serde_json::{Value, json};

fn with_content(content: Content) -> Message {
    Message { content: Arc::new(content), ..message("aa") }
}

#[test]
fn data_stands_beside_aps_and_never_replaces_ours() {
    let mut sent = message("aa");
    sent.content = Arc::new(Content {
        body: "Order 42".to_owned(),
        data: Some(r#"{"order":{"no":42},"aps":{"badge":1},"nid":"x","delivery":9,"attempt":"y"}"#.to_owned()),
        ..Content::default()
    });
    let got: Value = serde_json::from_slice(&payload::encode(&sent).unwrap()).unwrap();
    let expected = json!({
        "aps": { "alert": { "body": "Order 42" }, "sound": "default" },
        "nid": "00000000-0000-0000-0000-000000000077", "delivery": 2, "attempt": 3,
        "order": { "no": 42 },
    });
    assert_eq!(got, expected);
    let list = with_content(Content { body: "b".to_owned(), data: Some("[1]".to_owned()), ..Content::default() });
    assert!(payload::encode(&list).is_err());
}

#[test]
fn the_id_is_of_the_attempt() {
    let first = message("aa");
    let again = Message { attempt: 4, ..first.clone() };
    let other = Message { delivery: 3, ..first.clone() };
    assert_eq!(payload::apns_id(&first), payload::apns_id(&first.clone()));
    assert_ne!(payload::apns_id(&first), payload::apns_id(&again));
    assert_ne!(payload::apns_id(&first), payload::apns_id(&other));
}

#[test]
fn a_repeat_collapses_with_the_first() {
    assert_eq!(payload::collapse_id(&message("aa")), "00000000-0000-0000-0000-000000000077");
    let keyed = |key: &str| payload::collapse_id(&with_content(Content { collapse_key: Some(key.to_owned()), ..Content::default() })).into_owned();
    assert_eq!(keyed("order-42"), "order-42");
    for odd in ["주문 42", &"k".repeat(65), "line\nbreak", " padded "] {
        let id = keyed(odd);
        assert!(id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id}");
        assert_eq!(id, keyed(odd));
    }
    assert_ne!(keyed("주문 42"), keyed("주문 43"));
}

#[test]
fn urgency_and_expiry() {
    assert_eq!(payload::priority(Priority::Low), "5");
    for urgent in [Priority::Normal, Priority::High, Priority::Critical] {
        assert_eq!(payload::priority(urgent), "10");
    }
    let expiring = |at| payload::expiration(&Message { expires_at: at, ..message("aa") });
    assert_eq!(expiring(None), None);
    assert_eq!(expiring(Some(1_700_003_600_999)), Some(1_700_003_600));
    assert_eq!(expiring(Some(5)), Some(1));
    assert_eq!(expiring(Some(i64::MAX)), Some(i64::from(u32::MAX)));
}

#[test]
fn every_header_is_there_once() {
    let settings = Settings::new(Credential::new(generated_key()), "ABC123DEFG", "DEF123GHIJ", "com.acme.app");
    let apns = Apns::new(&settings, Arc::new(ShiftedClock::default())).unwrap();
    let token = apns.tokens.token().unwrap().header;
    let sent = Message { priority: Priority::Low, expires_at: Some(1_700_003_600_000), ..message("ab") };
    let request = apns.post(&sent, &bytes::Bytes::new(), &token).build().unwrap();
    assert_eq!(request.url().as_str(), format!("https://api.push.apple.com/3/device/{}", device("ab")));
    let headers = request.headers();
    assert_eq!(headers["authorization"], token);
    for (name, value) in [
        ("apns-id", payload::apns_id(&sent).to_string().as_str()),
        ("apns-topic", "com.acme.app"),
        ("apns-push-type", "alert"),
        ("apns-priority", "5"),
        ("apns-collapse-id", "00000000-0000-0000-0000-000000000077"),
        ("apns-expiration", "1700003600"),
    ] {
        let all: Vec<_> = headers.get_all(name).iter().collect();
        assert_eq!(all, [value], "{name}");
    }
    let endless = apns.post(&message("ab"), &bytes::Bytes::new(), &token).build().unwrap();
    assert!(!endless.headers().contains_key("apns-expiration"));
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_sent() {
    let world = World::cleartext().await;
    let long = with_content(Content { body: "x".repeat(4_096), ..Content::default() });
    assert_eq!(world.apns.send(&long).await, Outcome::Permanent { code: "message over 4096 bytes".to_owned() });
    for token in ["", "../../1/apps", "ab?x=1", "zz"] {
        let odd = Message { address: AddressDetails { value: token.to_owned(), secret: None }, ..message("aa") };
        assert!(matches!(world.apns.send(&odd).await, Outcome::BadAddress { kind: BadAddress::Unsupported, .. }), "{token}");
    }
    assert!(world.entries().is_empty());
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let clock = Arc::new(ShiftedClock::default());
    let key = generated_key();
    let good = Settings::new(Credential::new(key), "ABC123DEFG", "DEF123GHIJ", "com.acme.app");
    assert!(Apns::new(&good, clock.clone()).is_ok());
    for bad in [
        Settings { key_pem: Credential::new("no key"), ..good.clone() },
        Settings { key_id: String::new(), ..good.clone() },
        Settings { team_id: "a b".to_owned(), ..good.clone() },
        Settings { topic: String::new(), ..good.clone() },
        Settings { base_url: "nowhere".to_owned(), ..good.clone() },
        Settings { base_url: "http://127.0.0.1:1".to_owned(), ..good.clone() },
        Settings { ca_pem: Some("no certificate".to_owned()), ..good.clone() },
    ] {
        let error = Apns::new(&bad, clock.clone()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.starts_with("apns: "), "{bad:?}");
    }
}

fn generated_key() -> String {
    rcgen::KeyPair::generate().unwrap().serialize_pem()
}
