//! Settings of SendGrid.

use crate::providers::http::Credential;
use std::time::Duration;

/// See the module.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The API key (`SG.…`); it needs the right to send mail.
    pub api_key: Credential,
    /// Author of the messages, e.g. `Acme <no-reply@acme.com>`; a sender that SendGrid has verified.
    pub from: String,
    /// Where SendGrid is.
    pub base_url: String,
    /// Calls at once.
    pub concurrency: usize,
    /// Longest call.
    pub timeout: Duration,
}
