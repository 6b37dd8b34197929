//! FCM's answers as outcomes
//! (<https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode>).

use domain::values::{BadAddress, Misconfigured, Outcome, ThrottleScope};
use serde::Deserialize;
use std::time::Duration;

#[derive(Deserialize)]
struct Accepted {
    name: String,
}

#[derive(Deserialize)]
struct Refused {
    error: Error,
}

#[derive(Deserialize, Default)]
struct Error {
    #[serde(default)]
    status: String,
    #[serde(default)]
    details: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(rename = "@type", default)]
    kind: String,
    #[serde(rename = "errorCode")]
    error_code: Option<String>,
}

/// What an answer means. FCM's own code counts; the HTTP status only where there is none.
pub(super) fn outcome(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Outcome {
    if (200..300).contains(&status) {
        return match serde_json::from_slice::<Accepted>(body) {
            // The project's name before the id says nothing.
            Ok(accepted) => Outcome::Accepted { provider_id: accepted.name.rsplit('/').next().map(str::to_owned) },
            // Something answered «fine» that is not FCM: it may have been passed on or not.
            Err(_) => Outcome::Unknown { code: format!("{status} with another body") },
        };
    }
    let Some(error) = serde_json::from_slice::<Refused>(body).ok().map(|refused| refused.error) else {
        return by_status(status, retry_after, format!("{status} with another body"));
    };
    let detail = error.details.iter().find_map(|detail| detail.error_code.as_deref());
    let code = format!("{status} {}", detail.unwrap_or(&error.status));
    match detail.unwrap_or(&error.status) {
        "UNREGISTERED" => Outcome::BadAddress { kind: BadAddress::Dead, as_of: None, code },
        "SENDER_ID_MISMATCH" => Outcome::BadAddress { kind: BadAddress::Unsupported, as_of: None, code },
        // Without complaints about fields it is the token that is not one.
        "INVALID_ARGUMENT" if detail.is_some() && !error.details.iter().any(|detail| detail.kind.ends_with("BadRequest")) => {
            Outcome::BadAddress { kind: BadAddress::Unsupported, as_of: None, code }
        }
        "INVALID_ARGUMENT" => Outcome::Permanent { code },
        "THIRD_PARTY_AUTH_ERROR" | "UNAUTHENTICATED" | "PERMISSION_DENIED" => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
        "QUOTA_EXCEEDED" | "RESOURCE_EXHAUSTED" => {
            Outcome::Throttled { after: Some(retry_after.unwrap_or(Duration::from_secs(60))), scope: ThrottleScope::Provider, code }
        }
        "INTERNAL" => Outcome::Retry { after: Some(retry_after.unwrap_or_default().max(Duration::from_secs(10))), code },
        "UNAVAILABLE" => Outcome::Retry { after: retry_after, code },
        _ => by_status(status, retry_after, code),
    }
}

fn by_status(status: u16, after: Option<Duration>, code: String) -> Outcome {
    match status {
        401 | 403 => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
        // Without FCM's own word for it a 404 is a wrong path, not a dead token.
        404 => Outcome::Misconfigured { scope: Misconfigured::Sender, code },
        429 => Outcome::Throttled { after: Some(after.unwrap_or(Duration::from_secs(60))), scope: ThrottleScope::Provider, code },
        400..=499 => Outcome::Permanent { code },
        _ => Outcome::Retry { after, code },
    }
}
