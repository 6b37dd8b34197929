//! SendGrid's answers as outcomes
//! (<https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send>).

use crate::providers::http::Answer;
use domain::values::{BadAddress, Millis, Misconfigured, Outcome, ThrottleScope};
use reqwest::header::HeaderMap;
use serde::Deserialize;
use std::time::Duration;

/// Longest id that is kept.
const LONGEST_ID: usize = 128;

/// Longest wait that is believed: SendGrid's windows are minutes.
const LONGEST_WAIT_MS: Millis = 3_600_000;

#[derive(Deserialize)]
struct Refused {
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    field: Option<String>,
}

/// What an answer means; `now` on our clock.
pub(super) fn outcome(answer: &Answer, now: Millis) -> Outcome {
    let status = answer.status;
    if status == 202
        && let Some(id) = id(&answer.headers)
    {
        return Outcome::Accepted { provider_id: Some(id) };
    }
    if (200..300).contains(&status) {
        // 202 and an id are what SendGrid says; anything else may have been passed on or not.
        return Outcome::Unknown { code: format!("{status} with another answer") };
    }
    let field = serde_json::from_slice::<Refused>(&answer.body).ok().and_then(|refused| refused.errors.into_iter().find_map(|reason| reason.field));
    refused(status, answer.retry_after.or_else(|| reset(&answer.headers, now)), field.as_deref())
}

fn refused(status: u16, after: Option<Duration>, field: Option<&str>) -> Outcome {
    let code = status.to_string();
    match (status, field) {
        (400, Some(field)) if is_recipient(field) => Outcome::BadAddress { kind: BadAddress::Dead, as_of: None, code: format!("{status} recipient") },
        // The sender is not verified, or not one at all.
        (400 | 403, Some(field)) if field == "from" || field.starts_with("from.") => {
            Outcome::Misconfigured { scope: Misconfigured::Sender, code: format!("{status} from") }
        }
        (401 | 403, _) => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
        (429, _) => Outcome::Throttled { after, scope: ThrottleScope::Provider, code },
        // Redirects: something before SendGrid answers.
        (300..=399, _) => Outcome::Retry { after, code },
        (400..=499, _) => Outcome::Permanent { code },
        // It may have been queued before SendGrid failed, and would then be read twice.
        _ => Outcome::Unknown { code },
    }
}

/// `personalizations.0.to.0.email`: there is one of each.
fn is_recipient(field: &str) -> bool {
    field.strip_prefix("personalizations.0.").is_some_and(|rest| rest == "to" || rest.starts_with("to."))
}

fn id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-message-id")?.to_str().ok()?.trim();
    ((1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())).then(|| id.to_owned())
}

/// The end of the window that is used up: seconds since the epoch.
fn reset(headers: &HeaderMap, now: Millis) -> Option<Duration> {
    let at: Millis = headers.get("x-ratelimit-reset")?.to_str().ok()?.trim().parse().ok()?;
    let left = at.saturating_mul(1_000).saturating_sub(now).clamp(0, LONGEST_WAIT_MS);
    u64::try_from(left).ok().map(Duration::from_millis)
}
