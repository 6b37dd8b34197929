//! Behaviour that a mail address asks for with those who take mail over HTTP: the word before the `@`.
//!
//! Rejected: the words of SMTP, most of which say how a mailbox's own server answers; SendGrid and
//! Mailgun take the mail first and learn that later.

use super::super::ledger::Provider;
use super::builtin::{Pattern, common, error, split_number, wait};

/// The reason of each for the same event: SendGrid's field, Mailgun's message.
struct Reasons {
    bounce: &'static str,
    sender: &'static str,
    refused: &'static str,
}

const SENDGRID: Reasons = Reasons { bounce: "personalizations.0.to.0.email", sender: "from", refused: "content" };

const MAILGUN: Reasons = Reasons {
    bounce: "to parameter is not a valid address. please check documentation",
    sender: "from parameter is not a valid address. please check documentation",
    refused: "parameter is not supported",
};

pub(super) fn mailbox(provider: Provider, address: &str) -> Option<Pattern> {
    let reasons = if provider == Provider::Mailgun { &MAILGUN } else { &SENDGRID };
    let local = address.split('@').next()?.to_ascii_lowercase();
    let (word, number) = split_number(local.split(['+', '-', '.', '_']).next()?);
    Some(match word {
        "bounce" => Pattern::Always(error(400, reasons.bounce)),
        "sender" => Pattern::First(1, error(if provider == Provider::Mailgun { 400 } else { 403 }, reasons.sender)),
        "key" => Pattern::First(1, error(401, "")),
        "toolarge" => Pattern::Always(error(413, "")),
        "refused" => Pattern::Always(error(400, reasons.refused)),
        "throttle" => Pattern::Always(wait(429, "", 2)),
        "busy" => Pattern::First(number.unwrap_or(1), wait(429, "", 1)),
        "flaky" => Pattern::First(number.unwrap_or(1), error(503, "")),
        _ => return common(word, number),
    })
}
