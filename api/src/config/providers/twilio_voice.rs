//! `[providers.twilio_voice]`: Twilio Voice.

use super::credential;
use super::fcm::bounds;
use super::twilio::is_sid;
use crate::config::routing::Sender;
use crate::config::section::{Reader, Section, section};
use crate::config::value::Secret;
use domain::values::Country;
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// Telephone calls by Twilio that read the text aloud. Serves the channel `voice`.
    TwilioVoice at "providers.twilio_voice" {
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
        /// The number that calls, with `+` and country code; the account's own, or one it has verified.
        from: String,
        /// Numbers that a category or a sender may have its calls come from, besides `from`.
        also_from: Vec<String> = "",
        /// The language in which texts are read, such as `ko-KR`; Twilio's own choice without it.
        language: Option<String>,
        /// How long a telephone rings at most, in whole seconds.
        ring: Duration = "60s",
        /// A file with the account's own token, which signs Twilio's callbacks: needed for receipts
        /// where an API key sends; otherwise `auth_token` is the one.
        callback_token_file: Option<PathBuf>,
        /// That token itself, in place of the file.
        callback_token: Option<Secret>,
        /// Where Twilio is to report what becomes of each call; `nid`, `delivery` and `attempt`
        /// are added to its query. When left out, `/callbacks/twilio_voice` under `links.base_url`, where there is one.
        status_callback: Option<url::Url>,
        /// Where the API is.
        endpoint: url::Url = "https://api.twilio.com",
        /// Calls of the API at once.
        concurrency: usize = "5",
        /// Calls a second, of all replicas together; 0 for any number. Twilio lets an account make one
        /// a second and queues the rest.
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
        /// Longest time for one call of the API.
        timeout: Duration = "15s",
    }
}

impl TwilioVoice {
    fn check(&self, reader: &mut Reader<'_>) {
        reader.require(
            is_sid(&self.account_sid, "AC"),
            "providers.twilio_voice.account_sid",
            "must be AC and 32 letters and digits, as the Twilio console shows it",
        );
        reader.require(self.api_key.as_deref().is_none_or(|key| is_sid(key, "SK")), "providers.twilio_voice.api_key", "must be SK and 32 letters and digits");
        credential::read(reader, Self::PATH, "callback_token", self.callback_token.as_ref(), self.callback_token_file.as_deref(), false);
        credential::read(reader, Self::PATH, "auth_token", self.auth_token.as_ref(), self.auth_token_file.as_deref(), true);
        let number = self.from.strip_prefix('+').is_some_and(|digits| (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()));
        reader.require(number, "providers.twilio_voice.from", "must be a number with + and country code, such as +15005550006");
        let tag = |tag: &str| (2..=20).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        reader.require(self.language.as_deref().is_none_or(tag), "providers.twilio_voice.language", "must be a language and a country, such as ko-KR");
        let whole = self.ring.subsec_nanos() == 0 && (5..=600).contains(&self.ring.as_secs());
        reader.require(whole, "providers.twilio_voice.ring", "must be whole seconds between 5s and 10m");
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
