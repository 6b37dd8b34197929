//! A receiver's status as outcome (Standard Webhooks 1.0.0, «Delivery guarantees and failures»).

use domain::values::{BadAddress, Outcome, ThrottleScope};
use std::time::Duration;

/// What a status means. Bodies say nothing: every receiver words its own.
pub(super) fn outcome(status: u16, after: Option<Duration>) -> Outcome {
    let code = status.to_string();
    match status {
        200..=299 => Outcome::Accepted { provider_id: None },
        410 => Outcome::BadAddress { kind: BadAddress::Dead, as_of: None, code },
        429 | 502 | 504 => Outcome::Throttled { after, scope: ThrottleScope::Recipient, code },
        // Redirects too: they are not followed, and the receiver may mend them.
        _ => Outcome::Retry { after, code },
    }
}
