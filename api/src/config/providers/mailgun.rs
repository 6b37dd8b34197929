//! `[providers.mailgun]`: Mailgun.

use super::credential;
use super::fcm::bounds;
use super::smtp::is_author;
use crate::config::routing::{RampUp, Sender};
use crate::config::section::{Reader, Section, section};
use crate::config::value::Secret;
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// E-mail by Mailgun. Serves the channel `email`.
    Mailgun at "providers.mailgun" {
        /// On or off; when left out, on as soon as anything else here is set.
        enabled: Option<bool>,
        /// A file with an API key: the account's, or the domain's for sending.
        api_key_file: Option<PathBuf>,
        /// The key itself, in place of the file.
        api_key: Option<Secret>,
        /// The domain that sends, as Mailgun shows it, such as `mg.example.com`.
        domain: String,
        /// The sender's address, such as `Example <notify@mg.example.com>`.
        from: String,
        /// Addresses, and domains as `@example.com`, that a category or a sender may have its mails come from,
        /// besides `from`. Without, all come from `from`.
        also_from: Vec<String> = "",
        /// A file with the account's signing key for webhooks: needed for receipts.
        signing_key_file: Option<PathBuf>,
        /// That key itself, in place of the file.
        signing_key: Option<Secret>,
        /// Where the API is; `https://api.eu.mailgun.net` for domains in the EU.
        endpoint: url::Url = "https://api.mailgun.net",
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
        /// A warm-up: so many mails on a first day, and twice as many each day after, by all replicas together.
        /// What is over goes by another provider, or waits.
        ramp_up: Option<RampUp>,
        /// Longest time for one call.
        timeout: Duration = "30s",
    }
}

impl Mailgun {
    fn check(&self, reader: &mut Reader<'_>) {
        credential::read(reader, Self::PATH, "api_key", self.api_key.as_ref(), self.api_key_file.as_deref(), true);
        let named = self.domain.contains('.') && self.domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-');
        reader.require(named, "providers.mailgun.domain", "must be a domain name, such as mg.example.com");
        reader.require(is_author(&self.from), "providers.mailgun.from", "must be an address, such as Example <notify@mg.example.com>");
        credential::read(reader, Self::PATH, "signing_key", self.signing_key.as_ref(), self.signing_key_file.as_deref(), false);
        bounds(reader, Self::PATH, self.concurrency, self.timeout);
    }

    /// The key; none only if its file went away since it was checked.
    pub fn credential(&self) -> Option<Secret> {
        credential::resolve(self.api_key.as_ref(), self.api_key_file.as_deref())
    }
    /// The key that signs callbacks, where receipts are wanted.
    pub fn callback_credential(&self) -> Option<Secret> {
        credential::resolve(self.signing_key.as_ref(), self.signing_key_file.as_deref())
    }
}
