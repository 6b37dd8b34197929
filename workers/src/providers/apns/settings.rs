//! Settings of APNs.

use crate::providers::http::Credential;
use std::time::Duration;

/// See the module.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The signing key as Apple issues it (`AuthKey_….p8`), as PEM text.
    pub key_pem: Credential,
    /// The key's id, ten characters.
    pub key_id: String,
    /// The team's id, ten characters.
    pub team_id: String,
    /// The app's bundle id.
    pub topic: String,
    /// Where APNs is.
    pub base_url: String,
    /// The only authority to trust, as PEM text; without it the system's. For stand-ins of Apple.
    pub ca_pem: Option<String>,
    /// Permits a `base_url` without TLS, spoken to in HTTP/2 from the first byte. For stand-ins of
    /// Apple only: tokens and content travel in the clear.
    pub http2_prior_knowledge: bool,
    /// Calls at once.
    pub concurrency: usize,
    /// Longest call.
    pub timeout: Duration,
}

impl Settings {
    /// Apple's own production address and sensible bounds.
    pub fn new(key_pem: Credential, key_id: impl Into<String>, team_id: impl Into<String>, topic: impl Into<String>) -> Self {
        Self {
            key_pem,
            key_id: key_id.into(),
            team_id: team_id.into(),
            topic: topic.into(),
            base_url: "https://api.push.apple.com".to_owned(),
            ca_pem: None,
            http2_prior_knowledge: false,
            concurrency: 128,
            timeout: Duration::from_secs(15),
        }
    }
}
