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
use commands::ports::Clock;
use domain::values::{Channel, Misconfigured, Outcome};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use token::{TokenError, TokenSource};

/// Largest message, in bytes of JSON.
const LARGEST: usize = 4_096;

/// See the module.
pub struct Fcm {
    client: reqwest::Client,
    url: reqwest::Url,
    tokens: TokenSource,
    clock: Arc<dyn Clock>,
    concurrency: usize,
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
            Ok(body) if body.len() <= LARGEST => body,
            Ok(_) => return Outcome::Permanent { code: "message over 4096 bytes".to_owned() },
            Err(code) => return Outcome::Permanent { code: code.to_owned() },
        };
        let body = bytes::Bytes::from(body);
        for fresh in [false, true] {
            let token = match self.tokens.token(fresh).await {
                Ok(token) => token,
                Err(TokenError::Refused(code)) => return Outcome::Misconfigured { scope: Misconfigured::Credential, code },
                // The message itself was not sent, whatever became of the token's request.
                Err(TokenError::Unreachable) => return Outcome::Retry { after: None, code: "no access token".to_owned() },
            };
            let request = self
                .client
                .post(self.url.clone())
                .header(reqwest::header::AUTHORIZATION, token)
                .header(reqwest::header::CONTENT_TYPE, reqwest::header::HeaderValue::from_static("application/json"))
                .body(body.clone());
            let response = match request.send().await {
                Ok(response) => response,
                Err(error) => return http::no_answer(&error),
            };
            let status = response.status().as_u16();
            if status == 401 && !fresh {
                continue;
            }
            let retry_after = http::retry_after(response.headers(), self.clock.now());
            return match http::body(response).await {
                Ok(body) => error_map::outcome(status, retry_after, &body),
                Err(error) => http::no_answer(&error),
            };
        }
        Outcome::Misconfigured { scope: Misconfigured::Credential, code: "401 UNAUTHENTICATED".to_owned() }
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
            match self.tokens.token(true).await {
                Ok(_) => Ok(()),
                Err(TokenError::Refused(code)) => Err(format!("the token endpoint refuses the service account ({code}); check the key file")),
                Err(TokenError::Unreachable) => Err("the token endpoint cannot be reached".to_owned()),
            }
        })
    }
}
