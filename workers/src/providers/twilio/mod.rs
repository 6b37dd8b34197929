//! Text messages by Twilio Messaging
//! (<https://www.twilio.com/docs/messaging/api/message-resource>).
//!
//! Creating a message knows no idempotency key, so a call without an answer is `Unknown`, a 5xx, too.
//! Before a repeat the account's messages are looked through: what was created is not created again.
//! Our ids travel in the query of the status callback.
//! Rejected: the crates for Twilio, which know its host and no other, or are generated from all of
//! its API.

mod error_map;
mod look_up;
mod settings;
#[cfg(test)]
mod tests;

pub use settings::{Sender, Settings};

use super::http::{self, Credential, ProviderError};
use super::{Call, Message, Provider, sms};
use commands::ports::Clock;
use domain::values::{Channel, Millis, Outcome};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Longest text, in characters.
const LONGEST: usize = 1_600;

/// Longest time, in seconds, for which Twilio keeps a message that it cannot hand on.
const LONGEST_VALIDITY: i64 = 36_000;

/// See the module.
pub struct Twilio {
    client: reqwest::Client,
    url: reqwest::Url,
    username: String,
    token: Credential,
    sender: (&'static str, String),
    status_callback: Option<url::Url>,
    clock: Arc<dyn Clock>,
    concurrency: usize,
}

impl Twilio {
    /// From settings.
    ///
    /// # Errors
    /// The account or the URL is not of the right form.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        let wrong = |reason: String| ProviderError::settings("twilio", reason);
        let sid = &settings.account_sid;
        if sid.is_empty() || !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(wrong("account_sid is not one; copy it from the Twilio console, it begins with AC".to_owned()));
        }
        let url = format!("{}/2010-04-01/Accounts/{sid}/Messages.json", settings.base_url.trim_end_matches('/'));
        let url = url.parse().map_err(|error| wrong(format!("base_url is not a URL: {error}")))?;
        let client = http::client(settings.timeout, settings.concurrency).build().map_err(|error| wrong(error.to_string()))?;
        let sender = match &settings.sender {
            Sender::From(number) => ("From", number.clone()),
            Sender::Service(sid) => ("MessagingServiceSid", sid.clone()),
        };
        Ok(Self {
            client,
            url,
            username: settings.api_key.clone().unwrap_or_else(|| sid.clone()),
            token: settings.auth_token.clone(),
            sender,
            status_callback: settings.status_callback.clone(),
            clock,
            concurrency: settings.concurrency,
        })
    }

    async fn call(&self, message: &Message) -> Outcome {
        let text = sms::text(&message.content);
        if text.chars().count() > LONGEST {
            return Outcome::Permanent { code: "text over 1600 characters".to_owned() };
        }
        if message.after_unknown
            && let Some(outcome) = self.look_up(message, &text).await
        {
            return outcome;
        }
        let form = self.form(message, &text);
        let request = self.client.post(self.url.clone()).basic_auth(&self.username, Some(self.token.reveal())).form(&form);
        let answer = match http::exchange(request, self.clock.as_ref()).await {
            Ok(answer) => answer,
            Err(error) => return http::no_answer(&error),
        };
        let (outcome, segments) = error_map::outcome(answer.status, answer.retry_after, &answer.body);
        if matches!(outcome, Outcome::Accepted { .. }) {
            sms::count("twilio", &text, segments);
        }
        outcome
    }

    /// What an earlier attempt came to; none where it created nothing. Where that cannot be asked,
    /// nothing is sent either.
    async fn look_up(&self, message: &Message, text: &str) -> Option<Outcome> {
        let unasked = |code: &str| Some(Outcome::Retry { after: None, code: code.to_owned() });
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(look_up::query(&message.address.value, message.requested_at)?);
        let request = self.client.get(url).basic_auth(&self.username, Some(self.token.reveal()));
        let Ok(answer) = http::exchange(request, self.clock.as_ref()).await else { return unasked("no answer to the look-up") };
        if answer.status != 200 {
            // Refused for credentials or for going too fast: the same as sending would be.
            let (outcome, _) = error_map::outcome(answer.status, answer.retry_after, &answer.body);
            return match outcome {
                Outcome::Throttled { .. } | Outcome::Misconfigured { .. } => Some(outcome),
                _ => unasked("look-up refused"),
            };
        }
        match look_up::found(&answer.body, text, message.requested_at) {
            Ok(sid) => sid.map(|sid| Outcome::Accepted { provider_id: Some(sid) }),
            Err(_) => unasked("look-up is no list"),
        }
    }

    fn form<'a>(&'a self, message: &'a Message, text: &'a str) -> Vec<(&'static str, String)> {
        let mut form = vec![("To", message.address.value.clone()), (self.sender.0, self.sender.1.clone()), ("Body", text.to_owned())];
        if let Some(callback) = &self.status_callback {
            let mut callback = callback.clone();
            callback
                .query_pairs_mut()
                .append_pair("nid", &message.notification.0.to_string())
                .append_pair("delivery", &message.delivery.to_string())
                .append_pair("attempt", &message.attempt.to_string());
            form.push(("StatusCallback", callback.into()));
        }
        if let Some(seconds) = validity(message.expires_at, self.clock.now()) {
            form.push(("ValidityPeriod", seconds.to_string()));
        }
        form
    }

    /// Lists one message, which needs the same right as sending and sends nothing.
    async fn reach(&self) -> Result<(), String> {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("PageSize", "1");
        let request = self.client.get(url).basic_auth(&self.username, Some(self.token.reveal()));
        let answer = http::exchange(request, self.clock.as_ref()).await.map_err(|_| "Twilio cannot be reached; check endpoint and the firewall".to_owned())?;
        match answer.status {
            200..=299 => Ok(()),
            status @ (401 | 403) => Err(format!("Twilio refuses the credentials ({status}); check account_sid and auth_token, or api_key and its secret")),
            404 => Err("Twilio knows no such account; check account_sid".to_owned()),
            status => Err(format!("Twilio is not working ({status}); try again later")),
        }
    }
}

/// Seconds for which it is worth keeping; at least one, and none where Twilio's own limit comes first.
fn validity(expires_at: Option<Millis>, now: Millis) -> Option<i64> {
    let seconds = expires_at?.saturating_sub(now) / 1_000;
    (seconds < LONGEST_VALIDITY).then_some(seconds.max(1))
}

impl Provider for Twilio {
    fn name(&self) -> &str {
        "twilio"
    }

    fn channel(&self) -> Channel {
        Channel::Sms
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
