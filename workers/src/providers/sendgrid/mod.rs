//! E-mail by SendGrid (<https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send>).
//!
//! SendGrid knows no idempotency: a call without an answer, or with a 5xx, is `Unknown`; a repeat
//! carries the same `Message-ID`. Accepted means queued there: what becomes of it is learnt later.
//! Our ids travel as custom arguments and headers. Rejected: its SMTP door, which `smtp` serves, and
//! which tells throttling and refusals in words.

mod error_map;
mod payload;
mod receipts;
mod settings;
#[cfg(test)]
mod tests;

pub use receipts::SendgridReceipts;
pub use settings::Settings;

use super::http::{self, Credential, ProviderError};
use super::mail::{self, Letter};
use super::{Call, Message, Provider};
use commands::ports::Clock;
use domain::values::{Channel, Outcome};
use lettre::message::Mailbox;
use serde::Deserialize;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// The right that the key needs.
const RIGHT: &str = "mail.send";

/// See the module.
pub struct Sendgrid {
    client: reqwest::Client,
    url: reqwest::Url,
    scopes: reqwest::Url,
    api_key: Credential,
    from: Mailbox,
    clock: Arc<dyn Clock>,
    concurrency: usize,
}

/// What the key may do.
#[derive(Deserialize)]
struct Scopes {
    scopes: Vec<String>,
}

impl Sendgrid {
    /// From settings.
    ///
    /// # Errors
    /// The sender, the key or the URL is not of the right form.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        let wrong = |reason: String| ProviderError::settings("sendgrid", reason);
        let at =
            |path: &str| format!("{}{path}", settings.base_url.trim_end_matches('/')).parse().map_err(|error| wrong(format!("base_url is not a URL: {error}")));
        if !settings.api_key.reveal().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong("api_key has characters that no key has; copy it again from the SendGrid console".to_owned()));
        }
        Ok(Self {
            client: http::client(settings.timeout, settings.concurrency).build().map_err(|error| wrong(error.to_string()))?,
            url: at("/v3/mail/send")?,
            scopes: at("/v3/scopes")?,
            api_key: settings.api_key.clone(),
            from: mail::author("sendgrid", &settings.from)?,
            clock,
            concurrency: settings.concurrency,
        })
    }

    async fn call(&self, message: &Message) -> Outcome {
        let letter = match Letter::of(message, self.from.email.domain()) {
            Ok(letter) => letter,
            Err(outcome) => return outcome,
        };
        if message.after_unknown && self.reach().await.is_err() {
            return mail::not_working();
        }
        let payload = payload::payload(&letter, message, &mail::author_of(message, &self.from));
        let request = self.client.post(self.url.clone()).bearer_auth(self.api_key.reveal()).json(&payload);
        match http::exchange(request, self.clock.as_ref()).await {
            Ok(answer) => error_map::outcome(&answer, self.clock.now()),
            Err(error) => http::no_answer(&error),
        }
    }

    /// Asks what the key may do, and sends nothing.
    async fn reach(&self) -> Result<(), String> {
        let request = self.client.get(self.scopes.clone()).bearer_auth(self.api_key.reveal());
        let answer =
            http::exchange(request, self.clock.as_ref()).await.map_err(|_| "SendGrid cannot be reached; check endpoint and the firewall".to_owned())?;
        match answer.status {
            200 => {
                let scopes: Scopes = serde_json::from_slice(&answer.body).map_err(|_| "this is not SendGrid; check endpoint".to_owned())?;
                let may = scopes.scopes.iter().any(|scope| scope == RIGHT);
                if may { Ok(()) } else { Err(format!("the key of SendGrid lacks the right {RIGHT}; give it «Mail Send» in the console")) }
            }
            status @ (401 | 403) => Err(format!("SendGrid refuses the key ({status}); check api_key")),
            status => Err(format!("SendGrid is not working ({status}); try again later")),
        }
    }
}

impl Provider for Sendgrid {
    fn name(&self) -> &str {
        "sendgrid"
    }

    fn channel(&self) -> Channel {
        Channel::Email
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
