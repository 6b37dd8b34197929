//! Settings of FCM.

use crate::providers::http::Credential;
use std::time::Duration;

/// See the module.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The service account's key file, as JSON text.
    pub service_account: Credential,
    /// Where FCM is.
    pub base_url: String,
    /// Certificates, as PEM, of authorities trusted beyond those of the system.
    pub ca_pem: Option<String>,
    /// Calls at once.
    pub concurrency: usize,
    /// Longest call; FCM asks for at least ten seconds.
    pub timeout: Duration,
    /// HTTP/2 over TLS; without it HTTP/1.1 with kept connections.
    pub http2: bool,
}

impl Settings {
    /// Google's own address and sensible bounds.
    pub fn new(service_account: Credential) -> Self {
        Self {
            service_account,
            base_url: "https://fcm.googleapis.com".to_owned(),
            ca_pem: None,
            concurrency: 128,
            timeout: Duration::from_secs(15),
            http2: true,
        }
    }
}
