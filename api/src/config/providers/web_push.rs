//! `[providers.web_push]`: push to browsers.

use super::credential;
use super::fcm::bounds;
use crate::config::routing::Sender;
use crate::config::section::{Reader, Section, section};
use crate::config::value::Secret;
use std::path::PathBuf;
use std::time::Duration;
use workers::providers::web_push::{VapidKeys, is_subject};

section! {
    /// Push to browsers (Web Push). Serves the channel `web_push`. Calls go only where
    /// `providers.webhook` allows.
    WebPush at "providers.web_push" {
        /// On or off; when left out, on as soon as anything else here is set.
        enabled: Option<bool>,
        /// A file with the VAPID key's private half, from `bongsu vapid generate`.
        private_key_file: Option<PathBuf>,
        /// The private half itself, in place of the file.
        private_key: Option<Secret>,
        /// Whom push services turn to when something is wrong: `mailto:` or `https:`.
        subject: String,
        /// Whether there is a page at `/push/try` on which anybody who finds it can subscribe a browser: for
        /// development.
        try_page: bool = "false",
        /// A PEM file of authorities to trust besides the system's, for simulators.
        ca_file: Option<PathBuf>,
        /// Calls at once.
        concurrency: usize = "64",
        /// Calls a second, of all replicas together; 0 for any number.
        rate: u32 = "0",
        /// Among the providers of the channel, those with the lowest number go first; the others take what
        /// they cannot.
        priority: u32 = "0",
        /// Its share among those of the same priority.
        weight: u32 = "1",
        /// The senders that it serves; none for all.
        senders: Vec<Sender> = "",
        /// Longest time for one call.
        timeout: Duration = "15s",
    }
}

impl WebPush {
    fn check(&self, reader: &mut Reader<'_>) {
        if let Some(key) = credential::read(reader, Self::PATH, "private_key", self.private_key.as_ref(), self.private_key_file.as_deref(), true) {
            reader.require(
                VapidKeys::of_private(key.expose()).is_some(),
                "providers.web_push.private_key",
                "is not the base64url of the 32 bytes of a P-256 key; make one with `bongsu vapid generate`",
            );
        }
        reader.require(is_subject(&self.subject), "providers.web_push.subject", "must be an address such as mailto:ops@example.com, or an https: URL");
        credential::check_pem(reader, "providers.web_push.ca_file", self.ca_file.as_deref());
        bounds(reader, Self::PATH, self.concurrency, self.timeout);
    }

    /// The public half, for browsers; none only if the private half's file went away since it was checked.
    pub fn public_key(&self) -> Option<String> {
        VapidKeys::of_private(self.credential()?.expose()).map(|keys| keys.public)
    }

    /// The private half; none only if its file went away since it was checked.
    pub fn credential(&self) -> Option<Secret> {
        credential::resolve(self.private_key.as_ref(), self.private_key_file.as_deref())
    }
}
