//! One arrival: the compact form kept in memory and the readable form served and written.
//!
//! The compact form is 136 bytes so that two million arrivals fit into less than 400 MB; identifiers that are UUIDs
//! are kept as 16 bytes, reasons as numbers into a table. Rejected: keeping the JSON line, three times larger.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::list::Provider;

/// What the simulated provider told its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A positive answer was given.
    Accepted,
    /// A definite refusal (4xx other than throttling, SMTP 4xx/5xx).
    Rejected,
    /// Refused for going too fast (429).
    Throttled,
    /// The provider said it was not working (5xx).
    Unavailable,
    /// No answer, or the connection closed before one.
    Dropped,
    /// An answer that is not the provider's protocol.
    Garbage,
    /// FCM `validate_only`: checked, nothing stored.
    Validated,
}

/// An identifier of ours as found in a request; UUIDs in any spelling are kept as numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum IdText {
    #[default]
    Missing,
    Uuid(Uuid),
    Text(Box<str>),
}

impl IdText {
    /// Longest foreign identifier kept; longer ones are cut.
    const MAX: usize = 200;

    pub(crate) fn parse(text: &str) -> Self {
        if text.is_empty() {
            return Self::Missing;
        }
        match Uuid::try_parse(text) {
            Ok(uuid) => Self::Uuid(uuid),
            Err(_) => Self::Text(text.chars().take(Self::MAX).collect::<String>().into()),
        }
    }

    pub(crate) fn render(&self) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Uuid(uuid) => Some(uuid.hyphenated().to_string()),
            Self::Text(text) => Some(text.to_string()),
        }
    }
}

/// The identifier the provider gave out.
#[derive(Debug, Clone, Default)]
pub(crate) enum ProviderId {
    #[default]
    None,
    /// `projects/P/messages/0:<micros>%<number>`; the project is known to the ledger's reader.
    Fcm {
        micros: i64,
        number: u64,
    },
    ApnsId(Uuid),
    /// Queue id of the 250 reply, with the message's own Message-ID.
    Mail(Box<MailIds>),
    Text(Box<str>),
    /// What a provider of text messages gave out, with the segments it counted.
    Sms(Box<SmsIds>),
}

#[derive(Debug, Clone)]
pub(crate) struct SmsIds {
    pub(crate) id: Box<str>,
    pub(crate) segments: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct MailIds {
    pub(crate) queue: u64,
    pub(crate) message_id: Option<Box<str>>,
}

impl ProviderId {
    pub(crate) fn render(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Fcm { micros, number } => Some(fcm_name(*micros, *number)),
            Self::ApnsId(uuid) => Some(uuid.hyphenated().to_string()),
            Self::Mail(ids) => Some(queue_id(ids.queue)),
            Self::Text(text) => Some(text.to_string()),
            Self::Sms(ids) => Some(ids.id.to_string()),
        }
    }
}

/// Message name as FCM returns it.
pub(crate) fn fcm_name(micros: i64, number: u64) -> String {
    format!("projects/{}/messages/0:{micros}%{number:016x}", super::super::credentials::FCM_PROJECT)
}

/// Queue id as the SMTP simulator returns it.
pub(crate) fn queue_id(number: u64) -> String {
    format!("SIM{number:010X}")
}

/// Who and what arrived, before any verdict.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) provider: Provider,
    pub(crate) notification: IdText,
    pub(crate) delivery: Option<u32>,
    pub(crate) attempt: Option<u32>,
    pub(crate) address_hash: [u8; 32],
    pub(crate) body_sha256: [u8; 32],
}

/// How it ended.
#[derive(Debug, Clone)]
pub(crate) struct Ending<'a> {
    pub(crate) verdict: Verdict,
    pub(crate) delivered: bool,
    /// HTTP status or SMTP reply code; 0 when no answer was given.
    pub(crate) status: u16,
    pub(crate) reason: &'a str,
    pub(crate) provider_id: ProviderId,
}

/// The compact stored form. `u32::MAX` stands for a missing delivery or attempt number.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) at_micros: i64,
    pub(crate) notification: IdText,
    pub(crate) provider_id: ProviderId,
    pub(crate) address_hash: [u8; 32],
    pub(crate) body_sha256: [u8; 32],
    pub(crate) delivery: u32,
    pub(crate) attempt: u32,
    pub(crate) status: u16,
    pub(crate) reason: u16,
    pub(crate) provider: Provider,
    pub(crate) verdict: Verdict,
    pub(crate) delivered: bool,
    pub(crate) duplicate: bool,
}

/// One arrival as served by `GET /_sim/ledger` and written to the ledger file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Position, from 1, without gaps until the memory bound drops the oldest.
    pub seq: u64,
    /// RFC 3339 time on the simulators' clock.
    pub at: String,
    /// Which simulator.
    pub provider: Provider,
    /// What the client was told.
    pub verdict: Verdict,
    /// Whether the simulated device, mailbox or receiver really got it, whatever the client was told.
    pub delivered: bool,
    /// HTTP status or SMTP reply code; null when no answer was given.
    pub status: Option<u16>,
    /// The provider's error name, or why the simulator answered so.
    pub reason: Option<String>,
    /// Our notification id; UUIDs in hyphenated form whatever their spelling in the request.
    pub notification: Option<String>,
    /// Our delivery index within the notification.
    pub delivery: Option<u32>,
    /// Our attempt number.
    pub attempt: Option<u32>,
    /// Hex SHA-256 of the device token, mail address or URL path.
    pub address_hash: String,
    /// Hex SHA-256 of the request body or message.
    pub body_sha256: String,
    /// What the provider returned as identifier.
    pub provider_id: Option<String>,
    /// SMTP only: the Message-ID header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Text messages only: how many segments were billed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<u32>,
    /// True when the same notification and delivery had been delivered before.
    pub duplicate: bool,
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// SHA-256 as plain bytes.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}
