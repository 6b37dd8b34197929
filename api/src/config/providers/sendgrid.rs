//! `[providers.sendgrid]`: SendGrid.

use super::credential;
use super::fcm::bounds;
use super::smtp::is_author;
use crate::config::routing::{RampUp, Sender};
use crate::config::section::{Reader, Section, section};
use crate::config::value::Secret;
use std::path::PathBuf;
use std::time::Duration;
use workers::providers::sendgrid::SendgridReceipts;

section! {
    /// E-mail by SendGrid. Serves the channel `email`.
    Sendgrid at "providers.sendgrid" {
        /// On or off; when left out, on as soon as anything else here is set.
        enabled: Option<bool>,
        /// A file with the API key (`SG.…`), which needs the right «Mail Send».
        api_key_file: Option<PathBuf>,
        /// The key itself, in place of the file.
        api_key: Option<Secret>,
        /// The sender's address, such as `Example <notify@example.com>`; one that SendGrid has verified.
        from: String,
        /// Addresses, and domains as `@example.com`, that a category or a sender may have its mails come from,
        /// besides `from`. Without, all come from `from`.
        also_from: Vec<String> = "",
        /// The verification key of SendGrid's event webhook, as its settings show it: needed for receipts.
        callback_key: Option<String>,
        /// Where the API is; `https://api.eu.sendgrid.com` for accounts in the EU.
        endpoint: url::Url = "https://api.sendgrid.com",
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

impl Sendgrid {
    fn check(&self, reader: &mut Reader<'_>) {
        let key = credential::read(reader, Self::PATH, "api_key", self.api_key.as_ref(), self.api_key_file.as_deref(), true);
        let plain = key.is_none_or(|key| key.expose().bytes().all(|byte| byte.is_ascii_graphic()));
        reader.require(plain, "providers.sendgrid.api_key", "has characters that no key has; copy it again from the SendGrid console");
        reader.require(is_author(&self.from), "providers.sendgrid.from", "must be an address, such as Example <notify@example.com>");
        let verifies = self.callback_key.as_deref().is_none_or(|key| SendgridReceipts::new(key).is_ok());
        reader.require(verifies, "providers.sendgrid.callback_key", "is no verification key; copy it from «Event Webhook» in SendGrid's mail settings");
        bounds(reader, Self::PATH, self.concurrency, self.timeout);
    }

    /// The key; none only if its file went away since it was checked.
    pub fn credential(&self) -> Option<Secret> {
        credential::resolve(self.api_key.as_ref(), self.api_key_file.as_deref())
    }
}
