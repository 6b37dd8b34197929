//! What providers of e-mail share: the parts of a message, before a provider's own form of them.
//!
//! Guarantees: no header's value has a control character, the recipient is one address in ASCII, and
//! `Message-ID` is the same on every attempt. Rejected: rendering the whole message for all of them;
//! SendGrid and Mailgun sign what they put together themselves.

pub(crate) mod status;
#[cfg(test)]
mod tests;

use super::Message;
use super::http::ProviderError;
use domain::values::{BadAddress, Outcome, SentAs};
use lettre::Address;
use lettre::message::Mailbox;
use std::borrow::Cow;

/// Longest subject made from a text, in characters; lines of mail have at most 78 (RFC 5322).
const LONGEST_SUBJECT: usize = 70;

/// What `List-Unsubscribe-Post` says (RFC 8058).
pub(crate) const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

/// One message in parts.
pub(crate) struct Letter<'a> {
    pub(crate) to: Address,
    /// The title; a notification may have none.
    pub(crate) subject: Option<&'a str>,
    pub(crate) text: &'a str,
    pub(crate) html: Option<&'a str>,
    /// With its angle brackets.
    pub(crate) message_id: String,
    /// Our own headers, plain ASCII.
    pub(crate) headers: [(&'static str, String); 4],
    /// The values of `List-Unsubscribe` (RFC 2369), each in angle brackets; none where there is no way out.
    pub(crate) ways_out: Vec<String>,
}

/// Neither address nor content.
impl std::fmt::Debug for Letter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

impl<'a> Letter<'a> {
    /// The parts, or what it means that there are none. `domain` is that of `Message-ID`.
    pub(crate) fn of(message: &'a Message, domain: &str) -> Result<Self, Outcome> {
        let to = recipient(&message.address.value)?;
        let subject = message.content.title.as_deref();
        if subject.is_some_and(|title| title.chars().any(char::is_control)) {
            return Err(Outcome::Permanent { code: "control character in the title".to_owned() });
        }
        let id = message.notification.0.hyphenated().to_string();
        let ways_out = message.unsubscribe.iter().flat_map(|out| std::iter::once(&out.url).chain(&out.mailto)).map(|way| format!("<{way}>"));
        Ok(Self {
            to,
            subject,
            text: &message.content.body,
            html: message.content.html.as_deref(),
            message_id: format!("<{id}.{}@{domain}>", message.delivery),
            ways_out: ways_out.collect(),
            headers: [
                ("Auto-Submitted", "auto-generated".to_owned()),
                ("X-Bongsu-Notification", id),
                ("X-Bongsu-Delivery", message.delivery.to_string()),
                ("X-Bongsu-Attempt", message.attempt.to_string()),
            ],
        })
    }

    /// The subject for those who take no message without one: the title, or the text's first line.
    pub(crate) fn some_subject(&self) -> Cow<'a, str> {
        if let Some(subject) = self.subject.filter(|subject| !subject.trim().is_empty()) {
            return Cow::Borrowed(subject);
        }
        let line = self.text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("-");
        let plain: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if plain.chars().count() <= LONGEST_SUBJECT {
            return Cow::Owned(plain);
        }
        Cow::Owned(plain.chars().take(LONGEST_SUBJECT - 1).chain(['…']).collect())
    }

    /// All headers that are ours, for those who take them by name.
    pub(crate) fn all_headers(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        let out = (!self.ways_out.is_empty()).then(|| [("List-Unsubscribe", self.ways_out.join(", ")), ("List-Unsubscribe-Post", ONE_CLICK.to_owned())]);
        std::iter::once(("Message-ID", self.message_id.clone())).chain(self.headers.iter().cloned()).chain(out.into_iter().flatten())
    }
}

/// The one recipient. Domains of other scripts become their ASCII form (RFC 5891); a local part of
/// another script would need SMTPUTF8 all the way to the mailbox.
fn recipient(value: &str) -> Result<Address, Outcome> {
    let refused = |code: &str| Outcome::BadAddress { kind: BadAddress::Unsupported, as_of: None, code: code.to_owned() };
    let malformed = || refused("not an e-mail address");
    if value.chars().any(char::is_control) {
        return Err(malformed());
    }
    let address: Address = value.parse().map_err(|_| malformed())?;
    if !address.user().is_ascii() {
        return Err(refused("address needs SMTPUTF8"));
    }
    if address.domain().is_ascii() {
        return Ok(address);
    }
    let domain = url::Host::parse(address.domain()).map_err(|_| malformed())?.to_string();
    Address::new(address.user(), domain).map_err(|_| malformed())
}

/// The author of a message: its own, else the one that is configured.
pub(crate) fn author_of<'a>(message: &Message, configured: &'a Mailbox) -> Cow<'a, Mailbox> {
    match &message.from {
        // Checked before it was stored, so it can be read.
        Some(SentAs::Mail(author)) => author.address.parse().map_or(Cow::Borrowed(configured), |email| Cow::Owned(Mailbox::new(author.name.clone(), email))),
        Some(SentAs::Number(_)) | None => Cow::Borrowed(configured),
    }
}

/// What a repeat of what may have arrived comes to at a provider that does not work: it is allowed once, and not
/// spent where it would tell no more than the first.
pub(crate) fn not_working() -> Outcome {
    Outcome::Retry { after: None, code: "not working before the repeat".to_owned() }
}

/// Reads the author of messages.
///
/// # Errors
/// It is no address, or not in ASCII.
pub(crate) fn author(provider: &'static str, from: &str) -> Result<Mailbox, ProviderError> {
    let wrong = |reason: &str| ProviderError::settings(provider, reason);
    let parsed = Some(from).filter(|from| !from.contains(char::is_control)).and_then(|from| from.parse::<Mailbox>().ok());
    let author = parsed.ok_or_else(|| wrong("from is not an e-mail address; give it like Acme <no-reply@acme.com>"))?;
    if author.email.to_string().is_ascii() { Ok(author) } else { Err(wrong("from's address is not ASCII; write its domain in its xn-- form")) }
}
