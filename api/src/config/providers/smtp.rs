//! `[providers.smtp]`: an SMTP submission server.

use super::credential;
use super::fcm::bounds;
use crate::config::routing::{RampUp, Sender};
use crate::config::section::{Reader, Section, section};
use crate::config::value::{Form, Secret, Value};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Begins in the clear and must be upgraded (port 587).
    StartTls,
    /// TLS from the first byte (port 465).
    Tls,
    /// In the clear; on loopback only.
    None,
}

impl Value for Encryption {
    const KIND: &'static str = "`starttls`, `tls` or `none`";
    const FORM: Form = Form::Text;

    fn parse(text: &str, _folder: &Path) -> Result<Self, String> {
        match text {
            "starttls" => Ok(Self::StartTls),
            "tls" => Ok(Self::Tls),
            "none" => Ok(Self::None),
            _ => Err(format!("expected {}", Self::KIND)),
        }
    }
}

section! {
    /// E-mail by an SMTP submission server. Serves the channel `email`.
    Smtp at "providers.smtp" {
        /// On or off; when left out, on as soon as anything else here is set.
        enabled: Option<bool>,
        /// The server's name.
        host: String,
        /// Its port.
        port: u16 = "587",
        /// How the connection is protected: `starttls` (port 587), `tls` (port 465) or `none`
        /// (on this machine only).
        encryption: Encryption = "starttls",
        /// User name; leave it out where the server asks for none.
        username: Option<String>,
        /// A file with the password.
        password_file: Option<PathBuf>,
        /// The password itself, in place of the file.
        password: Option<Secret>,
        /// The sender's address, such as `Example <notify@example.com>`.
        from: String,
        /// Addresses, and domains as `@example.com`, that a category or a sender may have its mails come from,
        /// besides `from`. Without, all come from `from`.
        also_from: Vec<String> = "",
        /// Where mail servers return what they cannot deliver, such as `bounces@example.com`, with at most 14
        /// characters before the `@`. Our ids stand behind a `+` in it. When left out, it goes to `from`.
        bounce_address: Option<String>,
        /// A file with the secret that returned mails are handed over with (`Authorization: Bearer` at
        /// `/callbacks/smtp`). Without a secret they are not taken.
        bounce_secret_file: Option<PathBuf>,
        /// The secret itself, in place of the file.
        bounce_secret: Option<Secret>,
        /// A PEM file of authorities to trust besides the system's, for simulators and
        /// private servers.
        ca_file: Option<PathBuf>,
        /// Connections at once.
        concurrency: usize = "10",
        /// Calls a second, of all replicas together; 0 for any number.
        rate: u32 = "0",
        /// Among the providers of the channel, those with the lowest number go first; the others take what
        /// they cannot.
        priority: u32 = "0",
        /// Its share among those of the same priority.
        weight: u32 = "1",
        /// The senders that it serves; none for all.
        senders: Vec<Sender> = "",
        /// A warm-up: so many mails on a first day, and twice as many each day after, by all replicas together.
        /// What is over goes by another provider, or waits.
        ramp_up: Option<RampUp>,
        /// Longest time for one message.
        timeout: Duration = "60s",
    }
}

/// Whether a text can be the author of messages, as far as can be seen without reading it.
pub(super) fn is_author(text: &str) -> bool {
    text.contains('@') && !text.chars().any(char::is_control)
}

impl Smtp {
    fn check(&self, reader: &mut Reader<'_>) {
        reader.require(!self.host.is_empty(), "providers.smtp.host", "must be the server's name");
        credential::read(reader, Self::PATH, "password", self.password.as_ref(), self.password_file.as_deref(), self.username.is_some());
        let loopback = self.host == "localhost" || self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        reader.require(
            self.encryption != Encryption::None || loopback,
            "providers.smtp.encryption",
            "may be `none` only for a server on this machine; use `starttls` or `tls`",
        );
        reader.require(is_author(&self.from), "providers.smtp.from", "must be an address, such as Example <notify@example.com>");
        if let Some(address) = &self.bounce_address {
            let fits = address.split_once('@').is_some_and(|(local, domain)| (1..=14).contains(&local.len()) && !local.contains('+') && !domain.is_empty());
            reader.require(
                fits && email_address::EmailAddress::is_valid(address),
                "providers.smtp.bounce_address",
                "must be an address with at most 14 characters before the @ and no + in it, such as bounces@example.com",
            );
        }
        let secret = credential::read(reader, Self::PATH, "bounce_secret", self.bounce_secret.as_ref(), self.bounce_secret_file.as_deref(), false);
        reader.require(
            secret.is_none_or(|secret| secret.expose().len() >= 16 && secret.expose().bytes().all(|byte| byte.is_ascii_graphic())),
            "providers.smtp.bounce_secret",
            "must have at least 16 characters and no blanks; make one with: openssl rand -hex 32",
        );
        credential::check_pem(reader, "providers.smtp.ca_file", self.ca_file.as_deref());
        bounds(reader, Self::PATH, self.concurrency, self.timeout);
    }

    /// The secret that returned mails are handed over with; none: they are not taken.
    pub fn bounce_credential(&self) -> Option<Secret> {
        credential::resolve(self.bounce_secret.as_ref(), self.bounce_secret_file.as_deref())
    }

    /// The password; none where no user name is set.
    pub fn credential(&self) -> Option<Secret> {
        credential::resolve(self.password.as_ref(), self.password_file.as_deref())
    }
}
