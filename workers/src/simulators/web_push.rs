//! A push service, and the browsers behind it (providers.md section 3): `POST /push/<anything>`.
//!
//! Guarantee: the claim's signature, audience and life are checked as RFC 8292 asks, and what cannot
//! be decrypted is refused, where a real service would take it and the browser would drop it in
//! silence. All browsers have the same keys, which `GET /_sim/credentials` shows. The derivation of
//! keys is the server's own, which the vector of RFC 8291 checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED;
use base64::Engine;
use bytes::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, HOST, HeaderValue, LOCATION};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};
use serde::Deserialize;
use serde_json::Value;

use super::World;
use super::config::SimulatorError;
use super::credentials::{Browser, broken};
use super::fault::{Answer, Dialect, Refusal, Reply, Taken, answer, settle};
use super::http::HttpSimulator;
use super::ledger::{Arrival, IdText, Provider, ProviderId, sha256};
use super::signed_token;
use crate::providers::web_push::{AUTH, BASE64, HEADER, POINT, SALT, derive, public};

/// Largest body that a push service has to accept, and the largest this one does.
const LARGEST: usize = 4_096;
/// Longest life of a claim.
const MAX_LIFE_SECONDS: i64 = 24 * 3_600;

/// See the module.
pub(crate) struct WebPushSimulator {
    world: Arc<World>,
    browser: PrivateKey,
    point: [u8; POINT],
    auth: [u8; AUTH],
    /// Under which every browser subscribed: base64url.
    server_key: String,
    numbers: AtomicU64,
}

struct WebPushDialect;

impl Dialect for WebPushDialect {
    const THROTTLED: (u16, &'static str) = (429, "too many requests");
    const DOWN: (u16, &'static str) = (503, "unavailable");

    fn error(&self, status: u16, reason: &str) -> Answer {
        answer(status, "application/json", serde_json::json!({ "message": reason }).to_string())
    }
}

fn refusal(status: u16, reason: &'static str) -> Refusal {
    Refusal::new(WebPushDialect.error(status, reason), reason)
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    exp: i64,
    #[serde(default)]
    sub: String,
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

impl WebPushSimulator {
    pub(crate) fn new(world: Arc<World>, browser: &Browser, server_key: &str) -> Result<Self, SimulatorError> {
        let key = PrivateKey::from_private_key(&ECDH_P256, &browser.private).map_err(broken)?;
        let point = public(&key).map_err(broken)?;
        Ok(Self { world, browser: key, point, auth: browser.auth, server_key: server_key.to_owned(), numbers: AtomicU64::new(0) })
    }

    /// What the browser reads.
    fn decrypt(&self, body: &[u8]) -> Option<Vec<u8>> {
        let header: &[u8; HEADER] = body.get(..HEADER)?.try_into().ok()?;
        let (salt, sender) = (&header[..SALT], <&[u8; POINT]>::try_from(&header[SALT + 5..]).ok()?);
        if usize::from(header[SALT + 4]) != POINT {
            return None;
        }
        let (key, nonce) = derive(&self.browser, sender, &self.point, sender, &self.auth, salt).ok()?;
        let mut sealed = body[HEADER..].to_vec();
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?);
        let opened = key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed).ok()?;
        // The delimiter of the last record, and padding after it.
        let end = opened.iter().rposition(|byte| *byte != 0).filter(|end| opened[*end] == 2)?;
        Some(opened[..end].to_vec())
    }

    /// Who sends: the claim for this origin, signed with the key that the browsers subscribed under.
    fn authorized(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let header = text(headers, AUTHORIZATION.as_str()).ok_or_else(|| refusal(401, "no authorization"))?;
        let parameters = header.strip_prefix("vapid ").ok_or_else(|| refusal(401, "not vapid"))?;
        let find = |name: &str| parameters.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        let (Some(token), Some(key)) = (find("t"), find("k")) else { return Err(refusal(401, "no token or key")) };
        if key != self.server_key {
            return Err(refusal(403, "another key than the subscription's"));
        }
        let point = BASE64.decode(key).map_err(|_| refusal(403, "malformed key"))?;
        let (_, claims): (_, Claims) = signed_token::verify(token, "ES256", &ECDSA_P256_SHA256_FIXED, &point).map_err(|_| refusal(403, "bad signature"))?;
        let now = self.world.clock.now_seconds();
        if claims.exp <= now || claims.exp > now + MAX_LIFE_SECONDS {
            return Err(refusal(403, "expired, or good for too long"));
        }
        if claims.aud != format!("http://{}", text(headers, HOST.as_str()).unwrap_or_default()) {
            return Err(refusal(403, "another audience"));
        }
        if claims.sub.is_empty() { Err(refusal(403, "no subject")) } else { Ok(()) }
    }

    fn check(&self, head: &Parts, body: &[u8]) -> Result<(), Refusal> {
        if head.method != Method::POST || !head.uri.path().starts_with("/push/") {
            return Err(refusal(404, "not found"));
        }
        self.authorized(&head.headers)?;
        if text(&head.headers, "ttl").is_none_or(|ttl| ttl.parse::<u32>().is_err()) {
            return Err(refusal(400, "no TTL"));
        }
        if text(&head.headers, "urgency").is_some_and(|urgency| !["very-low", "low", "normal", "high"].contains(&urgency)) {
            return Err(refusal(400, "bad urgency"));
        }
        let letters = |topic: &str| topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if text(&head.headers, "topic").is_some_and(|topic| topic.is_empty() || topic.len() > 32 || !letters(topic)) {
            return Err(refusal(400, "bad topic"));
        }
        if text(&head.headers, CONTENT_ENCODING.as_str()) != Some("aes128gcm") {
            return Err(refusal(415, "bad encoding"));
        }
        if body.len() > LARGEST { Err(refusal(413, "too large")) } else { Ok(()) }
    }
}

impl HttpSimulator for WebPushSimulator {
    const MAX_BODY: usize = 64 * 1024;
    type Connection = ();

    async fn handle(&self, (): &(), head: Parts, body: Bytes) -> Reply {
        let path = head.uri.path().to_owned();
        let read = self.decrypt(&body);
        let json = read.as_deref().and_then(|read| serde_json::from_slice::<Value>(read).ok()).unwrap_or_default();
        let number = |name: &str| json[name].as_u64().and_then(|number| number.try_into().ok());
        let arrival = Arrival {
            provider: Provider::WebPush,
            notification: json["nid"].as_str().map(IdText::parse).unwrap_or_default(),
            delivery: number("delivery"),
            attempt: number("attempt"),
            address_hash: sha256(path.as_bytes()),
            body_sha256: sha256(&body),
        };
        let fault = self.world.rules.fate(Provider::WebPush, &path).wait().await;
        settle(&self.world, &WebPushDialect, arrival, fault, || {
            self.check(&head, &body)?;
            let read = read.ok_or_else(|| refusal(400, "cannot be decrypted"))?;
            let number = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
            let id = format!("m{number}");
            let mut created = answer(201, "text/plain", "");
            let location = format!("http://{}/message/{id}", text(&head.headers, HOST.as_str()).unwrap_or_default());
            if let Ok(location) = HeaderValue::try_from(location) {
                created.headers_mut().insert(LOCATION, location);
            }
            Ok(Taken { answer: created, provider_id: ProviderId::Text(id.into()), delivered: true, address: path.clone(), raw: read.into() })
        })
    }
}
