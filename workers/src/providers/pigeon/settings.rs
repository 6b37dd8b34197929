//! Settings of Pigeon.

use crate::providers::http::Credential;
use std::time::Duration;

/// See the module.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account's key.
    pub api_key: Credential,
    /// Where Pigeon is.
    pub base_url: String,
    /// Calls at once.
    pub concurrency: usize,
    /// Longest call.
    pub timeout: Duration,
}
