//! iOS push through APNs with provider tokens
//! (<https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns>).
//!
//! APNs knows no idempotency. So every message carries a collapse id that stays the same on a
//! repeat, which replaces the first on the device, and our ids in its payload for the app.
//! Rejected: the ready-made APNs crates, which know Apple's two hosts and no others.

mod error_map;
mod payload;
mod settings;
#[cfg(test)]
mod tests;
mod token;
mod warm_up;

pub use settings::Settings;

use super::http::{self, ProviderError};
use super::{Call, Message, Provider};
use bytes::Bytes;
use commands::ports::Clock;
use domain::values::{BadAddress, Channel, Misconfigured, Outcome};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use token::{CannotSign, Token, TokenSource};
use warm_up::WarmUp;

/// Largest message, in bytes of JSON.
const LARGEST: usize = 4_096;

/// How long an unused connection is kept. Apple wants them kept, but the one that has seen too many
/// tokens is of no use any more, so the pause of twenty minutes that follows has to outlast it.
const IDLE: Duration = Duration::from_secs(15 * 60);

/// With calls under way a silent connection is asked after this long, and given up after as long
/// again; otherwise every later call would wait out its time on a dead connection.
const PING: Duration = Duration::from_secs(10);

const ID: HeaderName = HeaderName::from_static("apns-id");

/// See the module.
pub struct Apns {
    client: reqwest::Client,
    /// Up to where the device token stands.
    devices: String,
    topic: HeaderValue,
    tokens: TokenSource,
    warm_up: WarmUp,
    clock: Arc<dyn Clock>,
    concurrency: usize,
    timeout: Duration,
}

/// What one request came to.
enum Answer {
    Outcome(Outcome),
    /// Refused for the provider token's age or for changing it too often, not for the message.
    Token {
        outcome: Outcome,
        expired: bool,
    },
}

