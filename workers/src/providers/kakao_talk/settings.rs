//! Settings of KakaoTalk AlimTalk by NHN Cloud.

use crate::providers::http::Credential;
use std::time::Duration;

/// See the module.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The application's key: part of every URL, not secret by itself.
    pub app_key: String,
    /// Its secret.
    pub secret_key: Credential,
    /// The 40 characters under which the business writes.
    pub sender_key: String,
    /// Template of notifications that name none.
    pub template: Option<String>,
    /// Number, registered with NHN Cloud, from which NHN sends a text message where KakaoTalk cannot deliver;
    /// none: no text message.
    pub sms_fallback_from: Option<String>,
    /// Where NHN Cloud is.
    pub base_url: String,
    /// Calls at once.
    pub concurrency: usize,
    /// Longest call.
    pub timeout: Duration,
}
