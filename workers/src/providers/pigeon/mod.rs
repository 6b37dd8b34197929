//! Messages by carrier pigeon, to a loft by its name (<https://pigeon.example/docs/send>).
//!
//! Pigeon knows no idempotency: a call without an answer, or with a 5xx, is `Unknown`; our ids travel
//! with it for comparing. Rejected: its batches, whose verdicts could not be told apart.

mod error_map;
mod settings;
#[cfg(test)]
mod tests;

pub use settings::Settings;

use super::http::{self, Answer, Credential, ProviderError};
use super::{Call, Message, Provider};
use commands::ports::Clock;
use domain::values::{Channel, Outcome};
use serde_json::json;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// See the module.
pub struct Pigeon {
    client: reqwest::Client,
    messages: reqwest::Url,
    account: reqwest::Url,
    api_key: Credential,
    clock: Arc<dyn Clock>,
    concurrency: usize,
}

impl Pigeon {
    /// From settings.
    ///
    /// # Errors
    /// The URL is not of the right form.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        let wrong = |reason: String| ProviderError::settings("pigeon", reason);
        let at =
            |path: &str| format!("{}{path}", settings.base_url.trim_end_matches('/')).parse().map_err(|error| wrong(format!("base_url is not a URL: {error}")));
        Ok(Self {
            client: http::client(settings.timeout, settings.concurrency).build().map_err(|error| wrong(error.to_string()))?,
            messages: at("/v1/messages")?,
            account: at("/v1/account")?,
            api_key: settings.api_key.clone(),
            clock,
            concurrency: settings.concurrency,
        })
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        http::exchange(request.bearer_auth(self.api_key.reveal()), self.clock.as_ref()).await
    }

    async fn call(&self, message: &Message) -> Outcome {
        let body = json!({
            "loft": message.address.value,
            "text": message.content.body,
            "reference": { "nid": message.notification.0, "delivery": message.delivery, "attempt": message.attempt },
        });
        match self.ask(self.client.post(self.messages.clone()).json(&body)).await {
            Ok(answer) => error_map::outcome(&answer),
            // Whether bytes were sent decides between `Retry` and `Unknown`.
            Err(error) => http::no_answer(&error),
        }
    }

    /// Asks for the account, which needs the same key and sends nothing.
    async fn reach(&self) -> Result<(), String> {
        let answer = self.ask(self.client.get(self.account.clone())).await;
        match answer.map_err(|_| "Pigeon cannot be reached; check endpoint and the firewall".to_owned())?.status {
            200..=299 => Ok(()),
            status @ (401 | 403) => Err(format!("Pigeon refuses the key ({status}); check api_key")),
            status => Err(format!("Pigeon is not working ({status}); try again later")),
        }
    }
}

impl Provider for Pigeon {
    fn name(&self) -> &str {
        "pigeon"
    }

    fn channel(&self) -> Channel {
        Channel::Chat
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
