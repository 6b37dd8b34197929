//! Behaviour that an address asks for by its spelling, so that a test or a person needs no admin call.
//!
//! The tables are in the header of [`crate::simulators`]. APNs tokens are hexadecimal, hence the six-digit prefixes
//! there. Rejected: a registry of known addresses, which every test would have to fill first.

use std::time::Duration;

use super::super::ledger::Provider;
use super::{Fault, SmtpStage};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pattern {
    Always(Fault),
    /// The first so many requests to this address.
    First(u32, Fault),
    Delay(Duration),
}

pub(super) const SLOW: Duration = Duration::from_secs(2);

pub(super) fn pattern(provider: Provider, address: &str) -> Option<Pattern> {
    match provider {
        Provider::Fcm => fcm(address),
        Provider::Apns => apns(address),
        Provider::Smtp => smtp(address),
        Provider::Webhook => webhook(address),
        Provider::Twilio | Provider::TwilioVoice | Provider::Vonage | Provider::KakaoTalk => super::phones::phone(provider, address),
        Provider::Sendgrid | Provider::Mailgun => super::mailboxes::mailbox(provider, address),
        Provider::WebPush => browser(address),
        Provider::Slack => slack(address),
    }
}

pub(super) fn error(status: u16, reason: &str) -> Fault {
    Fault::Error { status, reason: reason.into(), retry_after: None, at: SmtpStage::Rcpt }
}

pub(super) fn wait(status: u16, reason: &str, seconds: u64) -> Fault {
    Fault::Error { status, reason: reason.into(), retry_after: Some(seconds), at: SmtpStage::Rcpt }
}

fn mail(at: SmtpStage, status: u16, reason: &str) -> Fault {
    Fault::Error { status, reason: reason.into(), retry_after: None, at }
}

/// `flaky12` → ("flaky", Some(12)).
pub(super) fn split_number(word: &str) -> (&str, Option<u32>) {
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
    (letters, word[letters.len()..].parse().ok())
}

/// Words that mean the same for every provider with words in its addresses.
pub(super) fn common(word: &str, number: Option<u32>) -> Option<Pattern> {
    Some(match word {
        "slow" => Pattern::Delay(number.map_or(SLOW, |ms| Duration::from_millis(ms.into()))),
        "drop" => Pattern::First(number.unwrap_or(1), Fault::AcceptThenDrop),
        "ghost" => Pattern::First(number.unwrap_or(1), Fault::UnavailableAfterDelivery),
        "reset" => Pattern::First(number.unwrap_or(1), Fault::Reset),
        "garbage" => Pattern::First(number.unwrap_or(1), Fault::Garbage),
        "empty" => Pattern::First(number.unwrap_or(1), Fault::Empty),
        "hang" => Pattern::Always(Fault::Hang),
        _ => return None,
    })
}

fn fcm(token: &str) -> Option<Pattern> {
    let (word, _) = token.split_once('-')?;
    let (word, number) = split_number(word);
    Some(match word {
        "dead" => Pattern::Always(error(404, "UNREGISTERED")),
        "mismatch" => Pattern::Always(error(403, "SENDER_ID_MISMATCH")),
        "invalid" => Pattern::Always(error(400, "INVALID_ARGUMENT")),
        "thirdparty" => Pattern::Always(error(401, "THIRD_PARTY_AUTH_ERROR")),
        "quota" => Pattern::Always(wait(429, "QUOTA_EXCEEDED", 60)),
        "busy" => Pattern::First(number.unwrap_or(1), wait(429, "QUOTA_EXCEEDED", 1)),
        "flaky" => Pattern::First(number.unwrap_or(1), error(503, "UNAVAILABLE")),
        "internal" => Pattern::First(number.unwrap_or(u32::MAX), error(500, "INTERNAL")),
        "unavailable" => Pattern::Always(wait(503, "UNAVAILABLE", 10)),
        _ => return common(word, number),
    })
}

fn apns(token: &str) -> Option<Pattern> {
    let prefix = token.get(..6)?.to_ascii_lowercase();
    if let Some(times) = prefix.strip_prefix("f1a00").and_then(|n| n.parse().ok()) {
        return Some(Pattern::First(times, error(503, "ServiceUnavailable")));
    }
    Some(match prefix.as_str() {
        "dead00" => Pattern::Always(error(410, "Unregistered")),
        "dead01" => Pattern::Always(error(410, "ExpiredToken")),
        "bad000" => Pattern::Always(error(400, "BadDeviceToken")),
        "bad001" => Pattern::Always(error(400, "DeviceTokenNotForTopic")),
        "429000" => Pattern::Always(error(429, "TooManyRequests")),
        "500000" => Pattern::Always(error(500, "InternalServerError")),
        "510000" => Pattern::Delay(SLOW),
        "d60000" => Pattern::First(1, Fault::AcceptThenDrop),
        "9057ed" => Pattern::First(1, Fault::UnavailableAfterDelivery),
        "4a4900" => Pattern::Always(Fault::Hang),
        "c105e0" => Pattern::First(1, Fault::Reset),
        "c105e1" => Pattern::First(1, Fault::RstStream),
        "60a3a0" => Pattern::First(1, Fault::Goaway("Shutdown".into())),
        "6a5ba6" => Pattern::First(1, Fault::Garbage),
        _ => return None,
    })
}

