//! Settings of SMTP.

use crate::providers::http::Credential;
use std::time::Duration;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Not at all, for a relay on the same machine.
    None,
    /// STARTTLS, required: a server that does not offer it gets neither password nor mail (port 587).
    StartTls,
    /// TLS from the first byte (RFC 8314, port 465).
    Tls,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The submission server's name; its certificate must be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Name to log in with; only together with a password.
    pub username: Option<String>,
    /// Password to log in with.
    pub password: Option<Credential>,
    /// Author of the messages, e.g. `Acme <no-reply@acme.com>`; its address is the envelope's sender too,
    /// unless there is one for bounces.
    pub from: String,
    /// Where mail servers return what they cannot deliver, e.g. `bounces@acme.com`: the envelope's sender is
    /// this address with our ids behind a `+`.
    pub bounce_address: Option<String>,
    /// The secret with which reports on what was sent are taken in; seals what is sent.
    pub bounce_secret: Option<Credential>,
    /// Domain of `Message-ID`; also how we introduce ourselves.
    pub message_id_domain: String,
    /// Certificates, as PEM, of authorities trusted beyond those of the system.
    pub ca_pem: Option<String>,
    /// Messages at once; each needs a connection.
    pub concurrency: usize,
    /// Longest call, from connecting to the reply after the final dot.
    pub timeout: Duration,
}
