//! E-mail by Mailgun
//! (<https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages>).
//!
//! Mailgun knows no idempotency: a call without an answer, or with a 5xx, is `Unknown`; a repeat
//! carries the same `Message-ID`. Accepted means queued there: what becomes of it is learnt later. Our
//! ids travel as variables and headers. Rejected: one recipient variable for many recipients, whose
//! verdicts could not be told apart.

mod error_map;
mod form;
mod receipts;
mod settings;
#[cfg(test)]
mod tests;

pub use receipts::MailgunReceipts;
pub use settings::Settings;

use super::files::File;
use super::http::{self, Answer, Credential, ProviderError};
use super::mail::{self, Letter};
use super::{Call, Message, Provider};
use commands::ports::Clock;
use domain::values::{Channel, Outcome};
use lettre::message::Mailbox;
use reqwest::header::CONTENT_TYPE;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// See the module.
pub struct Mailgun {
    client: reqwest::Client,
    url: reqwest::Url,
    api_key: Credential,
    from: Mailbox,
    clock: Arc<dyn Clock>,
    concurrency: usize,
}

impl Mailgun {
    /// From settings.
    ///
    /// # Errors
    /// The sender, the domain or the URL is not of the right form.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        let wrong = |reason: String| ProviderError::settings("mailgun", reason);
        let domain = &settings.domain;
        if domain.is_empty() || !domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-') {
            return Err(wrong("domain is not a domain name; give the one that Mailgun shows under «Sending domains»".to_owned()));
        }
        let url = format!("{}/v3/{domain}/messages", settings.base_url.trim_end_matches('/'));
        Ok(Self {
            client: http::client(settings.timeout, settings.concurrency).build().map_err(|error| wrong(error.to_string()))?,
            url: url.parse().map_err(|error| wrong(format!("base_url is not a URL: {error}")))?,
            api_key: settings.api_key.clone(),
            from: mail::author("mailgun", &settings.from)?,
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
        match self.post(&form::fields(&letter, message, &mail::author_of(message, &self.from)), &message.files).await {
            Ok(answer) => error_map::outcome(&answer, message.attempt),
            Err(error) => http::no_answer(&error),
        }
    }

    async fn post(&self, fields: &[(String, String)], files: &[File]) -> Result<Answer, reqwest::Error> {
        let (boundary, body) = form::encode(fields, files);
        let request = self.client.post(self.url.clone()).basic_auth("api", Some(self.api_key.reveal()));
        let request = request.header(CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}")).body(body);
        http::exchange(request, self.clock.as_ref()).await
    }

    /// Asks for a message to nobody, which is refused as such where key and domain are right; a key
    /// for sending may ask for nothing else.
    async fn reach(&self) -> Result<(), String> {
        let answer = self.post(&[("o:testmode".to_owned(), "yes".to_owned())], &[]).await;
        match answer.map_err(|_| "Mailgun cannot be reached; check endpoint and the firewall".to_owned())?.status {
            400 => Ok(()),
            status @ (401 | 403) => Err(format!("Mailgun refuses the key ({status}); check api_key, and whether the account is in the EU (endpoint)")),
            404 => Err("Mailgun knows no such domain; check domain, and whether it is in the EU (endpoint)".to_owned()),
            status @ 200..=399 => Err(format!("this is not Mailgun ({status}); check endpoint")),
            status => Err(format!("Mailgun is not working ({status}); try again later")),
        }
    }
}

impl Provider for Mailgun {
    fn name(&self) -> &str {
        "mailgun"
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
