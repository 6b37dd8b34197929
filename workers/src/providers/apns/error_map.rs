//! APNs' answers as outcomes
//! (<https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns>).

use domain::values::{BadAddress, Millis, Misconfigured, Outcome, ThrottleScope};
use serde::Deserialize;
use std::time::Duration;

/// How long a provider token must stay in use before it may change.
pub(super) const TOKEN_CHANGE: Duration = Duration::from_secs(20 * 60);
/// Wait after 429 for one device, for which Apple gives no number.
const DEVICE_PAUSE: Duration = Duration::from_secs(60);
/// First wait after 500 and 503 without `Retry-After`. Apple says 15 minutes, which fits an outage
/// of theirs but not the far more frequent short one (`Shutdown` of one front end); the engine's
/// own growing delays reach the 15 minutes when it does not pass.
const SERVER_PAUSE: Duration = Duration::from_secs(60);

/// The body of a refusal.
#[derive(Deserialize, Default)]
struct Refused {
    #[serde(default)]
    reason: String,
    timestamp: Option<Millis>,
}

/// What a refusal says: `None` where the body is not APNs' own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reason {
    /// Apple's word, e.g. `BadDeviceToken`.
    pub name: String,
    /// With 410: the token was dead at this moment, in ms since the epoch.
    pub timestamp: Option<Millis>,
}

/// Reads a refusal's body.
pub(super) fn reason(body: &[u8]) -> Option<Reason> {
    let refused: Refused = serde_json::from_slice(body).ok()?;
    // Kept in counters and in the history, so nothing but a word may come in.
    let word = !refused.reason.is_empty() && refused.reason.len() <= 64 && refused.reason.bytes().all(|byte| byte.is_ascii_alphanumeric());
    word.then_some(Reason { name: refused.reason, timestamp: refused.timestamp })
}

/// What a refusal (any status but 2xx) means. Apple's own word counts; the status only where there
/// is none or where it is not known.
pub(super) fn refused(status: u16, reason: Option<Reason>, retry_after: Option<Duration>) -> Outcome {
    let Some(Reason { name, timestamp }) = reason else {
        return by_status(status, retry_after, format!("{status} with another body"));
    };
    let code = format!("{status} {name}");
    match name.as_str() {
        // Of another environment or app, or not a token: not this one, without saying dead.
        "BadDeviceToken" | "DeviceTokenNotForTopic" => Outcome::BadAddress { kind: BadAddress::Unsupported, as_of: None, code },
        "Unregistered" | "ExpiredToken" => Outcome::BadAddress { kind: BadAddress::Dead, as_of: timestamp, code },
        "BadCollapseId" | "BadExpirationDate" | "BadMessageId" | "BadPriority" | "DuplicateHeaders" | "InvalidPushType" | "MissingDeviceToken"
        | "PayloadEmpty" | "PayloadTooLarge" | "BadPath" | "MethodNotAllowed" => Outcome::Permanent { code },
        "BadTopic" | "MissingTopic" | "TopicDisallowed" => Outcome::Misconfigured { scope: Misconfigured::Sender, code },
        "ExpiredProviderToken"
        | "InvalidProviderToken"
        | "MissingProviderToken"
        | "BadCertificate"
        | "BadCertificateEnvironment"
        | "Forbidden"
        | "UnrelatedKeyIdInToken"
        // Apple documents the first and sends the second.
        | "BadEnvironmentKeyIdInToken"
        | "BadEnvironmentKeyInToken" => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
        "IdleTimeout" => Outcome::Retry { after: retry_after, code },
        "TooManyProviderTokenUpdates" => Outcome::Throttled { after: Some(TOKEN_CHANGE.max(retry_after.unwrap_or_default())), scope: ThrottleScope::Provider, code },
        "TooManyRequests" => Outcome::Throttled { after: Some(retry_after.unwrap_or(DEVICE_PAUSE)), scope: ThrottleScope::Recipient, code },
        "InternalServerError" | "ServiceUnavailable" | "Shutdown" => Outcome::Retry { after: Some(retry_after.unwrap_or(SERVER_PAUSE)), code },
        _ => by_status(status, retry_after, code),
    }
}

fn by_status(status: u16, after: Option<Duration>, code: String) -> Outcome {
    match status {
        403 => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
        429 => Outcome::Throttled { after: Some(after.unwrap_or(DEVICE_PAUSE)), scope: ThrottleScope::Provider, code },
        400..=499 => Outcome::Permanent { code },
        500..=599 => Outcome::Retry { after: Some(after.unwrap_or(SERVER_PAUSE)), code },
        // A redirect or an informational status: something that is not APNs answered.
        _ => Outcome::Retry { after, code },
    }
}
