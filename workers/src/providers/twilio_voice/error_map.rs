//! Twilio's answers to the creation of a call as outcomes; refusals are those of all its products.

use crate::providers::twilio::error_map::{is_sid, not_twilio, refused};
use domain::values::Outcome;
use serde::Deserialize;
use std::time::Duration;

/// How long a line that is busy, or that nobody answers, is left alone.
const LATER: Duration = Duration::from_secs(300);

/// A call as created, as far as it matters.
#[derive(Deserialize)]
struct Created {
    sid: String,
    status: String,
}

/// What an answer means.
pub(super) fn outcome(status: u16, after: Option<Duration>, body: &[u8]) -> Outcome {
    if !(200..300).contains(&status) {
        return refused(status, after, body);
    }
    match serde_json::from_slice::<Created>(body) {
        Ok(created) if is_sid(&created.sid, ["CA"]) => by_call(created),
        _ => not_twilio(status),
    }
}

/// By the call's own status (<https://www.twilio.com/docs/voice/api/call-resource#call-status-values>).
fn by_call(created: Created) -> Outcome {
    let code = |status: &str| format!("call {status}");
    match created.status.as_str() {
        // Nobody has heard it, and ringing at once again would not help.
        status @ ("busy" | "no-answer" | "failed") => Outcome::Retry { after: Some(LATER), code: code(status) },
        // Somebody ended it by hand, in the console or through the API.
        status @ "canceled" => Outcome::Permanent { code: code(status) },
        // `queued`; or it rings, is spoken, or was.
        _ => Outcome::Accepted { provider_id: Some(created.sid) },
    }
}
