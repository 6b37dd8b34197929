//! Push to browsers (Web Push: RFC 8030, RFC 8291, RFC 8292).
//!
//! Guarantees: a call goes only where webhooks may, checked on the very address that is connected
//! to; only the browser can read what is sent; a repeat replaces an undelivered first at the push
//! service (`Topic`), and a shown one in the browser (`tag`). Rejected: handing subscriptions to FCM,
//! which serves one vendor's browsers and none of the others'.

mod encryption;
mod error_map;
mod payload;
mod settings;
mod subscription;
#[cfg(test)]
mod tests;
mod vapid;

pub(crate) use encryption::{HEADER, SALT, derive, public};
pub use settings::Settings;
pub(crate) use subscription::{AUTH, BASE64, POINT};
pub use subscription::{Keys, KeysRefused};
pub use vapid::{VapidKeys, is_subject};

use super::http::{self, ProviderError};
use super::webhook::{GuardedResolver, UrlRefused, WebhookPolicy, check_url, is_blocked};
use super::{Call, Message, Provider};
use commands::ports::Clock;
use domain::values::{BadAddress, Channel, Misconfigured, Outcome};
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, LOCATION};
use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use vapid::{CannotSign, Vapid};

/// Origins remembered as taking our key.
const MOST_ORIGINS: usize = 1_000;

/// Idle connections to one push service: a handful of services has nearly all browsers.
const IDLE: usize = 16;

/// See the module.
pub struct WebPush {
    client: reqwest::Client,
    vapid: Vapid,
    policy: Arc<WebhookPolicy>,
    /// Those that took our key.
    known: Mutex<HashSet<String>>,
    clock: Arc<dyn Clock>,
    concurrency: usize,
}

impl WebPush {
    /// From settings.
    ///
    /// # Errors
    /// The key, the subject or the certificates are not of the right form.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        let wrong = |reason: String| ProviderError::settings("web_push", reason);
        let vapid = Vapid::new(settings.private_key.reveal(), &settings.subject, Arc::clone(&clock)).map_err(wrong)?;
        let policy = Arc::new(settings.policy.clone());
        let mut builder = http::client(settings.timeout, IDLE).dns_resolver(Arc::new(GuardedResolver::new(Arc::clone(&policy))));
        if let Some(pem) = &settings.ca_pem {
            let certificates = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).unwrap_or_default();
            if certificates.is_empty() {
                return Err(wrong("ca_pem holds no certificates that can be read; give them as PEM".to_owned()));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        let client = builder.build().map_err(|error| wrong(error.to_string()))?;
        Ok(Self { client, vapid, policy, known: Mutex::default(), clock, concurrency: settings.concurrency })
    }

    async fn call(&self, message: &Message) -> Outcome {
        // Addresses written out never reach the resolver: they are checked here, at every attempt.
        let url = match check_url(&message.address.value, &self.policy) {
            Ok(url) => url,
            Err(refused) => return Outcome::Permanent { code: refused.code().to_owned() },
        };
        let Some(keys) = message.address.secret.as_deref().and_then(Keys::of_secret) else {
            return Outcome::BadAddress { kind: BadAddress::Unsupported, as_of: None, code: "no keys of a browser".to_owned() };
        };
        let body = match payload::encode(message) {
            Ok(plaintext) if plaintext.len() > encryption::LONGEST => {
                return Outcome::Permanent { code: format!("message over {} bytes", encryption::LONGEST) };
            }
            Ok(plaintext) => encryption::encrypt(&keys, &plaintext),
            Err(code) => return Outcome::Permanent { code: code.to_owned() },
        };
        let Ok(body) = body else { return Outcome::Permanent { code: "message cannot be encrypted".to_owned() } };
        let origin = url.origin().ascii_serialization();
        let first = self.request(message, &url, &origin, &body).await;
        // A claim outlives neither a machine's sleep nor a clock that was set: a new one decides.
        if !matches!(first, Outcome::Misconfigured { .. }) {
            return first;
        }
        self.vapid.forget(&origin);
        self.request(message, &url, &origin, &body).await
    }

    async fn request(&self, message: &Message, url: &url::Url, origin: &str, body: &[u8]) -> Outcome {
        let authorization = match self.vapid.header(origin) {
            Ok(header) => header,
            Err(CannotSign) => return Outcome::Misconfigured { scope: Misconfigured::Credential, code: "the key does not sign".to_owned() },
        };
        let request = self
            .client
            .post(url.clone())
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_ENCODING, HeaderValue::from_static("aes128gcm"))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
            .header("ttl", payload::ttl(message.expires_at, self.clock.now()))
            .header("urgency", payload::urgency(message.priority))
            .header("topic", payload::topic(message))
            .body(body.to_vec());
        let answer = match http::exchange(request, self.clock.as_ref()).await {
            Ok(answer) => answer,
            Err(error) if is_blocked(&error) => return Outcome::Permanent { code: UrlRefused::Blocked.code().to_owned() },
            Err(error) => return http::no_answer(&error),
        };
        // The last part names the message; what stands before it may name the subscription.
        let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok()).and_then(|text| text.rsplit('/').next());
        let location = location.filter(|name| (1..=128).contains(&name.len())).map(str::to_owned);
        let outcome = error_map::outcome(answer.status, answer.retry_after, location, self.is_known(origin));
        if matches!(outcome, Outcome::Accepted { .. }) {
            self.remember(origin);
        }
        outcome
    }

    fn is_known(&self, origin: &str) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(origin)
    }

    fn remember(&self, origin: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(origin) && known.len() < MOST_ORIGINS {
            known.insert(origin.to_owned());
        }
    }
}

impl Provider for WebPush {
    fn name(&self) -> &str {
        "web_push"
    }

    fn channel(&self) -> Channel {
        Channel::WebPush
    }

    fn concurrency(&self) -> usize {
        self.concurrency
    }

    fn send<'a>(&'a self, message: &'a Message) -> Call<'a> {
        Box::pin(self.call(message))
    }

    /// Nothing to ask: every browser has a push service of its own, and a call to one is a message.
    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
