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
use token::{TokenError, TokenSource};

/// See the module.
pub struct Fcm {
    client: reqwest::Client,
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
        let mut builder = http::client(settings.timeout, settings.concurrency);
        if !settings.http2 {
            builder = builder.http1_only();
        }
        let client = builder.build().map_err(|error| ProviderError::settings("fcm", error))?;
        let tokens = TokenSource::new(account, client.clone(), Arc::clone(&clock)).map_err(|reason| ProviderError::settings("fcm", reason))?;
        Ok(Self { client, url, tokens, clock, concurrency: settings.concurrency })
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
            self.client.post(self.url.clone()).header(AUTHORIZATION, token).header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body);
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
