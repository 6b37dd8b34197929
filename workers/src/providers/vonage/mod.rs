//! Text messages by Vonage SMS (<https://developer.vonage.com/en/api/sms>).
//!
//! Vonage answers 200 whatever happened; the verdict is in the body, one for each segment. It knows
//! no idempotency: `client-ref` carries our ids for comparing. Rejected: its newer Messages API,
//! which needs a signed token for what a key and a secret do here.

mod error_map;
mod receipts;
mod settings;
#[cfg(test)]
mod tests;

pub use receipts::VonageReceipts;
pub use settings::Settings;

use super::callbacks::OurIds;
use super::http::{self, Credential, ProviderError};
use super::sms::{self, Encoding};
use super::{Call, Message, Provider, mail};
use commands::ports::Clock;
use domain::values::{Channel, Millis, Outcome};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// How long Vonage keeps a message that cannot be handed on, in ms: at least and at most.
const TTL: std::ops::RangeInclusive<i64> = 20_000..=604_800_000;

/// Longest text in characters: Vonage documents 3,200 for one request (unverified).
const LONGEST: usize = 3_200;

/// See the module.
pub struct Vonage {
    client: reqwest::Client,
    url: reqwest::Url,
    balance: reqwest::Url,
    api_key: String,
    api_secret: Credential,
    from: String,
    callback: Option<url::Url>,
    clock: Arc<dyn Clock>,
    concurrency: usize,
}

impl Vonage {
    /// From settings.
    ///
    /// # Errors
    /// The URL is not of the right form.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        let wrong = |reason: String| ProviderError::settings("vonage", reason);
        let at =
            |path: &str| format!("{}{path}", settings.base_url.trim_end_matches('/')).parse().map_err(|error| wrong(format!("base_url is not a URL: {error}")));
        let client = http::client(settings.timeout, settings.concurrency).build().map_err(|error| wrong(error.to_string()))?;
        Ok(Self {
            client,
            url: at("/sms/json")?,
            balance: at("/account/get-balance")?,
            api_key: settings.api_key.clone(),
            api_secret: settings.api_secret.clone(),
            from: settings.from.clone(),
            callback: settings.callback.clone(),
            clock,
            concurrency: settings.concurrency,
        })
    }

    async fn call(&self, message: &Message) -> Outcome {
        let text = sms::text(&message.content);
        if text.chars().count() > LONGEST {
            return Outcome::Permanent { code: "text over 3200 characters".to_owned() };
        }
        if message.after_unknown && self.reach().await.is_err() {
            return mail::not_working();
        }
        let counted = sms::segments(&text);
        let mut form = vec![
            // Without the plus.
            ("to", message.address.value.trim_start_matches('+').to_owned()),
            ("from", sms::from_of(message, &self.from).trim_start_matches('+').to_owned()),
            ("text", text.clone().into_owned()),
            ("client-ref", sms::reference(message)),
        ];
        if counted.encoding == Encoding::Ucs2 {
            form.push(("type", "unicode".to_owned()));
        }
        if let Some(address) = &self.callback {
            form.push(("callback", OurIds::of(message).in_query_of(address).into()));
        }
        if let Some(ttl) = ttl(message.expires_at, self.clock.now()) {
            form.push(("ttl", ttl.to_string()));
        }
        let request = self.client.post(self.url.clone()).basic_auth(&self.api_key, Some(self.api_secret.reveal())).form(&form);
        let answer = match http::exchange(request, self.clock.as_ref()).await {
            Ok(answer) => answer,
            Err(error) => return http::no_answer(&error),
        };
        let (outcome, parts) = error_map::outcome(answer.status, answer.retry_after, &answer.body);
        if matches!(outcome, Outcome::Accepted { .. }) {
            sms::count("vonage", &text, parts);
        }
        outcome
    }

    /// Asks for the balance, which needs the same credentials and sends nothing.
    async fn reach(&self) -> Result<(), String> {
        let request = self.client.get(self.balance.clone()).basic_auth(&self.api_key, Some(self.api_secret.reveal()));
        let answer = http::exchange(request, self.clock.as_ref()).await.map_err(|_| "Vonage cannot be reached; check endpoint and the firewall".to_owned())?;
        match answer.status {
            200..=299 => Ok(()),
            status @ (401 | 403) => Err(format!("Vonage refuses the credentials ({status}); check api_key and api_secret")),
            status => Err(format!("Vonage is not working ({status}); try again later")),
        }
    }
}

/// Milliseconds for which it is worth keeping; none where Vonage's own limit comes first.
fn ttl(expires_at: Option<Millis>, now: Millis) -> Option<i64> {
    let left = expires_at?.saturating_sub(now);
    (left < *TTL.end()).then_some(left.max(*TTL.start()))
}

impl Provider for Vonage {
    fn name(&self) -> &str {
        "vonage"
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
