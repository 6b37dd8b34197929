//! One connection to the submission server, and one message over it, step by step.
//!
//! Guarantee: what became of a message is known as exactly as SMTP allows: a break before its content
//! is sent means nothing was delivered, a break from then on means nobody knows (RFC 5321 section
//! 4.1.1.4). Rejected: lettre's pooled transport. It does not tell these apart, knows no time limit
//! once connected, and takes a connection whose call was given up back into the pool, where the late
//! reply is read as that to the next message.

use super::error_map;
use super::message::Mail;
use super::settings::Security;
use domain::values::{Misconfigured, Outcome};
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Noop, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Where and how to connect.
pub(super) struct Endpoint {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub tls: Option<TlsParameters>,
    pub credentials: Option<Credentials>,
    pub hello: ClientId,
    pub connect_timeout: Duration,
}

/// How one message ended on a connection.
pub(super) enum Sent {
    /// With this outcome; the connection can take another message.
    Verdict(Outcome),
    /// With this outcome; the connection is no longer of use.
    Last(Outcome),
    /// Not at all: the connection was closed before the message began.
    Stale,
}

/// See the module.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
    /// A transaction was begun and refused: it is taken back before the next one.
    halfway: bool,
}

impl Session {
    /// Connects, encrypts and logs in. Nothing of a message is sent.
    pub(super) async fn open(endpoint: &Endpoint) -> Result<Self, Outcome> {
        let credential = |code: &str| Outcome::Misconfigured { scope: Misconfigured::Credential, code: code.to_owned() };
        let wrapper = if endpoint.security == Security::Tls { endpoint.tls.clone() } else { None };
        let server = (endpoint.host.as_str(), endpoint.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, Some(endpoint.connect_timeout), &endpoint.hello, wrapper, None)
            .await
            .map_err(|error| before(&error))?;
        if endpoint.security == Security::StartTls {
            let Some(tls) = endpoint.tls.clone().filter(|_| connection.can_starttls()) else {
                return Err(credential("STARTTLS is not offered"));
            };
            connection.starttls(tls, &endpoint.hello).await.map_err(|error| before(&error))?;
        }
        if let Some(credentials) = &endpoint.credentials {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            if connection.server_info().get_auth_mechanism(&mechanisms).is_none() {
                return Err(credential("no login is offered"));
            }
            connection.auth(&mechanisms, credentials).await.map_err(|error| before(&error))?;
        }
        Ok(Self { connection, halfway: false })
    }

    /// Whether the server still answers.
    pub(super) async fn is_alive(&mut self) -> bool {
        self.connection.command(Noop).await.is_ok()
    }

    /// Sends one message to its one recipient. `begun` becomes true before the first byte of content.
    pub(super) async fn send(&mut self, from: &Address, mail: &Mail, begun: &AtomicBool) -> Sent {
        // Only now, so that no verdict waits for it.
        if self.halfway && self.connection.command(Rset).await.is_err() {
            return Sent::Stale;
        }
        match self.connection.command(MailFrom::new(Some(from.clone()), Vec::new())).await {
            Ok(_) => self.halfway = true,
            // Servers close idle connections as they like, some with a last 421.
            Err(error) if reply(&error).is_none_or(|(code, _)| code == 421) => return Sent::Stale,
            Err(error) => return refused(&error),
        }
        if let Err(error) = self.connection.command(Rcpt::new(mail.to.clone(), Vec::new())).await {
            return refused(&error);
        }
        match self.connection.command(Data).await {
            Ok(response) if response.has_code(354) => {}
            Ok(_) => return Sent::Last(not_smtp()),
            Err(error) => return refused(&error),
        }
        begun.store(true, Ordering::Relaxed);
        match self.connection.message(&mail.content).await {
            Ok(response) => {
                self.halfway = false;
                let text: Vec<&str> = response.message().collect();
                Sent::Verdict(error_map::outcome(u16::from(response.code()), &text.join("\n")))
            }
            // A reply to the final dot, be it a refusal, ends the transaction.
            Err(error) if reply(&error).is_some() => {
                self.halfway = false;
                refused(&error)
            }
            Err(_) => Sent::Last(Outcome::Unknown { code: "connection broken".to_owned() }),
        }
    }
}

/// After a refusal the connection can go on, unless the server said goodbye or nothing at all.
fn refused(error: &Error) -> Sent {
    let goes_on = reply(error).is_some_and(|(code, _)| code != 421);
    if goes_on { Sent::Verdict(before(error)) } else { Sent::Last(before(error)) }
}

/// The server's negative reply, if the error is one.
fn reply(error: &Error) -> Option<(u16, String)> {
    let code = u16::from(error.status()?);
    Some((code, error.source().map(ToString::to_string).unwrap_or_default()))
}

/// What an error means before the message's content was begun, or if the server has spoken.
fn before(error: &Error) -> Outcome {
    match reply(error) {
        Some((code, text)) => error_map::outcome(code, &text),
        None if error.is_response() => not_smtp(),
        None => Outcome::Retry { after: None, code: "no connection".to_owned() },
    }
}

fn not_smtp() -> Outcome {
    Outcome::Retry { after: None, code: "not a reply of SMTP".to_owned() }
}
