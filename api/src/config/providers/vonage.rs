//! `[providers.vonage]`: Vonage SMS.

use super::credential;
use super::fcm::bounds;
use crate::config::routing::{Price, Sender};
use crate::config::section::{Reader, Section, section};
use crate::config::value::Secret;
use domain::values::Country;
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// Text messages by Vonage. Serves the channel `sms`.
    Vonage at "providers.vonage" {
        /// On or off; when left out, on as soon as anything else here is set.
        enabled: Option<bool>,
        /// The account's key, from the Vonage dashboard.
        api_key: String,
        /// A file with the account's secret.
        api_secret_file: Option<PathBuf>,
        /// The secret itself, in place of the file.
        api_secret: Option<Secret>,
        /// Whom messages come from: a number without `+`, or up to eleven letters and digits.
        from: String,
        /// Numbers and letters that a category or a sender may have its messages come from, besides the one above.
        also_from: Vec<String> = "",
        /// A file with the account's signature secret, which signs Vonage's callbacks by HMAC with SHA-256
        /// or SHA-512: needed for receipts and answers.
        signature_secret_file: Option<PathBuf>,
        /// That secret itself, in place of the file.
        signature_secret: Option<Secret>,
        /// Where the API is.
        endpoint: url::Url = "https://rest.nexmo.com",
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

impl Vonage {
    fn check(&self, reader: &mut Reader<'_>) {
        reader.require(!self.api_key.is_empty(), "providers.vonage.api_key", "must be the account's key, as the Vonage dashboard shows it");
        credential::read(reader, Self::PATH, "api_secret", self.api_secret.as_ref(), self.api_secret_file.as_deref(), true);
        let number = (7..=15).contains(&self.from.len()) && self.from.chars().all(|c| c.is_ascii_digit());
        let letters = (1..=11).contains(&self.from.len()) && self.from.chars().all(|c| c.is_ascii_alphanumeric());
        reader.require(number || letters, "providers.vonage.from", "must be a number without +, or up to eleven letters and digits");
        credential::read(reader, Self::PATH, "signature_secret", self.signature_secret.as_ref(), self.signature_secret_file.as_deref(), false);
        bounds(reader, Self::PATH, self.concurrency, self.timeout);
    }

    /// The secret; none only if its file went away since it was checked.
    pub fn credential(&self) -> Option<Secret> {
        credential::resolve(self.api_secret.as_ref(), self.api_secret_file.as_deref())
    }
    /// The secret that signs callbacks, where receipts are wanted.
    pub fn callback_credential(&self) -> Option<Secret> {
        credential::resolve(self.signature_secret.as_ref(), self.signature_secret_file.as_deref())
    }
}
