//! Messages in a team's chat by incoming webhooks of Slack
//! (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>).
//!
//! The address is the credential: each recipient has a URL of its own, so nothing that Slack says of
//! one holds up the others. Slack knows no idempotency; our ids stand in the first block's id, where
//! nobody sees them. Rejected: bot tokens (`chat.postMessage`), which need an installation flow for
//! each team.

mod address;
mod error_map;
mod payload;
mod settings;
#[cfg(test)]
mod tests;

pub use address::{NotSlack, check_url};
pub use settings::Settings;

use super::http::{self, ProviderError};
use super::{Call, Message, Provider};
use commands::ports::Clock;
use domain::values::{BadAddress, Channel, Outcome};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Where Slack is when nothing else is said.
pub const PLACE: &str = "https://hooks.slack.com/";

/// See the module.
pub struct Slack {
    client: reqwest::Client,
    place: String,
    clock: Arc<dyn Clock>,
    concurrency: usize,
}

impl Slack {
    /// From settings.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        let client = http::client(settings.timeout, settings.concurrency).build().map_err(|error| ProviderError::settings("slack", error))?;
        Ok(Self { client, place: settings.place.clone(), clock, concurrency: settings.concurrency })
    }

    async fn call(&self, message: &Message) -> Outcome {
        // Registered while another place was configured.
        let Ok(url) = check_url(&message.address.value, &self.place) else {
            return Outcome::BadAddress { kind: BadAddress::Unsupported, as_of: None, code: "not a URL of Slack's".to_owned() };
        };
        let body = match payload::encode(message) {
            Ok(body) => body,
            Err(code) => return Outcome::Permanent { code: code.to_owned() },
        };
        let request = self.client.post(url).header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body);
        match http::exchange(request, self.clock.as_ref()).await {
            Ok(answer) => error_map::outcome(answer.status, answer.retry_after, &answer.body),
            Err(error) => http::no_answer(&error),
        }
    }
}

impl Provider for Slack {
    fn name(&self) -> &str {
        "slack"
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

    /// Nothing to check: every recipient has a URL of its own, and a call to it is a message.
    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
