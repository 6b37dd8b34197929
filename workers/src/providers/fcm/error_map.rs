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
    /// Of `google.rpc.QuotaFailure`: which quota was exceeded.
    #[serde(default)]
    violations: Vec<Violation>,
}

#[derive(Deserialize)]
struct Violation {
    #[serde(default)]
    subject: String,
    #[serde(default)]
    description: String,
}

impl Error {
    /// FCM's own code.
    fn detail(&self) -> Option<&str> {
        self.details.iter().find_map(|detail| detail.error_code.as_deref())
    }

    /// One device got too many; the project may go on. FCM documents that the failure tells the
    /// quota, not how: without a sign of the device it is the project's.
    fn is_of_device(&self) -> bool {
        let names_device = |text: &str| text.to_ascii_lowercase().contains("device");
        self.details.iter().flat_map(|detail| &detail.violations).any(|violation| names_device(&violation.subject) || names_device(&violation.description))
    }
}

/// Whether it was our access token that did not please: another one may. A 401 about the key of
/// APNs or web push, which Firebase holds, is not about ours.
pub(super) fn is_about_token(status: u16, body: &[u8]) -> bool {
    status == 401 && !serde_json::from_slice::<Refused>(body).is_ok_and(|refused| refused.error.detail() == Some("THIRD_PARTY_AUTH_ERROR"))
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
    let detail = error.detail();
    let name = detail.unwrap_or(&error.status);
    // Kept in counters and in the history, so nothing but a word may come in.
    if name.is_empty() || name.len() > 64 || !name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
        return by_status(status, retry_after, format!("{status} with another body"));
    }
    let code = format!("{status} {name}");
    match name {
        "UNREGISTERED" => Outcome::BadAddress { kind: BadAddress::Dead, as_of: None, code },
        "SENDER_ID_MISMATCH" => Outcome::BadAddress { kind: BadAddress::Unsupported, as_of: None, code },
        // Without complaints about fields it is the token that is not one.
        "INVALID_ARGUMENT" if detail.is_some() && !error.details.iter().any(|detail| detail.kind.ends_with("BadRequest")) => {
            Outcome::BadAddress { kind: BadAddress::Unsupported, as_of: None, code }
        }
        "INVALID_ARGUMENT" => Outcome::Permanent { code },
        "THIRD_PARTY_AUTH_ERROR" | "UNAUTHENTICATED" | "PERMISSION_DENIED" => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
        "QUOTA_EXCEEDED" | "RESOURCE_EXHAUSTED" => {
            let scope = if error.is_of_device() { ThrottleScope::Recipient } else { ThrottleScope::Provider };
            Outcome::Throttled { after: Some(retry_after.unwrap_or(Duration::from_secs(60))), scope, code }
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
