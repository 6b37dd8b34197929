//! Real requests over real sockets against every built-in behaviour.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod admin;
mod apns;
mod fcm;
mod ledger;
mod mail;
pub(crate) mod pigeon;
mod webhook;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::*;

pub(super) const NID: &str = "018f3b1e-7c00-7000-8000-000000000001";

pub(super) async fn started() -> RunningSimulators {
    start(SimulatorsConfig::default()).await.unwrap()
}

pub(super) fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// The service account's signed assertion with changes to its claims.
pub(super) fn assertion(sims: &RunningSimulators, changes: Value) -> String {
    let account: Value = serde_json::from_str(&sims.credentials.fcm_service_account_json).unwrap();
    let mut claims = json!({
        "iss": account["client_email"],
        "aud": account["token_uri"],
        "scope": "https://www.googleapis.com/auth/firebase.messaging",
        "iat": now(),
        "exp": now() + 3_600,
    });
    for (key, value) in changes.as_object().unwrap() {
        claims[key] = value.clone();
    }
    let key = EncodingKey::from_rsa_pem(account["private_key"].as_str().unwrap().as_bytes());
    encode(&Header::new(Algorithm::RS256), &claims, &key.unwrap()).unwrap()
}

pub(super) async fn exchange(sims: &RunningSimulators, assertion: &str) -> (u16, Value) {
    let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)];
    let url = format!("http://{}/token", sims.fcm);
    let answer = reqwest::Client::new().post(url).form(&form).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

pub(super) async fn access_token(sims: &RunningSimulators) -> String {
    let (status, body) = exchange(sims, &assertion(sims, json!({}))).await;
    assert_eq!(status, 200, "{body}");
    body["access_token"].as_str().unwrap().to_owned()
}

pub(super) fn last(sims: &RunningSimulators) -> LedgerEntry {
    let ledger = sims.ledger();
    ledger.entries(ledger.last_seq() - 1, 1).remove(0)
}
