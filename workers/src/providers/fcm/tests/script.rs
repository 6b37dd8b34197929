//! Google's two endpoints with answers a test chooses, for what the simulator does not do.

use super::super::{Fcm, Settings};
use crate::providers::http::Credential;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use commands::ports::ManualClock;
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

static KEY: LazyLock<String> = LazyLock::new(|| KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap().serialize_pem());

/// What the endpoints do and what they were asked.
pub(super) struct Script {
    /// Answer of the token endpoint; `{n}` becomes the number of the request.
    pub grant: Mutex<(u16, String)>,
    /// Requests the token endpoint may still answer.
    pub gate: Semaphore,
    /// Answer of FCM to a token that is good.
    pub answer: Mutex<(u16, String)>,
    /// Lowest number of a token that is good.
    pub good_from: Mutex<u32>,
    seen: Mutex<(u32, u32)>,
    /// Where the endpoints are.
    pub base: String,
}

impl Script {
    /// Requests to the token endpoint and to FCM.
    pub(super) fn seen(&self) -> (u32, u32) {
        *self.seen.lock().unwrap()
    }

    pub(super) fn set_grant(&self, status: u16, body: &str) {
        *self.grant.lock().unwrap() = (status, body.to_owned());
    }

    pub(super) fn set_answer(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned());
    }
}

async fn token(State(script): State<Arc<Script>>) -> (StatusCode, String) {
    let number = {
        let mut seen = script.seen.lock().unwrap();
        seen.0 += 1;
        seen.0
    };
    script.gate.acquire().await.unwrap().forget();
    let (status, body) = script.grant.lock().unwrap().clone();
    (StatusCode::from_u16(status).unwrap(), body.replace("{n}", &number.to_string()))
}

async fn send(State(script): State<Arc<Script>>, headers: HeaderMap) -> (StatusCode, String) {
    script.seen.lock().unwrap().1 += 1;
    let number: u32 = headers["authorization"].to_str().unwrap().strip_prefix("Bearer t").unwrap().parse().unwrap();
    if number < *script.good_from.lock().unwrap() {
        return (StatusCode::UNAUTHORIZED, r#"{"error":{"status":"UNAUTHENTICATED"}}"#.to_owned());
    }
    let (status, body) = script.answer.lock().unwrap().clone();
    (StatusCode::from_u16(status).unwrap(), body)
}

/// A provider that talks to a script, and its clock.
pub(super) async fn scripted() -> (Arc<Script>, Fcm, Arc<ManualClock>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let script = Arc::new(Script {
        grant: Mutex::new((200, r#"{"access_token":"t{n}","expires_in":3599}"#.to_owned())),
        gate: Semaphore::new(1_000),
        answer: Mutex::new((200, r#"{"name":"projects/p/messages/1"}"#.to_owned())),
        good_from: Mutex::new(0),
        seen: Mutex::default(),
        base: base.clone(),
    });
    let router = axum::Router::new().route("/token", post(token)).route("/v1/projects/p/{*call}", post(send)).with_state(Arc::clone(&script));
    // It ends with the test's runtime.
    tokio::spawn(async move { axum::serve(listener, router).await });
    let clock = Arc::new(ManualClock::at(1_700_000_000_000));
    let fcm = Fcm::new(&settings(&base, &format!("{base}/token")), Arc::clone(&clock) as _).unwrap();
    (script, fcm, clock)
}

pub(super) fn settings(base: &str, token_uri: &str) -> Settings {
    let account = serde_json::json!({
        "project_id": "p",
        "client_email": "p@example.org",
        "private_key": *KEY,
        "token_uri": token_uri,
    });
    let mut settings = Settings::new(Credential::new(account.to_string()));
    settings.base_url = base.to_owned();
    settings.timeout = Duration::from_secs(20);
    settings
}
