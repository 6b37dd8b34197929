//! A submission server (providers.md section 10, RFC 5321): EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA.
//!
//! Guarantee: one ledger entry per recipient, written before the reply; the final dot is recognised only as
//! CRLF.CRLF, and a message with bare CR or LF is refused, so a smuggled second message is never stored. Not
//! imitated: relaying and generated delivery reports. Rejected: an existing test mail server, none of which can
//! drop the connection after the final dot.

mod message;
mod replies;
mod session;
mod transaction;
mod wire;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::World;
use super::credentials::TestCredentials;

/// What the server offers and insists on; set through `POST /_sim/smtp`. Absent fields take their defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmtpSwitches {
    /// Advertise PIPELINING; without it, commands sent ahead end the session. On by default.
    pub pipelining: bool,
    /// Offer STARTTLS. On by default.
    pub starttls: bool,
    /// Refuse AUTH and MAIL before STARTTLS with 530. Off by default.
    pub require_tls: bool,
    /// Refuse MAIL before AUTH with 530. On by default.
    pub require_auth: bool,
    /// Largest message in bytes, advertised as SIZE. 10 MiB by default.
    pub max_size: usize,
}

impl Default for SmtpSwitches {
    fn default() -> Self {
        Self { pipelining: true, starttls: true, require_tls: false, require_auth: true, max_size: 10 * 1024 * 1024 }
    }
}

/// The submission server.
pub(crate) struct SmtpSimulator {
    world: Arc<World>,
    tls: TlsAcceptor,
    username: String,
    password: String,
}

impl SmtpSimulator {
    pub(crate) fn new(world: Arc<World>, tls: TlsAcceptor, credentials: &TestCredentials) -> Self {
        Self { world, tls, username: credentials.smtp_username.clone(), password: credentials.smtp_password.clone() }
    }

    /// Serves one connection until QUIT, an error or a fault ends it.
    pub(crate) async fn session(self: Arc<Self>, socket: TcpStream) {
        // How a session ends is the client's business: there is nobody to report it to.
        let _ended = session::run(&self, wire::Wire::new(socket)).await;
    }
}
