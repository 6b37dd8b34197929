//! `[providers.slack]`: incoming webhooks of Slack.

use super::fcm::bounds;
use crate::config::routing::Sender;
use crate::config::section::{Reader, Section, section};
use std::time::Duration;

section! {
    /// Messages by incoming webhooks of Slack, whose URLs recipients bring. Serves the channel `chat`.
    /// On unless switched off.
    Slack at "providers.slack" {
        /// On or off.
        enabled: Option<bool>,
        /// Where Slack is; no URL elsewhere is taken as an address.
        endpoint: url::Url = "https://hooks.slack.com/",
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
        /// Longest time for one call.
        timeout: Duration = "15s",
    }
}

impl Slack {
    fn check(&self, reader: &mut Reader<'_>) {
        reader.require(self.endpoint.path() == "/", "providers.slack.endpoint", "must be a URL without a path, such as https://hooks.slack.com/");
        bounds(reader, Self::PATH, self.concurrency, self.timeout);
    }
}
