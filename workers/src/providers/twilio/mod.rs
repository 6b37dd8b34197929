//! Text messages by Twilio Messaging
//! (<https://www.twilio.com/docs/messaging/api/message-resource>).
//!
//! Creating a message knows no idempotency key, so a call without an answer is `Unknown`, a 5xx, too.
//! Before a repeat the account's messages are looked through: what was created is not created again.
//! Our ids travel in the query of the status callback.
//! Rejected: the crates for Twilio, which know its host and no other, or are generated from all of
//! its API.

pub(crate) mod account;
pub(crate) mod error_map;
mod look_up;
mod receipts;
mod settings;
mod signature;
#[cfg(test)]
mod tests;

pub use receipts::TwilioReceipts;
pub use settings::{Sender, Settings};
pub(crate) use signature::Signature;

use super::http::{self, ProviderError};
use super::{Call, Message, Provider, sms};
use account::Account;
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
    account: Account,
    sender: Sender,
    clock: Arc<dyn Clock>,
    concurrency: usize,
}

impl Twilio {
    /// From settings.
    ///
    /// # Errors
    /// The account or the URL is not of the right form.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        let account = Account::new(
            account::Access {
                provider: "twilio",
                resource: "Messages",
                account_sid: &settings.account_sid,
                api_key: settings.api_key.as_deref(),
                auth_token: &settings.auth_token,
                status_callback: settings.status_callback.as_ref(),
                base_url: &settings.base_url,
                concurrency: settings.concurrency,
                timeout: settings.timeout,
            },
            Arc::clone(&clock),
        )?;
        Ok(Self { account, sender: settings.sender.clone(), clock, concurrency: settings.concurrency })
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
        let answer = match self.account.create(&self.form(message, &text)).await {
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
        let query = look_up::query(&message.address.value, message.requested_at)?;
        let list = match self.account.list(&query).await {
            Ok(list) => list,
            Err(outcome) => return Some(outcome),
        };
        match look_up::found(&list, text, message.requested_at) {
            Ok(sid) => sid.map(|sid| Outcome::Accepted { provider_id: Some(sid) }),
            Err(_) => Some(account::not_a_list()),
        }
    }

    /// Whom it comes from. With a messaging service, a sender of its pool can be asked for by name.
    fn sender(&self, message: &Message) -> Vec<(&'static str, String)> {
        match &self.sender {
            Sender::From(number) => vec![("From", sms::from_of(message, number).to_owned())],
            Sender::Service(sid) => {
                let own = sms::from_of(message, "");
                let own = (!own.is_empty()).then(|| ("From", own.to_owned()));
                std::iter::once(("MessagingServiceSid", sid.clone())).chain(own).collect()
            }
        }
    }

    fn form(&self, message: &Message, text: &str) -> Vec<(&'static str, String)> {
        let mut form = vec![("To", message.address.value.clone()), ("Body", text.to_owned())];
        form.extend(self.sender(message));
        form.extend(self.account.callback(message).map(|url| ("StatusCallback", url)));
        if let Some(seconds) = validity(message.expires_at, self.clock.now()) {
            form.push(("ValidityPeriod", seconds.to_string()));
        }
        form
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
        Box::pin(self.account.reach())
    }
}
