#![allow(missing_docs)]

use super::{Refused, Wanted, check};
use crate::vapid::BASE64;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use serde_json::{Value, json};

const ORIGIN: &str = "http://127.0.0.1:4000";
const NOW: u64 = 1_800_000_000;

fn key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

fn signed(key: &EcdsaKeyPair, head: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(claims.to_string()));
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    format!("vapid t={signed}.{}, k={}", BASE64.encode(signature), BASE64.encode(key.public_key()))
}

fn claims() -> Value {
    json!({ "aud": ORIGIN, "exp": NOW + 3_600, "sub": "mailto:ops@example.com" })
}

fn plain(key: &EcdsaKeyPair) -> HeaderMap {
    with(&[("authorization", &signed(key, &json!({ "alg": "ES256" }), &claims())), ("ttl", "60"), ("content-encoding", "aes128gcm")], HeaderMap::new())
}

fn with(changed: &[(&'static str, &str)], mut headers: HeaderMap) -> HeaderMap {
    for (name, value) in changed {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn taken(headers: &HeaderMap, length: usize, key: &EcdsaKeyPair) -> Result<Wanted, (u16, &'static str)> {
    check(headers, length, Some(key.public_key().as_ref()), ORIGIN, NOW).map_err(|Refused(status, _, reason)| (status.as_u16(), reason))
}

#[test]
fn what_the_standards_ask_for_is_taken() {
    let key = key();
    assert_eq!(taken(&plain(&key), 4_096, &key), Ok(Wanted { ttl: 60, topic: None }));
    let more = with(&[("urgency", "high"), ("topic", "order_42")], plain(&key));
    assert_eq!(taken(&more, 100, &key), Ok(Wanted { ttl: 60, topic: Some("order_42".to_owned()) }));
}

#[test]
fn everything_else_is_refused() {
    let key = key();
    for (name, value, expected) in [
        ("ttl", "soon", (400, "a malformed TTL")),
        ("urgency", "urgent", (400, "an unknown urgency")),
        ("topic", "order 42", (400, "a malformed topic")),
        ("content-encoding", "aesgcm", (400, "another encoding than aes128gcm")),
        ("authorization", "Bearer x", (401, "not of the scheme vapid")),
    ] {
        assert_eq!(taken(&with(&[(name, value)], plain(&key)), 100, &key), Err(expected), "{name}: {value}");
    }
    for name in ["ttl", "content-encoding", "authorization"] {
        let mut headers = plain(&key);
        headers.remove(name);
        assert!(taken(&headers, 100, &key).is_err(), "without {name}");
    }
    assert_eq!(taken(&plain(&key), 4_097, &key), Err((413, "too large")));
}

#[test]
fn only_whom_the_page_named_may_send() {
    let (own, other) = (key(), key());
    assert_eq!(taken(&plain(&other), 100, &own), Err((401, "another key than the subscription's")));
    let by = |head: Value, claims: Value| taken(&with(&[("authorization", &signed(&own, &head, &claims))], plain(&own)), 100, &own);
    let es256 = json!({ "alg": "ES256" });
    let changed = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        claims
    };
    assert_eq!(by(es256.clone(), changed("aud", json!("https://push.example.net"))), Err((401, "another audience")));
    assert_eq!(by(es256.clone(), changed("exp", json!(NOW))), Err((401, "expired, or good for too long")));
    assert_eq!(by(es256.clone(), changed("exp", json!(NOW + 86_401))), Err((401, "expired, or good for too long")));
    assert_eq!(by(es256, changed("sub", json!("ops"))), Err((401, "nobody to turn to")));
    assert_eq!(by(json!({ "alg": "none" }), claims()), Err((401, "another algorithm than ES256")));
    // Signed by somebody else, under the name of the one.
    let forged = signed(&other, &json!({ "alg": "ES256" }), &claims()).replace(&BASE64.encode(other.public_key()), &BASE64.encode(own.public_key()));
    assert_eq!(taken(&with(&[("authorization", &forged)], plain(&own)), 100, &own), Err((401, "a wrong signature")));
}
