//! Settings of Vonage SMS.

use crate::providers::http::Credential;
use std::time::Duration;

/// See the module.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account's key.
    pub api_key: String,
    /// Its secret.
    pub api_secret: Credential,
    /// Whom messages come from: a number of the account's without `+`, or up to eleven letters.
    pub from: String,
    /// Where Vonage is to report what becomes of each message.
    pub callback: Option<url::Url>,
    /// Where Vonage is.
    pub base_url: String,
    /// Calls at once.
    pub concurrency: usize,
    /// Longest call.
    pub timeout: Duration,
}
