//! Twilio's answers as outcomes (<https://www.twilio.com/docs/api/errors>). Refusals have one table for
//! all of Twilio's products: its codes mean the same everywhere.

use domain::values::{BadAddress, Misconfigured, Outcome, ThrottleScope};
use serde::Deserialize;
use std::time::Duration;

/// A message as created, as far as it matters.
#[derive(Deserialize)]
struct Created {
    sid: String,
    /// A number as text; absent for messages without segments.
    num_segments: Option<String>,
}

/// An error, of Twilio's own form or of RFC 9457, which its newer endpoints use: the code has the
/// same name in both.
#[derive(Deserialize)]
struct Refused {
    code: u32,
}

/// What an answer means, and the segments that Twilio counted.
pub(super) fn outcome(status: u16, after: Option<Duration>, body: &[u8]) -> (Outcome, Option<u64>) {
    if (200..300).contains(&status) {
        return match serde_json::from_slice::<Created>(body) {
            Ok(created) if is_sid(&created.sid, ["SM", "MM"]) => {
                (Outcome::Accepted { provider_id: Some(created.sid) }, created.num_segments.and_then(|count| count.parse().ok()).filter(|count| *count > 0))
            }
            _ => (not_twilio(status), None),
        };
    }
    (refused(status, after, body), None)
}

/// Something answered «fine» that is not Twilio: it may have been passed on or not.
pub(crate) fn not_twilio(status: u16) -> Outcome {
    Outcome::Unknown { code: format!("{status} with another body") }
}

/// Two letters and 32 hexadecimal digits.
pub(crate) fn is_sid<const N: usize>(sid: &str, prefixes: [&str; N]) -> bool {
    sid.len() == 34 && sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) && prefixes.iter().any(|prefix| sid.starts_with(prefix))
}

/// What it means that nothing was created.
pub(crate) fn refused(status: u16, after: Option<Duration>, body: &[u8]) -> Outcome {
    let number = serde_json::from_slice::<Refused>(body).ok().map(|refused| refused.code);
    let code = number.map_or_else(|| format!("{status} with another body"), |number| format!("{status} {number}"));
    let bad = |kind, code| Outcome::BadAddress { kind, as_of: None, code };
    match number {
        // Never processed, whatever else the answer says.
        Some(20_429) => Outcome::Throttled { after, scope: ThrottleScope::Provider, code },
        // The queue of our number is full.
        Some(21_611 | 30_001) => Outcome::Throttled { after, scope: ThrottleScope::Provider, code },
        Some(20_003 | 20_005 | 30_002) => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
        // Our number is none, or not ours.
        Some(21_210 | 21_212 | 21_603 | 21_606 | 21_659 | 21_660) => Outcome::Misconfigured { scope: Misconfigured::Sender, code },
        // Not a number at all.
        Some(21_211 | 21_217) => bad(BadAddress::Dead, code),
        // Not a mobile; a landline; not reachable, or not from our number; blocked, or its country not
        // switched on (one country must not hold up the others); asked by STOP to get no more, which
        // START lifts.
        Some(21_214..=21_216 | 21_408 | 21_610 | 21_612 | 21_614 | 21_635) => bad(BadAddress::Unsupported, code),
        _ => by_status(status, after, code),
    }
}

fn by_status(status: u16, after: Option<Duration>, code: String) -> Outcome {
    match status {
        401 | 403 => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
        // The account's path.
        404 => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
        429 => Outcome::Throttled { after, scope: ThrottleScope::Provider, code },
        // Redirects: something before Twilio answers.
        300..=399 => Outcome::Retry { after, code },
        400..=499 => Outcome::Permanent { code },
        // It may have been created before Twilio failed, and would then go out twice.
        _ => Outcome::Unknown { code },
    }
}
