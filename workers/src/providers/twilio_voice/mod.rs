//! Telephone calls by Twilio Voice that read the text aloud
//! (<https://www.twilio.com/docs/voice/api/call-resource>).
//!
//! Accepted means that the call was created, not that somebody listened. Creating knows no idempotency
//! key and a repeat is a second ringing telephone: a call without an answer, or with a 5xx, is
//! `Unknown`, and before anybody has it repeated the account's calls are looked through.
//! Rejected: sending text messages and calls through one provider, as the module of the account says.

mod error_map;
mod look_up;
mod receipts;
mod settings;
#[cfg(test)]
mod tests;
mod twiml;

pub use receipts::VoiceReceipts;
pub use settings::Settings;

use super::http::{self, ProviderError};
use super::twilio::account::{self, Account};
use super::{Call, Message, Provider, sms};
use commands::ports::Clock;
use domain::values::{Channel, Outcome};
use look_up::Found;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// What Twilio is to report of a call, where it is told where to.
const EVENTS: [&str; 4] = ["initiated", "ringing", "answered", "completed"];

/// See the module.
pub struct TwilioVoice {
    account: Account,
    from: String,
    language: Option<String>,
    ring: u64,
    concurrency: usize,
}

impl TwilioVoice {
    /// From settings.
    ///
    /// # Errors
    /// The account or the URL is not of the right form.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        let account = Account::new(
            account::Access {
                provider: "twilio_voice",
                resource: "Calls",
                account_sid: &settings.account_sid,
                api_key: settings.api_key.as_deref(),
                auth_token: &settings.auth_token,
                status_callback: settings.status_callback.as_ref(),
                base_url: &settings.base_url,
                concurrency: settings.concurrency,
                timeout: settings.timeout,
            },
            clock,
        )?;
        Ok(Self { account, from: settings.from.clone(), language: settings.language.clone(), ring: settings.ring.as_secs(), concurrency: settings.concurrency })
    }

    async fn call(&self, message: &Message) -> Outcome {
        let permanent = |code: &str| Outcome::Permanent { code: code.to_owned() };
        let text = sms::text(&message.content);
        if text.trim().is_empty() {
            return permanent("nothing to read aloud");
        }
        let document = twiml::say(&text, self.language.as_deref());
        if document.chars().count() > twiml::LONGEST {
            return permanent("text over 4000 characters as XML");
        }
        if message.after_unknown
            && let Some(outcome) = self.look_up(message).await
        {
            return outcome;
        }
        match self.account.create(&self.form(message, document)).await {
            Ok(answer) => error_map::outcome(answer.status, answer.retry_after, &answer.body),
            Err(error) => http::no_answer(&error),
        }
    }

    /// What an earlier attempt came to; none where no call was made. Where that cannot be asked, nobody
    /// is called either.
    async fn look_up(&self, message: &Message) -> Option<Outcome> {
        let from = sms::from_of(message, &self.from);
        let list = match self.account.list(&look_up::query(&message.address.value, from)).await {
            Ok(list) => list,
            Err(outcome) => return Some(outcome),
        };
        match look_up::found(&list, from, message.requested_at) {
            Ok(Found::None) => None,
            Ok(Found::One(sid)) => Some(Outcome::Accepted { provider_id: Some(sid) }),
            Ok(Found::Several) => Some(Outcome::Unknown { code: "several calls since the request".to_owned() }),
            Err(_) => Some(account::not_a_list()),
        }
    }

    fn form(&self, message: &Message, document: String) -> Vec<(&'static str, String)> {
        let from = sms::from_of(message, &self.from).to_owned();
        let mut form = vec![("To", message.address.value.clone()), ("From", from), ("Twiml", document), ("Timeout", self.ring.to_string())];
        if let Some(url) = self.account.callback(message) {
            form.push(("StatusCallback", url));
            form.extend(EVENTS.map(|event| ("StatusCallbackEvent", event.to_owned())));
        }
        form
    }
}

impl Provider for TwilioVoice {
    fn name(&self) -> &str {
        "twilio_voice"
    }

    fn channel(&self) -> Channel {
        Channel::Voice
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
