//! Whom messages come from, by channel: the author of e-mails, the id of text messages, the number of calls.
//!
//! Guarantee: what was checked can neither add a header nor be taken for a second address: ASCII addresses
//! without quotes, names without control characters, and both apart until a provider puts them together.
//! Rejected: one text such as `Acme <no-reply@acme.com>`, which every reader takes apart by rules of its own.

use super::{Channel, PhoneNumber};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest name of an author, in characters.
const LONGEST_NAME: usize = 100;
/// Longest parts of an address, in bytes (RFC 5321 section 4.5.3.1).
const LONGEST_LOCAL: usize = 64;
const LONGEST_DOMAIN: usize = 253;
/// Longest id of letters that carriers show.
const LONGEST_LETTERS: usize = 11;
/// Digits of a short code.
const SHORT_CODE: std::ops::RangeInclusive<usize> = 3..=8;

/// The author of e-mails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MailAuthor {
    /// The address; ASCII.
    pub address: String,
    /// The name that is shown in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// `Acme <no-reply@acme.com>`, for people.
impl fmt::Display for MailAuthor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}

/// Whom messages come from, by channel; what is absent is as configured for the provider.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SentFrom {
    /// E-mails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<MailAuthor>,
    /// Text messages: a number with `+`, a short code, or up to eleven letters and digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms: Option<String>,
    /// Calls: a number with `+`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<String>,
}

/// Whom one message comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentAs {
    /// An e-mail.
    Mail(MailAuthor),
    /// A text message or a call.
    Number(String),
}

/// For people, and for the record of an attempt.
impl fmt::Display for SentAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mail(author) => author.fmt(f),
            Self::Number(number) => f.write_str(number),
        }
    }
}

/// Why one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SentFromError {
    /// Of e-mails.
    #[error(
        "e-mails come from an address in ASCII such as no-reply@acme.com (a domain of another script in its xn-- form) and a name of 1 to 100 characters without control characters"
    )]
    Email,
    /// Of text messages.
    #[error(
        "text messages come from a number such as +821023456789, a short code of 3 to 8 digits, or 1 to 11 letters, digits and blanks with a letter among them"
    )]
    Sms,
    /// Of calls.
    #[error("calls come from a number with + and country code, without blanks, such as +821023456789")]
    Voice,
}

impl SentFrom {
    /// Whether everything is as configured for the providers.
    pub const fn is_default(&self) -> bool {
        self.email.is_none() && self.sms.is_none() && self.voice.is_none()
    }

    /// Whom messages over a channel come from; none where that is the provider's own matter.
    pub fn over(&self, channel: Channel) -> Option<SentAs> {
        match channel {
            Channel::Email => self.email.clone().map(SentAs::Mail),
            Channel::Sms => self.sms.clone().map(SentAs::Number),
            Channel::Voice => self.voice.clone().map(SentAs::Number),
            _ => None,
        }
    }

    /// # Errors
    /// The first that is not of the right form.
    pub fn check(&self) -> Result<(), SentFromError> {
        if self.email.as_ref().is_some_and(|author| !is_author(author)) {
            return Err(SentFromError::Email);
        }
        if self.sms.as_ref().is_some_and(|id| !is_number(id) && !is_short_code(id) && !is_letters(id)) {
            return Err(SentFromError::Sms);
        }
        if self.voice.as_ref().is_some_and(|number| !is_number(number)) {
            return Err(SentFromError::Voice);
        }
        Ok(())
    }
}

fn is_author(author: &MailAuthor) -> bool {
    let named = author.name.as_ref().is_none_or(|name| {
        !name.trim().is_empty() && name.chars().count() <= LONGEST_NAME && !name.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
    });
    named && is_address(&author.address)
}

/// A dot-atom at a domain (RFC 5322 section 3.4.1), without quotes, comments and literals.
fn is_address(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else { return false };
    let atom = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte));
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    local.len() <= LONGEST_LOCAL && local.split('.').all(atom) && domain.len() <= LONGEST_DOMAIN && domain.contains('.') && domain.split('.').all(label)
}

fn is_number(text: &str) -> bool {
    PhoneNumber::parse(text).is_ok_and(|number| number.as_str() == text)
}

fn is_short_code(text: &str) -> bool {
    SHORT_CODE.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_letters(text: &str) -> bool {
    (1..=LONGEST_LETTERS).contains(&text.len())
        && text.trim() == text
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ')
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}
