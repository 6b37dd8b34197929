//! Settings of webhooks.

use super::destination::WebhookPolicy;
use std::time::Duration;

/// See the module.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where calls may go.
    pub policy: WebhookPolicy,
    /// Certificates, as PEM, of authorities trusted beyond those of the system.
    pub ca_pem: Option<String>,
    /// Calls at once.
    pub concurrency: usize,
    /// Longest call, from the lookup of the name to the end of the answer.
    pub timeout: Duration,
}

impl Default for Settings {
    /// Public `https` only, and the 15 seconds the specification recommends.
    fn default() -> Self {
        Self { policy: WebhookPolicy::default(), ca_pem: None, concurrency: 64, timeout: Duration::from_secs(15) }
    }
}
