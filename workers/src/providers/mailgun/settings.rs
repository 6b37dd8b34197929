//! Settings of Mailgun.

use crate::providers::http::Credential;
use std::time::Duration;

/// See the module.
#[derive(Debug, Clone)]
pub struct Settings {
    /// An API key of the account's, or one of the domain's for sending.
    pub api_key: Credential,
    /// The domain that sends, as Mailgun knows it.
    pub domain: String,
    /// Author of the messages, e.g. `Acme <no-reply@mg.acme.com>`.
    pub from: String,
    /// Where Mailgun is.
    pub base_url: String,
    /// Calls at once.
    pub concurrency: usize,
    /// Longest call.
    pub timeout: Duration,
}
