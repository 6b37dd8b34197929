//! Slack's answers as outcomes: plain words
//! (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling-errors>).

use domain::values::{BadAddress, Outcome, ThrottleScope};
use std::time::Duration;

/// What an answer means. The word counts before the status: which status goes with the newer words
/// is (unverified).
pub(super) fn outcome(status: u16, after: Option<Duration>, body: &[u8]) -> Outcome {
    let word = std::str::from_utf8(body).map(str::trim).unwrap_or_default();
    if (200..300).contains(&status) {
        return match word {
            "ok" => Outcome::Accepted { provider_id: None },
            // Something answered «fine» that is not Slack: it may have been passed on or not.
            _ => Outcome::Unknown { code: format!("{status} with another body") },
        };
    }
    // Kept in counters and in the history, so nothing but a word may come in.
    let is_word = !word.is_empty() && word.len() <= 64 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let code = if is_word { format!("{status} {word}") } else { status.to_string() };
    let bad = |kind, code| Outcome::BadAddress { kind, as_of: None, code };
    match word {
        "invalid_payload" | "no_text" | "user_not_found" | "invalid_blocks" | "too_many_attachments" => Outcome::Permanent { code },
        // The URL leads nowhere any more.
        "no_service" | "no_service_id" | "no_team" | "no_active_hooks" | "team_disabled" | "channel_not_found" | "channel_is_archived" => {
            bad(BadAddress::Dead, code)
        }
        // What somebody at that team has to allow. The URL is the credential, so it is this
        // address's matter and must not hold up the others'.
        "invalid_token" | "action_prohibited" | "posting_to_general_channel_denied" => bad(BadAddress::Unsupported, code),
        _ => match status {
            // One message a second for each URL.
            429 => Outcome::Throttled { after, scope: ThrottleScope::Recipient, code },
            404 | 410 => bad(BadAddress::Dead, code),
            401 | 403 => bad(BadAddress::Unsupported, code),
            400..=499 => Outcome::Permanent { code },
            _ => Outcome::Retry { after, code },
        },
    }
}
