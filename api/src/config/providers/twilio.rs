//! `[providers.twilio]`: Twilio Messaging.

use super::credential;
use super::fcm::bounds;
use crate::config::routing::{Price, Sender};
use crate::config::section::{Reader, Section, section};
use crate::config::value::Secret;
use domain::values::Country;
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// Text messages by Twilio. Serves the channel `sms`.
    Twilio at "providers.twilio" {
        /// On or off; when left out, on as soon as anything else here is set.
        enabled: Option<bool>,
        /// The account, from the Twilio console: `AC` and 32 letters and digits.
        account_sid: String,
        /// An API key (`SK…`) in the account's place as user name; `auth_token` is its secret then.
        api_key: Option<String>,
        /// A file with the account's token, or the API key's secret.
        auth_token_file: Option<PathBuf>,
        /// The token itself, in place of the file.
        auth_token: Option<Secret>,
        /// The number (`+` and country code) or the letters that messages come from. Either this or
        /// `messaging_service_sid`.
        from: Option<String>,
        /// The messaging service (`MG…`) that chooses among its numbers.
        messaging_service_sid: Option<String>,
        /// Numbers and letters that a category or a sender may have its messages come from, besides the one above.
        also_from: Vec<String> = "",
        /// A file with the account's own token, which signs Twilio's callbacks: needed for receipts
        /// where an API key sends; otherwise `auth_token` is the one.
        callback_token_file: Option<PathBuf>,
        /// That token itself, in place of the file.
        callback_token: Option<Secret>,
        /// Where Twilio is to report what becomes of each message; `nid`, `delivery` and `attempt`
        /// are added to its query. When left out, `/callbacks/twilio` under `links.base_url`, where there is one.
        status_callback: Option<url::Url>,
        /// Where the API is.
        endpoint: url::Url = "https://api.twilio.com",
        /// Calls at once.
        concurrency: usize = "20",
        /// Calls a second, of all replicas together; 0 for any number.
        rate: u32 = "0",
        /// Among the providers of the channel, those with the lowest number go first; the others take what
        /// they cannot.
        priority: u32 = "0",
        /// Its share among those of the same priority.
        weight: u32 = "1",
        /// The senders that it serves; none for all.
        senders: Vec<Sender> = "",
        /// The countries that it serves; none for all that `channels` allows.
        countries: Vec<Country> = "",
        /// What a segment of a text costs, by country: shown in explanations and summed in the books. Without, only
        /// segments are counted.
        price_per_segment: Vec<Price> = "",
        /// Longest time for one call.
        timeout: Duration = "15s",
    }
}

/// Whether a text is one of Twilio's ids: its letters, and 32 letters and digits.
pub(super) fn is_sid(text: &str, prefix: &str) -> bool {
    text.starts_with(prefix) && text.len() == 34 && text.chars().all(|c| c.is_ascii_alphanumeric())
}

impl Twilio {
    fn check(&self, reader: &mut Reader<'_>) {
        reader.require(is_sid(&self.account_sid, "AC"), "providers.twilio.account_sid", "must be AC and 32 letters and digits, as the Twilio console shows it");
        reader.require(self.api_key.as_deref().is_none_or(|key| is_sid(key, "SK")), "providers.twilio.api_key", "must be SK and 32 letters and digits");
        credential::read(reader, Self::PATH, "callback_token", self.callback_token.as_ref(), self.callback_token_file.as_deref(), false);
        credential::read(reader, Self::PATH, "auth_token", self.auth_token.as_ref(), self.auth_token_file.as_deref(), true);
        match (&self.from, &self.messaging_service_sid) {
            (Some(_), Some(_)) => reader.problem("providers.twilio.from", "set either this or messaging_service_sid, not both"),
            (None, None) => reader.problem("providers.twilio.from", "is missing; set the number that messages come from, or messaging_service_sid"),
            (Some(from), None) => reader.require(!from.trim().is_empty(), "providers.twilio.from", "must be a number with + and country code, or letters"),
            (None, Some(service)) => {
                reader.require(
                    is_sid(service, "MG"),
                    "providers.twilio.messaging_service_sid",
                    "must be MG and 32 letters and digits, as the Twilio console shows it",
                );
            }
        }
        bounds(reader, Self::PATH, self.concurrency, self.timeout);
    }

    /// The token; none only if its file went away since it was checked.
    pub fn credential(&self) -> Option<Secret> {
        credential::resolve(self.auth_token.as_ref(), self.auth_token_file.as_deref())
    }
    /// The token that signs callbacks; none where an API key sends and the account's own is not told.
    pub fn callback_credential(&self) -> Option<Secret> {
        let own = credential::resolve(self.callback_token.as_ref(), self.callback_token_file.as_deref());
        own.or_else(|| self.credential().filter(|_| self.api_key.is_none()))
    }
}
