//! Pigeon's answers as outcomes (<https://pigeon.example/docs/errors>).

use crate::providers::http::Answer;
use domain::values::{BadAddress, Misconfigured, Outcome, ThrottleScope};
use serde::Deserialize;

#[derive(Deserialize)]
struct Taken {
    id: String,
}

/// What an answer means. Nothing of its text goes further but an id that looks like one: it would be
/// kept in the history for ever.
pub(super) fn outcome(answer: &Answer) -> Outcome {
    let (code, after) = (answer.status.to_string(), answer.retry_after);
    match answer.status {
        200..=299 => match serde_json::from_slice::<Taken>(&answer.body) {
            Ok(taken) if taken.id.len() <= 64 && taken.id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Outcome::Accepted { provider_id: Some(taken.id) },
            // Something answered «fine» that is not Pigeon: it may have been passed on or not.
            _ => Outcome::Unknown { code: format!("{code} with another body") },
        },
        // The key is wrong: the provider is held, and the work is kept.
        401 | 403 => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
        // There is no such loft, any more: the address is dead. `Unsupported` would keep it.
        404 | 410 => Outcome::BadAddress { kind: BadAddress::Dead, as_of: None, code },
        429 => Outcome::Throttled { after, scope: ThrottleScope::Provider, code },
        // Redirects: something before Pigeon answers.
        300..=399 => Outcome::Retry { after, code },
        // As it is, it will never be taken.
        400..=499 => Outcome::Permanent { code },
        // The pigeon may be on its way: Pigeon says so itself of its 5xx.
        _ => Outcome::Unknown { code },
    }
}
