//! Settings of Slack.

use std::time::Duration;

/// See the module.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where Slack is; every address has to be there.
    pub place: String,
    /// Calls at once.
    pub concurrency: usize,
    /// Longest call.
    pub timeout: Duration,
}
