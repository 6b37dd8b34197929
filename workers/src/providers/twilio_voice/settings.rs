//! Settings of Twilio Voice.

use crate::providers::http::Credential;
use std::time::Duration;

/// See the module.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account (`AC…`).
    pub account_sid: String,
    /// An API key (`SK…`) in the account's place as user name.
    pub api_key: Option<String>,
    /// The account's token, or the API key's secret.
    pub auth_token: Credential,
    /// The number that calls.
    pub from: String,
    /// In which language texts are read, e.g. `ko-KR`; Twilio's own choice without it.
    pub language: Option<String>,
    /// How long it rings at most; whole seconds.
    pub ring: Duration,
    /// Where Twilio is to report what becomes of a call; our ids are added to its query.
    pub status_callback: Option<url::Url>,
    /// Where Twilio is.
    pub base_url: String,
    /// Calls of the API at once.
    pub concurrency: usize,
    /// Longest call of the API.
    pub timeout: Duration,
}
