//! Vonage's answers as outcomes
//! (<https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms>).

use domain::values::{BadAddress, Misconfigured, Outcome, ThrottleScope};
use serde::Deserialize;
use std::time::Duration;

#[derive(Deserialize)]
struct Answer {
    messages: Vec<Part>,
}

/// One segment's verdict. The status is a number as text.
#[derive(Deserialize)]
struct Part {
    status: String,
    #[serde(rename = "message-id")]
    id: Option<String>,
}

/// Vonage's word for «accepted».
const TAKEN: &str = "0";

/// What an answer means, and the segments that Vonage took.
pub(super) fn outcome(status: u16, after: Option<Duration>, body: &[u8]) -> (Outcome, Option<u64>) {
    if !(200..300).contains(&status) {
        return (by_http(status, after), None);
    }
    let answer = serde_json::from_slice::<Answer>(body).ok().filter(|answer| !answer.messages.is_empty());
    let Some(answer) = answer else {
        // Something answered «fine» that is not Vonage: it may have been passed on or not.
        return (Outcome::Unknown { code: format!("{status} with another body") }, None);
    };
    let taken = answer.messages.iter().filter(|part| part.status == TAKEN).count();
    if taken > 0 {
        // Also where some were not taken: sent again, the others would come twice.
        let id = answer.messages.into_iter().find(|part| part.status == TAKEN).and_then(|part| part.id).filter(|id| id.len() <= 64);
        return (Outcome::Accepted { provider_id: id }, u64::try_from(taken).ok());
    }
    (refused(&answer.messages[0].status, after), None)
}

fn refused(status: &str, after: Option<Duration>) -> Outcome {
    // Kept in counters and in the history, so nothing but a number may come in.
    let Ok(number) = status.parse::<u16>() else {
        return Outcome::Permanent { code: "status is not a number".to_owned() };
    };
    let code = format!("status {number}");
    match number {
        1 | 10 => Outcome::Throttled { after, scope: ThrottleScope::Provider, code },
        5 => Outcome::Retry { after, code },
        4 | 8 | 9 | 11 | 14 | 32 => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
        // 29: a demonstration account, and the number is not on its list.
        15 | 29 => Outcome::Misconfigured { scope: Misconfigured::Sender, code },
        // Barred here; gone from its network.
        7 => Outcome::BadAddress { kind: BadAddress::Unsupported, as_of: None, code },
        33 => Outcome::BadAddress { kind: BadAddress::Dead, as_of: None, code },
        _ => Outcome::Permanent { code },
    }
}

/// Vonage answers 200 to everything; other statuses come from what stands before it (unverified).
fn by_http(status: u16, after: Option<Duration>) -> Outcome {
    let code = status.to_string();
    match status {
        401 | 403 => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
        429 => Outcome::Throttled { after, scope: ThrottleScope::Provider, code },
        400..=499 => Outcome::Permanent { code },
        _ => Outcome::Retry { after, code },
    }
}
