//! `[providers.apns]`: the Apple Push Notification service.

use super::credential;
use super::fcm::bounds;
use crate::config::routing::Sender;
use crate::config::section::{Reader, Section, section};
use crate::config::value::Secret;
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// Push to Apple devices by APNs with a signing key (token authentication). Serves the channel
    /// `ios_push`.
    Apns at "providers.apns" {
        /// On or off; when left out, on as soon as anything else here is set.
        enabled: Option<bool>,
        /// The signing key's `.p8` file, from Apple's developer site.
        key_file: Option<PathBuf>,
        /// The signing key itself, in PEM, in place of the file.
        key: Option<Secret>,
        /// The key's id, ten characters.
        key_id: String,
        /// The team's id, ten characters.
        team_id: String,
        /// The app's bundle id.
        topic: String,
        /// Where the API is; `https://api.sandbox.push.apple.com` for development builds.
        endpoint: url::Url = "https://api.push.apple.com",
        /// A PEM file of authorities to trust besides the system's, for simulators and proxies.
        ca_file: Option<PathBuf>,
        /// Calls at once.
        concurrency: usize = "200",
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
        timeout: Duration = "10s",
    }
}

impl Apns {
    fn check(&self, reader: &mut Reader<'_>) {
        if let Some(key) = credential::read(reader, Self::PATH, "key", self.key.as_ref(), self.key_file.as_deref(), true) {
            reader.require(
                key.expose().contains("-----BEGIN PRIVATE KEY-----"),
                "providers.apns.key_file",
                "is not a signing key in PEM; download the .p8 file on Apple's developer site under «Keys»",
            );
        }
        for (name, value) in [("key_id", &self.key_id), ("team_id", &self.team_id)] {
            reader.require(
                value.len() == 10 && value.chars().all(|c| c.is_ascii_alphanumeric()),
                &format!("providers.apns.{name}"),
                "must be ten letters and digits, as Apple's developer site shows it",
            );
        }
        reader.require(!self.topic.is_empty(), "providers.apns.topic", "must be the app's bundle id, such as com.example.app");
        credential::check_pem(reader, "providers.apns.ca_file", self.ca_file.as_deref());
        bounds(reader, Self::PATH, self.concurrency, self.timeout);
    }

    /// The signing key in PEM; none only if its file went away since it was checked.
    pub fn credential(&self) -> Option<Secret> {
        credential::resolve(self.key.as_ref(), self.key_file.as_deref())
    }
}