impl Apns {
    /// From settings.
    ///
    /// # Errors
    /// The key, an id, the topic, the authority or the URL is not of the right form.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        let wrong = |reason: String| ProviderError::settings("apns", reason);
        let tokens = TokenSource::new(settings.key_pem.reveal(), &settings.key_id, &settings.team_id, Arc::clone(&clock)).map_err(wrong)?;
        let devices = format!("{}/3/device/", settings.base_url.trim_end_matches('/'));
        let url: reqwest::Url = devices.parse().map_err(|error| wrong(format!("base_url is not a URL: {error}")))?;
        if url.scheme() != "https" && !settings.http2_prior_knowledge {
            return Err(wrong("base_url is without TLS; use https, or set http2_prior_knowledge for a stand-in of Apple".to_owned()));
        }
        let topic = HeaderValue::try_from(&settings.topic).ok().filter(|topic| !topic.is_empty());
        let topic = topic.ok_or_else(|| wrong("topic is not an app's bundle id".to_owned()))?;
        // APNs speaks nothing but HTTP/2, over TLS as well.
        let mut builder = http::client(settings.timeout, settings.concurrency)
            .http2_prior_knowledge()
            .pool_idle_timeout(IDLE)
            .http2_keep_alive_interval(PING)
            .http2_keep_alive_timeout(PING);
        if let Some(pem) = &settings.ca_pem {
            let authorities = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).ok().filter(|all| !all.is_empty());
            builder = builder.tls_certs_only(authorities.ok_or_else(|| wrong("ca_pem is not a certificate".to_owned()))?);
        }
        let client = builder.build().map_err(|error| wrong(error.to_string()))?;
        let (concurrency, timeout) = (settings.concurrency, settings.timeout);
        Ok(Self { client, devices, topic, tokens, warm_up: WarmUp::new(Arc::clone(&clock), IDLE), clock, concurrency, timeout })
    }

    async fn call(&self, message: &Message) -> Outcome {
        let device = message.address.value.as_str();
        // Before it becomes part of a path.
        if device.is_empty() || !device.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Outcome::BadAddress { kind: BadAddress::Unsupported, as_of: None, code: "token is not hexadecimal".to_owned() };
        }
        let body = match payload::encode(message) {
            Ok(body) if body.len() <= LARGEST => Bytes::from(body),
            Ok(_) => return Outcome::Permanent { code: "message over 4096 bytes".to_owned() },
            Err(code) => return Outcome::Permanent { code: code.to_owned() },
        };
        let Ok(_turn) = self.warm_up.turn(self.timeout).await else {
            return Outcome::NotMade { code: "no connection warmed up in time".to_owned() };
        };
        let outcome = match self.tokens.token() {
            Ok(token) => self.with_token(message, &body, &token).await,
            Err(error) => Err(error),
        };
        outcome.unwrap_or_else(|CannotSign| Outcome::Misconfigured { scope: Misconfigured::Credential, code: "the key does not sign".to_owned() })
    }

    /// Sends; once more where it was the token that did not please and there is a better one.
    async fn with_token(&self, message: &Message, body: &Bytes, first: &Token) -> Result<Outcome, CannotSign> {
        let (refusal, expired) = match self.request(message, body, &first.header).await {
            Answer::Outcome(outcome) => return Ok(outcome),
            Answer::Token { outcome, expired } => (outcome, expired),
        };
        let better = if expired {
            self.tokens.renewed(first)?
        } else {
            // Renewed while this call was on its way: the old one looked like another change.
            Some(self.tokens.token()?).filter(|token| token.header != first.header)
        };
        let Some(second) = better else { return Ok(refusal) };
        Ok(match self.request(message, body, &second.header).await {
            Answer::Outcome(outcome) | Answer::Token { outcome, .. } => outcome,
        })
    }

    fn post(&self, message: &Message, body: &Bytes, token: &HeaderValue) -> reqwest::RequestBuilder {
        let request = self
            .client
            .post(format!("{}{}", self.devices, message.address.value))
            .header(AUTHORIZATION, token)
            .header(ID, payload::apns_id(message).to_string())
            .header("apns-topic", &self.topic)
            .header("apns-push-type", "alert")
            .header("apns-priority", payload::priority(message.priority))
            .header("apns-collapse-id", payload::collapse_id(message).as_ref());
        let request = match payload::expiration(message) {
            Some(at) => request.header("apns-expiration", at),
            None => request,
        };
        request.body(body.clone())
    }

    async fn request(&self, message: &Message, body: &Bytes, token: &HeaderValue) -> Answer {
        let response = match self.post(message, body, token).send().await {
            Ok(response) => response,
            Err(error) => return Answer::Outcome(self.no_answer(&error)),
        };
        let status = response.status().as_u16();
        // These come only after the token was found valid.
        if matches!(status, 200 | 400 | 410) {
            self.warm_up.passed();
        }
        if response.status().is_success() {
            let id = response.headers().get(ID).and_then(|id| id.to_str().ok()).and_then(|id| uuid::Uuid::try_parse(id).ok());
            let inside = http::body(response).await.ok().and_then(|body| error_map::reason(&body));
            return Answer::Outcome(match id {
                // Yes and no at once: what came of it nobody knows.
                Some(_) if inside.is_some() => Outcome::Unknown { code: format!("{status} with a refusal inside") },
                Some(id) => Outcome::Accepted { provider_id: Some(id.to_string()) },
                // Something answered «fine» that is not APNs: it may have been passed on or not.
                None => Outcome::Unknown { code: format!("{status} without apns-id") },
            });
        }
        let retry_after = http::retry_after(response.headers(), self.clock.now());
        let Ok(body) = http::body(response).await else {
            // Refused in any case; why is not known.
            self.warm_up.lost();
            return Answer::Outcome(Outcome::Retry { after: retry_after, code: format!("{status} cut short") });
        };
        let reason = error_map::reason(&body);
        let expired = match reason.as_ref().map(|reason| reason.name.as_str()) {
            Some("ExpiredProviderToken") => Some(true),
            Some("TooManyProviderTokenUpdates") => Some(false),
            _ => None,
        };
        let outcome = error_map::refused(status, reason, retry_after);
        match expired {
            Some(expired) => Answer::Token { outcome, expired },
            None => Answer::Outcome(outcome),
        }
    }

    /// Streams that APNs did not process (GOAWAY, REFUSED_STREAM) are sent again by the client
    /// itself; what arrives here may have been delivered, except where no connection came about.
    fn no_answer(&self, error: &reqwest::Error) -> Outcome {
        if error.is_connect() || !error.is_timeout() {
            self.warm_up.lost();
        }
        http::no_answer(error)
    }

    /// Signs a token and opens a connection. APNs checks a token only against a message, so a
    /// wrong key id or team shows with the first one; a GET is answered 405 and delivers nothing.
    async fn reach(&self) -> Result<(), String> {
        let token = self.tokens.token().map_err(|CannotSign| "the key does not sign; check the .p8 file".to_owned())?;
        let answer = self.client.get(&self.devices).header(AUTHORIZATION, &token.header).send().await;
        let answer = answer.map_err(|_| "APNs cannot be reached over HTTP/2; check base_url, ca_pem and the firewall".to_owned())?;
        match answer.status().as_u16() {
            status @ (401 | 403) => Err(format!("APNs refuses the provider token ({status}); check the key, key_id and team_id")),
            status @ 500.. => Err(format!("APNs is not working ({status}); try again later")),
            _ => Ok(()),
        }
    }
}

impl Provider for Apns {
    fn name(&self) -> &str {
        "apns"
    }

    fn channel(&self) -> Channel {
        Channel::IosPush
    }

    fn concurrency(&self) -> usize {
        self.concurrency
    }

    fn send<'a>(&'a self, message: &'a Message) -> Call<'a> {
        Box::pin(self.call(message))
    }

    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(self.reach())
    }
}
