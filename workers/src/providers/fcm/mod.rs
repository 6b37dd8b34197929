//! Android push through Firebase Cloud Messaging, HTTP v1
//! (<https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages>).
//!
//! FCM knows no idempotency: a 503 can follow a delivery. So every message carries a collapse key
//! and a tag that stay the same on a repeat, and our ids in its data for the app.

mod error_map;
mod payload;
mod settings;
#[cfg(test)]
mod tests;
mod token;

pub use settings::Settings;

use super::http::{self, ProviderError};
use super::{Call, Message, Provider};
use bytes::Bytes;
use commands::ports::Clock;
use domain::values::{Channel, Misconfigured, Outcome};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use token::{TokenError, TokenSource};

/// Calls at once on one HTTP/2 connection: the number of streams every server should allow (RFC 9113
/// section 6.5.2) and few allow more of. Calls beyond it would wait unsent, and time out as if sent.
const STREAMS: usize = 100;

/// With calls under way a silent HTTP/2 connection is asked after this long, and given up after as
/// long again; otherwise every later call would wait out its time on a dead connection.
const PING: Duration = Duration::from_secs(10);

/// See the module.
pub struct Fcm {
    /// Each with its own connections; over HTTP/2 it keeps one.
    clients: Vec<reqwest::Client>,
    next: AtomicUsize,
    url: reqwest::Url,
    tokens: TokenSource,
    clock: Arc<dyn Clock>,
    concurrency: usize,
}

/// What one request came to.
enum Answer {
    Outcome(Outcome),
    /// Refused for our access token, not for the message.
    TokenRefused(Outcome),
}

impl Fcm {
    /// From settings.
    ///
    /// # Errors
    /// The service account or the URL is not of the right form.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        let account = token::Account::parse(settings.service_account.reveal()).map_err(|reason| ProviderError::settings("fcm", reason))?;
        let url = format!("{}/v1/projects/{}/messages:send", settings.base_url.trim_end_matches('/'), account.project);
        let url = url.parse().map_err(|error| ProviderError::settings("fcm", format!("base_url is not a URL: {error}")))?;
        let authorities = settings.ca_pem.as_deref().map(|pem| reqwest::Certificate::from_pem_bundle(pem.as_bytes()).unwrap_or_default());
        if authorities.as_ref().is_some_and(Vec::is_empty) {
            return Err(ProviderError::settings("fcm", "ca_pem holds no certificates that can be read; give them as PEM"));
        }
        let client = || {
            let builder = http::client(settings.timeout, settings.concurrency).tls_certs_merge(authorities.clone().unwrap_or_default());
            let builder = if settings.http2 { builder.http2_keep_alive_interval(PING).http2_keep_alive_timeout(PING) } else { builder.http1_only() };
            builder.build().map_err(|error| ProviderError::settings("fcm", error))
        };
        let clients = (0..clients_needed(settings)).map(|_| client()).collect::<Result<Vec<_>, _>>()?;
        let tokens = TokenSource::new(account, client()?, Arc::clone(&clock)).map_err(|reason| ProviderError::settings("fcm", reason))?;
        Ok(Self { clients, next: AtomicUsize::new(0), url, tokens, clock, concurrency: settings.concurrency })
    }

    /// The clients in turn.
    fn client(&self) -> &reqwest::Client {
        &self.clients[self.next.fetch_add(1, Ordering::Relaxed) % self.clients.len()]
    }

    async fn call(&self, message: &Message) -> Outcome {
        let body = match payload::encode(message, self.clock.now()) {
            Ok(body) => Bytes::from(body),
            Err(code) => return Outcome::Permanent { code: code.to_owned() },
        };
        match self.with_token(body).await {
            Ok(outcome) => outcome,
            Err(TokenError::Refused(code)) => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
            // The message itself was not taken, whatever became of the token's request.
            Err(TokenError::Unreachable) => Outcome::Retry { after: None, code: "no access token".to_owned() },
        }
    }

    /// Sends; once more with another token where the first did not please.
    async fn with_token(&self, body: Bytes) -> Result<Outcome, TokenError> {
        let first = self.tokens.token(None).await?;
        match self.request(body.clone(), first.clone()).await {
            Answer::Outcome(outcome) => return Ok(outcome),
            Answer::TokenRefused(_) => {}
        }
        let second = self.tokens.token(Some(&first)).await?;
        match self.request(body, second).await {
            Answer::Outcome(outcome) | Answer::TokenRefused(outcome) => Ok(outcome),
        }
    }

    async fn request(&self, body: Bytes, token: HeaderValue) -> Answer {
        let request =
            self.client().post(self.url.clone()).header(AUTHORIZATION, token).header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Answer::Outcome(http::no_answer(&error)),
        };
        let status = response.status();
        let retry_after = http::retry_after(response.headers(), self.clock.now());
        let body = match http::body(response).await {
            Ok(body) => body,
            Err(error) if status.is_success() => return Answer::Outcome(http::no_answer(&error)),
            // Refused in any case; why is not known.
            Err(_) => return Answer::Outcome(Outcome::Retry { after: retry_after, code: format!("{} cut short", status.as_u16()) }),
        };
        let outcome = error_map::outcome(status.as_u16(), retry_after, &body);
        if error_map::is_about_token(status.as_u16(), &body) { Answer::TokenRefused(outcome) } else { Answer::Outcome(outcome) }
    }
}

/// At least one.
fn clients_needed(settings: &Settings) -> usize {
    if settings.http2 { settings.concurrency.div_ceil(STREAMS).max(1) } else { 1 }
}

impl Provider for Fcm {
    fn name(&self) -> &str {
        "fcm"
    }

    fn channel(&self) -> Channel {
        Channel::AndroidPush
    }

    fn concurrency(&self) -> usize {
        self.concurrency
    }

    fn send<'a>(&'a self, message: &'a Message) -> Call<'a> {
        Box::pin(self.call(message))
    }

    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(async move {
            match self.tokens.token(None).await {
                Ok(_) => Ok(()),
                Err(TokenError::Refused(code)) => Err(format!("the token endpoint refuses the service account ({code}); check the key file")),
                Err(TokenError::Unreachable) => Err("the token endpoint cannot be reached".to_owned()),
            }
        })
    }
}
