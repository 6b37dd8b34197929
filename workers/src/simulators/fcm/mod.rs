//! FCM HTTP v1 (providers.md section 2): token endpoint and `messages:send`.
//!
//! Guarantee: refuses what Google refuses for the fields we use, in Google's error shapes. The happy path parses
//! the body once and does no I/O, because benchmarks run against it.

mod auth;
mod error;
mod validate;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::http::request::Parts;
use serde_json::Value;

use super::World;
use super::credentials::FCM_PROJECT;
use super::fault::{Refusal, Reply, Taken, answer, refuse, settle};
use super::http::HttpSimulator;
use super::ledger::{Arrival, IdText, Provider, ProviderId, fcm_name, sha256};

pub(crate) use auth::TokenEndpoint;
use error::{FcmDialect, google_error};

/// Both FCM endpoints.
pub(crate) struct FcmSimulator {
    world: Arc<World>,
    tokens: TokenEndpoint,
    send_path: String,
    numbers: AtomicU64,
}

impl FcmSimulator {
    pub(crate) fn new(world: Arc<World>, tokens: TokenEndpoint) -> Self {
        Self { world, tokens, send_path: format!("/v1/projects/{FCM_PROJECT}/messages:send"), numbers: AtomicU64::new(0) }
    }

    fn authorized(&self, head: &Parts) -> Result<(), Refusal> {
        let header = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(token) = header.and_then(|value| value.strip_prefix("Bearer ")) else {
            return Err(error::unauthenticated("CREDENTIALS_MISSING"));
        };
        match self.tokens.is_valid(token) {
            Some(true) => Ok(()),
            Some(false) => Err(error::unauthenticated("ACCESS_TOKEN_EXPIRED")),
            None => Err(error::unauthenticated("ACCESS_TOKEN_TYPE_UNSUPPORTED")),
        }
    }

    async fn send(&self, head: &Parts, body: Bytes) -> Reply {
        let parsed = serde_json::from_slice::<Value>(&body);
        let empty = Value::Null;
        let request = parsed.as_ref().unwrap_or(&empty);
        let message = &request["message"];
        let address = validate::target(message);
        let arrival = arrival(message, address, &body);
        if let Err(refusal) = self.authorized(head) {
            return refuse(&self.world, arrival, refusal);
        }
        let project = head.uri.path().strip_prefix("/v1/projects/");
        if head.uri.path() != self.send_path {
            let refusal = match project.and_then(|rest| rest.strip_suffix("/messages:send")) {
                Some(_) => error::permission_denied(),
                None => error::not_found(),
            };
            return refuse(&self.world, arrival, refusal);
        }
        let fault = self.world.rules.fate(Provider::Fcm, address).wait().await;
        settle(&self.world, &FcmDialect, arrival, fault, || {
            let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
                return Err(error::bad_json("Invalid JSON payload received. Unexpected token."));
            }
            if let Err(error) = &parsed {
                return Err(error::bad_json(&format!("Invalid JSON payload received. {error}")));
            }
            let dry_run = validate::check(request)?;
            Ok(self.take(dry_run, address, body.clone()))
        })
    }

    fn take(&self, dry_run: bool, address: &str, raw: Bytes) -> Taken {
        let (provider_id, name) = if dry_run {
            (ProviderId::None, format!("projects/{FCM_PROJECT}/messages/fake_message_id"))
        } else {
            let micros = self.world.clock.now_micros();
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            (ProviderId::Fcm { micros, number }, fcm_name(micros, number))
        };
        let body = format!("{{\n  \"name\": \"{name}\"\n}}\n");
        Taken { answer: answer(200, error::JSON, body), provider_id, delivered: !dry_run, address: address.to_owned(), raw }
    }
}

fn arrival(message: &Value, address: &str, body: &[u8]) -> Arrival {
    let data = &message["data"];
    let text = |key: &str| data[key].as_str();
    Arrival {
        provider: Provider::Fcm,
        notification: text("nid").map(IdText::parse).unwrap_or_default(),
        delivery: text("delivery").and_then(|n| n.parse().ok()),
        attempt: text("attempt").and_then(|n| n.parse().ok()),
        address_hash: sha256(address.as_bytes()),
        body_sha256: sha256(body),
    }
}

impl HttpSimulator for FcmSimulator {
    const MAX_BODY: usize = 1024 * 1024;
    type Connection = ();

    async fn handle(&self, (): &(), head: Parts, body: Bytes) -> Reply {
        match (&head.method, head.uri.path()) {
            (&Method::POST, "/token") => Reply::Answer(self.tokens.exchange(&head, &body)),
            (&Method::POST, path) if path.ends_with("/messages:send") => self.send(&head, body).await,
            // The batch and legacy endpoints closed in 2024.
            _ => Reply::Answer(google_error(404, "NOT_FOUND", "Requested entity was not found.", &[])),
        }
    }
}
