//! `[providers.fcm]`: Firebase Cloud Messaging.

use super::credential;
use crate::config::routing::Sender;
use crate::config::section::{Reader, Section, section};
use crate::config::value::Secret;
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// Push to Android devices by Firebase Cloud Messaging (HTTP v1). Serves the channel
    /// `android_push`.
    Fcm at "providers.fcm" {
        /// On or off; when left out, on as soon as anything else here is set.
        enabled: Option<bool>,
        /// The service account's JSON file, from the Firebase console.
        service_account_file: Option<PathBuf>,
        /// The service account's JSON itself, in place of the file.
        service_account: Option<Secret>,
        /// Where the API is.
        endpoint: url::Url = "https://fcm.googleapis.com",
        /// A PEM file of authorities to trust besides the system's, for simulators.
        ca_file: Option<PathBuf>,
        /// Calls at once.
        concurrency: usize = "128",
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

impl Fcm {
    fn check(&self, reader: &mut Reader<'_>) {
        if let Some(secret) = credential::read(reader, Self::PATH, "service_account", self.service_account.as_ref(), self.service_account_file.as_deref(), true)
            && !serde_json::from_str::<serde_json::Value>(secret.expose()).is_ok_and(|json| json["private_key"].is_string() && json["client_email"].is_string())
        {
            reader.problem("providers.fcm.service_account", "is not a service account; download one in the Firebase console under «Service accounts»");
        }
        credential::check_pem(reader, "providers.fcm.ca_file", self.ca_file.as_deref());
        bounds(reader, Self::PATH, self.concurrency, self.timeout);
    }

    /// The service account's JSON; none only if its file went away since it was checked.
    pub fn credential(&self) -> Option<Secret> {
        credential::resolve(self.service_account.as_ref(), self.service_account_file.as_deref())
    }
}

/// What every provider's section checks.
pub(super) fn bounds(reader: &mut Reader<'_>, section: &str, concurrency: usize, timeout: Duration) {
    reader.require((1..=10_000).contains(&concurrency), &format!("{section}.concurrency"), "must be between 1 and 10000");
    reader.require((Duration::from_millis(100)..=Duration::from_secs(300)).contains(&timeout), &format!("{section}.timeout"), "must be between 100ms and 5m");
}
