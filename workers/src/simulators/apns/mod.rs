//! APNs (providers.md section 1): `POST /3/device/<token>` over HTTP/2, with TLS or without.
//!
//! Guarantee: provider tokens are verified as Apple does, once per connection and token; a connection allows one
//! stream until a valid token was seen and 1,000 afterwards. Not imitated: certificate authentication, broadcast
//! channels, and the sandbox host (this is one environment).

mod auth;
mod frames;
mod validate;

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

use super::World;
use super::credentials::TestCredentials;
use super::fault::{Answer, Dialect, Refusal, Reply, Taken, answer, refuse, settle};
use super::http::{HttpSimulator, Versions, serve};
use super::ledger::{Arrival, IdText, Provider, ProviderId, sha256};

use auth::{ProviderTokens, Session};
use frames::{FrameControl, FrameTap};

/// One APNs environment with one team, key and application.
pub(crate) struct ApnsSimulator {
    world: Arc<World>,
    tokens: ProviderTokens,
    topic: String,
}

/// What APNs remembers per connection.
pub(crate) struct ApnsConnection {
    control: FrameControl,
    session: Session,
}

struct ApnsDialect {
    id: Uuid,
    now_ms: i64,
}

impl Dialect for ApnsDialect {
    const THROTTLED: (u16, &'static str) = (429, "TooManyRequests");
    const DOWN: (u16, &'static str) = (503, "ServiceUnavailable");

    fn error(&self, status: u16, reason: &str) -> Answer {
        let mut body = json!({ "reason": reason });
        if status == 410 {
            body["timestamp"] = self.now_ms.into();
        }
        with_id(answer(status, "application/json", body.to_string()), self.id)
    }
}

fn with_id(mut answer: Answer, id: Uuid) -> Answer {
    if let Ok(value) = HeaderValue::from_str(&id.hyphenated().to_string()) {
        answer.headers_mut().insert(HeaderName::from_static("apns-id"), value);
    }
    answer
}

impl ApnsSimulator {
    /// `public_key` is the uncompressed P-256 point of the signing key.
    pub(crate) fn new(world: Arc<World>, public_key: Vec<u8>, credentials: &TestCredentials) -> Self {
        let tokens = ProviderTokens { public_key, key_id: credentials.apns_key_id.clone(), team_id: credentials.apns_team_id.clone() };
        Self { world, tokens, topic: credentials.apns_topic.clone() }
    }

    /// Serves a connection after the TLS handshake.
    pub(crate) async fn secure(self: Arc<Self>, acceptor: TlsAcceptor, socket: TcpStream) {
        // A client that does not trust the test authority ends here; that is its error to report.
        if let Ok(stream) = acceptor.accept(socket).await {
            self.frames(stream).await;
        }
    }

    /// Serves a connection without TLS.
    pub(crate) fn cleartext(self: Arc<Self>, socket: TcpStream) -> impl Future<Output = ()> + Send + 'static {
        self.frames(socket)
    }

    fn frames<I>(self: Arc<Self>, io: I) -> impl Future<Output = ()> + Send + 'static
    where
        I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let control = FrameControl::default();
        let connection = ApnsConnection { control: control.clone(), session: Session::default() };
        serve(self, connection, FrameTap::new(io, control), Versions::Http2)
    }

    fn refusal(dialect: &ApnsDialect, (status, reason): (u16, &'static str)) -> Refusal {
        Refusal::new(dialect.error(status, reason), reason)
    }
}

impl HttpSimulator for ApnsSimulator {
    const MAX_BODY: usize = 1024 * 1024;
    type Connection = ApnsConnection;

    async fn handle(&self, connection: &ApnsConnection, head: Parts, body: Bytes) -> Reply {
        let now = self.world.clock.now_micros();
        let given = head.headers.get("apns-id").and_then(|id| id.to_str().ok());
        let id = given.map_or_else(|| Some(Uuid::now_v7()), |id| Uuid::try_parse(id).ok());
        let dialect = ApnsDialect { id: id.unwrap_or_default(), now_ms: now.div_euclid(1_000) };
        let device = head.uri.path().strip_prefix("/3/device/").map(str::to_owned);
        let payload = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        let arrival = arrival(&payload, device.as_deref().unwrap_or_default(), &body);
        let reject = |arrival, error| refuse(&self.world, arrival, Self::refusal(&dialect, error));
        let Some(device) = device else {
            return reject(arrival, (404, "BadPath"));
        };
        if head.method != Method::POST {
            return reject(arrival, (405, "MethodNotAllowed"));
        }
        let now_s = now.div_euclid(1_000_000);
        if let Err(error) = self.tokens.check(&connection.session, &head.headers, now_s) {
            return reject(arrival, error);
        }
        connection.control.raise_streams();
        let fault = self.world.rules.fate(Provider::Apns, &device).wait().await;
        settle(&self.world, &dialect, arrival, fault, || {
            if id.is_none() {
                return Err(Self::refusal(&dialect, (400, "BadMessageId")));
            }
            validate::check(&head.headers, &device, &self.topic, &body, payload.is_object()).map_err(|error| Self::refusal(&dialect, error))?;
            Ok(Taken {
                answer: with_id(answer(200, "text/plain", ""), dialect.id),
                provider_id: ProviderId::ApnsId(dialect.id),
                delivered: true,
                address: device.clone(),
                raw: body.clone(),
            })
        })
    }

    fn goaway(connection: &ApnsConnection, reason: &str) -> bool {
        connection.control.goaway(reason);
        true
    }
}

fn arrival(payload: &Value, device: &str, body: &[u8]) -> Arrival {
    // Numbers are natural in an APNs payload; strings are accepted as in FCM.
    let number = |key: &str| match &payload[key] {
        Value::Number(number) => number.as_u64().and_then(|n| n.try_into().ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    Arrival {
        provider: Provider::Apns,
        notification: payload["nid"].as_str().map(IdText::parse).unwrap_or_default(),
        delivery: number("delivery"),
        attempt: number("attempt"),
        address_hash: sha256(device.as_bytes()),
        body_sha256: sha256(body),
    }
}
