//! `[providers.webhook]`: HTTP requests to recipients' own servers.

use super::credential;
use super::fcm::bounds;
use crate::config::routing::Sender;
use crate::config::section::{Reader, Section, section};
use crate::config::value::{Form, Value};
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// A network in CIDR notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// Its address.
    pub address: IpAddr,
    /// Leading bits that count.
    pub prefix: u8,
}

impl Network {
    /// Whether an address lies in it. An IPv4 address written as IPv6 is the IPv4 address.
    pub fn holds(&self, address: IpAddr) -> bool {
        let bits = |address: IpAddr| match address.to_canonical() {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        let ((ours, width), (theirs, other)) = (bits(self.address), bits(address));
        let free = width - u32::from(self.prefix).min(width);
        width == other && (ours ^ theirs).checked_shr(free).unwrap_or(0) == 0
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Value for Network {
    const KIND: &'static str = "networks, such as `127.0.0.0/8`";
    const FORM: Form = Form::Text;

    fn parse(text: &str, _folder: &Path) -> Result<Self, String> {
        let read = || {
            let (address, prefix) = text.split_once('/')?;
            let address: IpAddr = address.parse().ok()?;
            let prefix: u8 = prefix.parse().ok()?;
            let longest = if address.is_ipv4() { 32 } else { 128 };
            (prefix <= longest).then_some(Self { address, prefix })
        };
        read().ok_or_else(|| format!("expected {}", Self::KIND))
    }
}

section! {
    /// HTTP requests to recipients' own servers, signed as Standard Webhooks asks. Serves the
    /// channel `webhook`. On unless switched off.
    Webhook at "providers.webhook" {
        /// On or off.
        enabled: Option<bool>,
        /// Also `http://` URLs. Content then travels in the clear.
        allow_http: bool = "false",
        /// Networks that may be called although they are private or of this machine. Everything
        /// else that is not public is refused, whatever name it hides behind.
        allow_private: Vec<Network> = "",
        /// A PEM file of authorities to trust besides the system's.
        ca_file: Option<PathBuf>,
        /// Calls at once.
        concurrency: usize = "64",
        /// Calls a second, of all replicas together; 0 for any number.
        rate: u32 = "0",
        /// Among the providers of the channel, those with the lowest number go first; the others take what
        /// they cannot.
        priority: u32 = "0",
        /// Its share among those of the same priority.
        weight: u32 = "1",
        /// The senders that it serves; none for all.
        senders: Vec<Sender> = "",
        /// Longest time for one call.
        timeout: Duration = "15s",
    }
}

impl Webhook {
    fn check(&self, reader: &mut Reader<'_>) {
        credential::check_pem(reader, "providers.webhook.ca_file", self.ca_file.as_deref());
        bounds(reader, Self::PATH, self.concurrency, self.timeout);
    }
}
