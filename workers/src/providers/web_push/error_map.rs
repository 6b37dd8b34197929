//! A push service's answer as outcome (RFC 8030 sections 5 to 7; RFC 8292 section 4.2). Bodies say
//! nothing: every service words its own.

use domain::values::{BadAddress, Misconfigured, Outcome, ThrottleScope};
use std::time::Duration;

/// What a status means. `known` says that this origin took our key before: what it refuses now was
/// subscribed under another one.
pub(super) fn outcome(status: u16, after: Option<Duration>, location: Option<String>, known: bool) -> Outcome {
    let code = status.to_string();
    let bad = |kind, code| Outcome::BadAddress { kind, as_of: None, code };
    match status {
        // By the standard; others only with the name that a push service gives to the message.
        201 | 202 => Outcome::Accepted { provider_id: location },
        200..=299 if location.is_some() => Outcome::Accepted { provider_id: location },
        // Something answered «fine» that is no push service: it may have been passed on or not.
        200..=299 => Outcome::Unknown { code: format!("{status} without a location") },
        // Moved: the browser has to subscribe anew.
        301 | 308 => bad(BadAddress::Unsupported, code),
        404 | 410 => bad(BadAddress::Dead, code),
        401 | 403 if known => bad(BadAddress::Unsupported, code),
        401 | 403 => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
        // Of this subscription or its service; the others go on.
        429 => Outcome::Throttled { after, scope: ThrottleScope::Recipient, code },
        408 => Outcome::Retry { after, code },
        400..=499 => Outcome::Permanent { code },
        _ => Outcome::Retry { after, code },
    }
}
