//! Replies of a mail server as outcomes: reply codes of RFC 5321 section 4.2, enhanced status codes
//! of RFC 3463 and the IANA registry. Where there is an enhanced code, it counts.

use domain::values::{BadAddress, Misconfigured, Outcome, ThrottleScope};
use std::time::Duration;

/// Shortest wait after a temporary refusal. Servers mean minutes to hours (RFC 5321 section 4.5.4.1;
/// greylisting), but do not say.
const WAIT: Duration = Duration::from_secs(60);

/// Longest text kept as the server's id of a message.
const LONGEST_ID: usize = 64;

/// What a reply means. `text` is everything after the code.
pub(super) fn outcome(code: u16, text: &str) -> Outcome {
    if (200..300).contains(&code) {
        return Outcome::Accepted { provider_id: queue_id(text) };
    }
    let enhanced = enhanced(text);
    // The text itself is never kept: servers put addresses into it.
    let short = match enhanced {
        Some((class, subject, detail)) => format!("{code} {class}.{subject}.{detail}"),
        None => code.to_string(),
    };
    let (subject, detail) = enhanced.map_or((0, 0), |(_, subject, detail)| (subject, detail));
    match (code, subject, detail) {
        // The server ends the connection; that says nothing on the message.
        (421, ..) => Outcome::Retry { after: None, code: short },
        // 454 4.7.0 is about our login, not about the recipient (RFC 4954 section 6).
        (400..=453 | 455..=499, 7, _) => Outcome::Throttled { after: Some(WAIT), scope: ThrottleScope::Recipient, code: short },
        (400..=499, ..) => Outcome::Retry { after: Some(WAIT), code: short },
        (530 | 534 | 535 | 538, ..) | (500..=599, 7, 8) => Outcome::Misconfigured { scope: Misconfigured::Credential, code: short },
        // Our domain is not authenticated (SPF, DKIM): every message would be refused.
        (500..=599, 7, 26) => Outcome::Misconfigured { scope: Misconfigured::Sender, code: short },
        (500..=599, 1, 1 | 2 | 3 | 10) | (500..=599, 2, 1) => Outcome::BadAddress { kind: BadAddress::Dead, as_of: None, code: short },
        (500..=599, 2, 2) => Outcome::BadAddress { kind: BadAddress::SoftFail, as_of: None, code: short },
        (500..=599, ..) => Outcome::Permanent { code: short },
        // Not a reply code of SMTP at all.
        _ => Outcome::Unknown { code: short },
    }
}

/// `class.subject.detail` at the start of a text (RFC 3463 section 2).
fn enhanced(text: &str) -> Option<(u16, u16, u16)> {
    let mut parts = text.split_whitespace().next()?.split('.');
    let mut number = || {
        let part = parts.next()?;
        ((1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let code = (number()?, number()?, number()?);
    (matches!(code.0, 2 | 4 | 5) && parts.next().is_none()).then_some(code)
}

/// The id in the reply to the final dot: what follows «queued as», else the whole text if it is short.
fn queue_id(text: &str) -> Option<String> {
    let text = text.lines().next().unwrap_or_default().trim();
    let text = if enhanced(text).is_some() { text.split_once(' ').map_or("", |(_, rest)| rest.trim()) } else { text };
    let id = text.split_once("queued as ").map_or(text, |(_, id)| id.trim());
    let fits = !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    fits.then(|| id.to_owned())
}
