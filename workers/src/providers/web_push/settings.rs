//! Settings of Web Push.

use crate::providers::http::Credential;
use crate::providers::webhook::WebhookPolicy;
use std::time::Duration;

/// See the module.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The VAPID key's private half: base64url of its 32 bytes.
    pub private_key: Credential,
    /// Whom a push service may turn to: `mailto:` or `https:`.
    pub subject: String,
    /// Where calls may go.
    pub policy: WebhookPolicy,
    /// Certificates, as PEM, of authorities trusted beyond those of the system.
    pub ca_pem: Option<String>,
    /// Calls at once.
    pub concurrency: usize,
    /// Longest call.
    pub timeout: Duration,
}
