//! A webhook receiver that checks Standard Webhooks 1.0.0 signatures (providers.md section 12).
//!
//! Guarantee: the signature is compared in constant time over the exact bytes received, timestamps may be five
//! minutes off, and a repeated `webhook-id` is answered 200 and shown as duplicate in the ledger, as a good receiver
//! does. Rejected: accepting unsigned requests, which would let a client with broken signing pass every test.

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::HeaderMap;
use hyper::http::request::Parts;
use hyper::{Method, header};

use super::World;
use super::fault::{Answer, Dialect, Refusal, Reply, Taken, answer, settle};
use super::http::HttpSimulator;
use super::ledger::{Arrival, IdText, Provider, ProviderId, sha256};

/// Allowed difference between `webhook-timestamp` and the receiver's clock, in seconds.
const TOLERANCE_SECONDS: i64 = 300;

/// The receiver of all webhook paths.
pub(crate) struct WebhookSimulator {
    world: Arc<World>,
    key: hmac::Key,
}

struct WebhookDialect;

impl Dialect for WebhookDialect {
    const THROTTLED: (u16, &'static str) = (429, "too many requests");
    const DOWN: (u16, &'static str) = (503, "unavailable");

    fn error(&self, status: u16, reason: &str) -> Answer {
        answer(status, "application/json", serde_json::json!({ "error": reason }).to_string())
    }
}

impl WebhookSimulator {
    /// A secret that is not `whsec_` plus base64 yields a receiver that accepts nothing.
    pub(crate) fn new(world: Arc<World>, secret: &str) -> Self {
        Self { world, key: hmac::Key::new(hmac::HMAC_SHA256, &secret_bytes(secret)) }
    }

    fn check(&self, head: &Parts, body: &[u8]) -> Result<(), Refusal> {
        if head.method != Method::POST {
            return Err(refusal(405, "method_not_allowed"));
        }
        let json = text(&head.headers, header::CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("application/json"));
        if !json {
            return Err(refusal(415, "wrong_content_type"));
        }
        let (Some(id), Some(timestamp), Some(signatures)) =
            (text(&head.headers, "webhook-id"), text(&head.headers, "webhook-timestamp"), text(&head.headers, "webhook-signature"))
        else {
            return Err(refusal(400, "missing_header"));
        };
        let seconds: i64 = timestamp.parse().map_err(|_| refusal(400, "invalid_timestamp"))?;
        if self.world.clock.now_seconds().abs_diff(seconds) > TOLERANCE_SECONDS.unsigned_abs() {
            return Err(refusal(400, "timestamp_out_of_tolerance"));
        }
        if verify(&self.key, id, timestamp, body, signatures) { Ok(()) } else { Err(refusal(401, "signature_mismatch")) }
    }
}

fn refusal(status: u16, reason: &'static str) -> Refusal {
    Refusal::new(WebhookDialect.error(status, reason), reason)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The key bytes of a `whsec_` secret; empty when it is malformed.
pub(crate) fn secret_bytes(secret: &str) -> Vec<u8> {
    secret.strip_prefix("whsec_").and_then(|encoded| STANDARD.decode(encoded).ok()).unwrap_or_default()
}

/// Whether one of the space-separated `v1,` signatures fits. `hmac::verify` compares in constant time.
pub(crate) fn verify(key: &hmac::Key, id: &str, timestamp: &str, body: &[u8], signatures: &str) -> bool {
    let mut content = Vec::with_capacity(id.len() + timestamp.len() + body.len() + 2);
    content.extend_from_slice(id.as_bytes());
    content.push(b'.');
    content.extend_from_slice(timestamp.as_bytes());
    content.push(b'.');
    content.extend_from_slice(body);
    signatures
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"))
        .filter_map(|encoded| STANDARD.decode(encoded).ok())
        .any(|signature| hmac::verify(key, &content, &signature).is_ok())
}

/// `msg_<uuid without dashes>_<delivery>`; any other id counts as the notification itself.
pub(crate) fn our_ids(webhook_id: &str) -> (IdText, Option<u32>) {
    let ours = webhook_id.strip_prefix("msg_").and_then(|rest| rest.rsplit_once('_'));
    if let Some((id, delivery)) = ours
        && let (IdText::Uuid(uuid), Ok(delivery)) = (IdText::parse(id), delivery.parse())
    {
        return (IdText::Uuid(uuid), Some(delivery));
    }
    (IdText::parse(webhook_id), None)
}

impl HttpSimulator for WebhookSimulator {
    const MAX_BODY: usize = 1024 * 1024;
    type Connection = ();

    async fn handle(&self, (): &(), head: Parts, body: Bytes) -> Reply {
        let path = head.uri.path().to_owned();
        let id = text(&head.headers, "webhook-id").unwrap_or_default();
        let (notification, delivery) = our_ids(id);
        let arrival = Arrival {
            provider: Provider::Webhook,
            notification,
            delivery,
            attempt: text(&head.headers, "bongsu-attempt").and_then(|n| n.parse().ok()),
            address_hash: sha256(path.as_bytes()),
            body_sha256: sha256(&body),
        };
        let fault = self.world.rules.fate(Provider::Webhook, &path).wait().await;
        settle(&self.world, &WebhookDialect, arrival, fault, || {
            self.check(&head, &body)?;
            Ok(Taken {
                answer: answer(200, "application/json", r#"{"ok":true}"#),
                provider_id: ProviderId::Text(id.chars().take(128).collect::<String>().into()),
                delivered: true,
                address: path.clone(),
                raw: body.clone(),
            })
        })
    }
}
