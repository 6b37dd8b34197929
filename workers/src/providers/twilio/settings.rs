//! Settings of Twilio Messaging.

use crate::providers::http::Credential;
use std::time::Duration;

/// Whom a message comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// A number of the account's, or an alphanumeric id.
    From(String),
    /// A messaging service (`MG…`), which chooses among its numbers.
    Service(String),
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account (`AC…`).
    pub account_sid: String,
    /// An API key (`SK…`) in the account's place as user name.
    pub api_key: Option<String>,
    /// The account's token, or the API key's secret.
    pub auth_token: Credential,
    /// Whom messages come from.
    pub sender: Sender,
    /// Where Twilio is to report what becomes of a message; our ids are added to its query.
    pub status_callback: Option<url::Url>,
    /// Where Twilio is.
    pub base_url: String,
    /// Calls at once.
    pub concurrency: usize,
    /// Longest call.
    pub timeout: Duration,
}
