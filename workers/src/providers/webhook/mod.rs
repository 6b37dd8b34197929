//! Webhooks: signed calls to an endpoint the recipient named, after Standard Webhooks 1.0.0
//! (<https://www.standardwebhooks.com>).
//!
//! Guarantees: a call goes only where the [`WebhookPolicy`] allows, checked on the very address that is
//! connected to; redirects are not followed; every attempt of a delivery carries the same `webhook-id`
//! and the same body, so a receiver can tell a repeat. Rejected: a forwarding proxy as the only guard,
//! which a single-binary installation does not have.

mod destination;
mod error_map;
mod payload;
mod resolver;
mod settings;
mod signature;
#[cfg(test)]
mod tests;

pub use destination::{UrlRefused, WebhookPolicy, check_url, is_public};
pub(in crate::providers) use resolver::{GuardedResolver, is_blocked};
pub use settings::Settings;

use super::http::{self, ProviderError};
use super::{Call, Message, Provider};
use commands::ports::Clock;
use domain::values::{BadAddress, Channel, Outcome};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// See the module.
pub struct WebhookProvider {
    client: reqwest::Client,
    policy: Arc<WebhookPolicy>,
    clock: Arc<dyn Clock>,
    concurrency: usize,
}

impl WebhookProvider {
    /// From settings.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        let policy = Arc::new(settings.policy.clone());
        // Endpoints are many, and each is called rarely: one idle connection per host is enough.
        let mut builder = http::client(settings.timeout, 1).dns_resolver(Arc::new(GuardedResolver::new(Arc::clone(&policy))));
        if let Some(pem) = &settings.ca_pem {
            let certificates = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).unwrap_or_default();
            if certificates.is_empty() {
                return Err(ProviderError::settings("webhook", "ca_pem holds no certificates that can be read; give them as PEM"));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        let client = builder.build().map_err(|error| ProviderError::settings("webhook", error))?;
        Ok(Self { client, policy, clock, concurrency: settings.concurrency })
    }

    async fn call(&self, message: &Message) -> Outcome {
        // Addresses written out never reach the resolver: they are checked here, at every attempt.
        let url = match check_url(&message.address.value, &self.policy) {
            Ok(url) => url,
            Err(refused) => return Outcome::Permanent { code: refused.code().to_owned() },
        };
        let Some(key) = message.address.secret.as_deref().and_then(signature::key) else {
            return Outcome::BadAddress { kind: BadAddress::Unsupported, as_of: None, code: "no signing secret".to_owned() };
        };
        let body = match payload::encode(message) {
            Ok(body) => body,
            Err(code) => return Outcome::Permanent { code: code.to_owned() },
        };
        let id = payload::webhook_id(message);
        let timestamp = (self.clock.now() / 1_000).to_string();
        let signature = signature::sign(&key, &id, &timestamp, &body);
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .header("bongsu-attempt", message.attempt)
            .body(body);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) if is_blocked(&error) => return Outcome::Permanent { code: UrlRefused::Blocked.code().to_owned() },
            Err(error) => return http::no_answer(&error),
        };
        let status = response.status();
        let retry_after = http::retry_after(response.headers(), self.clock.now());
        match http::body(response).await {
            // A refusal is one, even if its text does not end.
            Err(error) if status.is_success() => http::no_answer(&error),
            _ => error_map::outcome(status.as_u16(), retry_after),
        }
    }
}

impl Provider for WebhookProvider {
    fn name(&self) -> &str {
        "webhook"
    }

    fn channel(&self) -> Channel {
        Channel::Webhook
    }

    fn concurrency(&self) -> usize {
        self.concurrency
    }

    fn send<'a>(&'a self, message: &'a Message) -> Call<'a> {
        Box::pin(self.call(message))
    }

    /// Nothing to check: every recipient names an endpoint of its own.
    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
