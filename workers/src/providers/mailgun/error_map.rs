//! Mailgun's answers as outcomes (<https://documentation.mailgun.com/docs/mailgun/api-reference/mg-errors>).

use crate::providers::http::Answer;
use domain::values::{BadAddress, Misconfigured, Outcome, ThrottleScope};
use serde::Deserialize;

/// Longest id that is kept.
const LONGEST_ID: usize = 255;

#[derive(Deserialize)]
struct Queued {
    id: String,
}

#[derive(Deserialize)]
struct Refused {
    message: String,
}

/// What an answer to the `attempt`-th attempt means.
pub(super) fn outcome(answer: &Answer, attempt: u32) -> Outcome {
    let status = answer.status;
    if (200..300).contains(&status) {
        return match serde_json::from_slice::<Queued>(&answer.body) {
            Ok(queued) if is_id(&queued.id) => Outcome::Accepted { provider_id: Some(queued.id) },
            // Something answered «fine» that is not Mailgun: it may have been passed on or not.
            _ => Outcome::Unknown { code: format!("{status} with another body") },
        };
    }
    let (after, code) = (answer.retry_after, status.to_string());
    match status {
        400 => bad_request(&answer.body),
        401 | 403 => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
        // The domain is unknown, which Mailgun also says for moments of one that is known.
        404 if attempt <= 1 => Outcome::Retry { after, code },
        404 => Outcome::Misconfigured { scope: Misconfigured::Sender, code },
        429 => Outcome::Throttled { after, scope: ThrottleScope::Provider, code },
        // Redirects: something before Mailgun answers.
        300..=399 => Outcome::Retry { after, code },
        402..=499 => Outcome::Permanent { code },
        // It may have been queued before Mailgun failed, and would then be read twice.
        _ => Outcome::Unknown { code },
    }
}

/// Only the words tell whose address is meant. They are not kept: they may hold it.
fn bad_request(body: &[u8]) -> Outcome {
    let words = serde_json::from_slice::<Refused>(body).map(|refused| refused.message.to_ascii_lowercase()).unwrap_or_default();
    if !words.contains("not a valid address") {
        return Outcome::Permanent { code: "400".to_owned() };
    }
    if words.contains("from parameter") || words.contains("'from'") {
        return Outcome::Misconfigured { scope: Misconfigured::Sender, code: "400 from".to_owned() };
    }
    Outcome::BadAddress { kind: BadAddress::Dead, as_of: None, code: "400 recipient".to_owned() }
}

/// `<…@domain>`.
fn is_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && id.contains('@') && id.bytes().all(|byte| byte.is_ascii_graphic())
}