/// `<word>`, `<word><digits>` or `<word>` followed by a separator, before the `@`.
fn smtp(address: &str) -> Option<Pattern> {
    let local = address.split('@').next()?.to_ascii_lowercase();
    let mut parts = local.split(['+', '-', '.', '_']);
    let first = parts.next()?;
    if let (Some(at), Some(code)) = (stage(first), parts.next().and_then(|c| c.parse().ok())) {
        return (400..600).contains(&code).then(|| Pattern::Always(mail(at, code, "")));
    }
    let (word, number) = split_number(first);
    Some(match word {
        "bounce" => Pattern::Always(error(550, "5.1.1 The email account does not exist")),
        "nodomain" => Pattern::Always(error(550, "5.1.2 Bad destination system address")),
        "disabled" => Pattern::Always(error(550, "5.2.1 Mailbox disabled")),
        "full" => Pattern::Always(error(452, "4.2.2 Mailbox full")),
        "quota" => Pattern::Always(error(552, "5.2.2 Mailbox full")),
        "throttle" => Pattern::Always(error(450, "4.7.1 Too many messages, slow down")),
        "greylist" => Pattern::First(1, error(451, "4.7.1 Greylisted, try again later")),
        "flaky" => Pattern::First(number.unwrap_or(1), error(451, "4.3.0 Temporary failure")),
        "shutdown" => Pattern::First(1, error(421, "4.3.2 Service shutting down")),
        "spam" => Pattern::Always(mail(SmtpStage::Dot, 550, "5.7.1 Rejected as spam")),
        "unauthenticated" => Pattern::Always(mail(SmtpStage::Dot, 550, "5.7.26 Sender is not authenticated")),
        "toolarge" => Pattern::Always(mail(SmtpStage::Dot, 552, "5.3.4 Message too big")),
        _ => return common(word, number),
    })
}

fn stage(word: &str) -> Option<SmtpStage> {
    Some(match word {
        "mail" => SmtpStage::Mail,
        "rcpt" => SmtpStage::Rcpt,
        "data" => SmtpStage::Data,
        "dot" => SmtpStage::Dot,
        _ => return None,
    })
}

/// First segment of the path; `/status/418` answers that status.
fn webhook(path: &str) -> Option<Pattern> {
    let mut segments = path.trim_start_matches('/').split('/');
    let (word, number) = split_number(segments.next()?);
    Some(match word {
        "gone" => Pattern::Always(error(410, "gone")),
        "redirect" => Pattern::Always(Fault::Redirect),
        "flaky" => Pattern::First(number.unwrap_or(1), error(503, "unavailable")),
        "throttle" => Pattern::Always(wait(429, "too many requests", 2)),
        "busy" => Pattern::First(number.unwrap_or(1), wait(429, "too many requests", 1)),
        "status" => {
            let status = segments.next()?.parse().ok()?;
            if !(400..600).contains(&status) {
                return None;
            }
            Pattern::Always(error(status, "asked for"))
        }
        _ => return common(word, number),
    })
}

/// The word after `/push/`, up to a dash.
fn browser(path: &str) -> Option<Pattern> {
    let (word, number) = split_number(path.strip_prefix("/push/")?.split('-').next()?);
    Some(match word {
        "gone" => Pattern::Always(error(410, "gone")),
        "missing" => Pattern::Always(error(404, "no such subscription")),
        "otherkey" => Pattern::Always(error(403, "another key than the subscription's")),
        "toolarge" => Pattern::Always(error(413, "too large")),
        "throttle" => Pattern::Always(wait(429, "too many requests", 2)),
        "busy" => Pattern::First(number.unwrap_or(1), wait(429, "too many requests", 1)),
        "flaky" => Pattern::First(number.unwrap_or(1), error(503, "unavailable")),
        _ => return common(word, number),
    })
}

/// The word of the path's last segment, up to a dash.
fn slack(path: &str) -> Option<Pattern> {
    let (word, number) = split_number(path.rsplit('/').next()?.split('-').next()?);
    Some(match word {
        "gone" => Pattern::Always(error(404, "no_service")),
        "archived" => Pattern::Always(error(410, "channel_is_archived")),
        "prohibited" => Pattern::Always(error(403, "action_prohibited")),
        "invalid" => Pattern::Always(error(400, "invalid_payload")),
        "throttle" => Pattern::Always(wait(429, "rate_limited", 2)),
        "busy" => Pattern::First(number.unwrap_or(1), wait(429, "rate_limited", 1)),
        "flaky" => Pattern::First(number.unwrap_or(1), error(500, "rollup_error")),
        _ => return common(word, number),
    })
}
