//! The application server's side: `POST` to the endpoint of a subscription (RFC 8030, section 5).

use crate::state::{Nobody, State};
use crate::vapid;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

/// Before the subscription in the path of an endpoint.
pub(crate) const PATH: &str = "/wpush/v2/";
/// The one encoding that is taken (RFC 8188).
pub(crate) const ENCODING: &str = "aes128gcm";
/// Largest body: what every push service has to take (RFC 8030, section 7.2).
const LARGEST: usize = 4_096;

/// Not taken: the status, autopush's own number of the error, and why.
#[derive(Debug, PartialEq, Eq)]
struct Refused(StatusCode, u16, &'static str);

/// What the headers say besides who sends.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    ttl: u32,
    topic: Option<String>,
}

/// Takes a message, or says why not.
pub(crate) fn take(state: &State, channel: &str, headers: &HeaderMap, body: &[u8]) -> Response {
    let accepted = state.key(channel).map_err(nobody).and_then(|key| check(headers, body.len(), key.as_deref(), &state.origin, now()));
    match accepted {
        Ok(Wanted { ttl, topic }) => {
            let version = state.post(channel, ttl, topic, body.to_vec());
            let told = [(header::LOCATION.as_str(), format!("{}/m/{version}", state.origin)), ("ttl", ttl.to_string())];
            (StatusCode::CREATED, told).into_response()
        }
        Err(Refused(status, number, reason)) => {
            let told = json!({ "code": status.as_u16(), "errno": number, "error": status.canonical_reason(), "message": reason });
            (status, [(header::CONTENT_TYPE, "application/json")], told.to_string()).into_response()
        }
    }
}

fn nobody(why: Nobody) -> Refused {
    match why {
        Nobody::Unknown => Refused(StatusCode::NOT_FOUND, 102, "no such subscription"),
        Nobody::Gone => Refused(StatusCode::GONE, 103, "the subscription was given up"),
    }
}

fn check(headers: &HeaderMap, length: usize, key: Option<&[u8]>, origin: &str, now: u64) -> Result<Wanted, Refused> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bad = |number, reason| Refused(StatusCode::BAD_REQUEST, number, reason);
    let unauthorized = |reason| Refused(StatusCode::UNAUTHORIZED, 109, reason);
    vapid::check(text("authorization").ok_or(unauthorized("no authorization"))?, key, origin, now).map_err(unauthorized)?;
    let ttl = text("ttl").ok_or(bad(111, "no TTL"))?.parse().map_err(|_| bad(112, "a malformed TTL"))?;
    if text("urgency").is_some_and(|urgency| !["very-low", "low", "normal", "high"].contains(&urgency)) {
        return Err(bad(100, "an unknown urgency"));
    }
    let topic = text("topic").map(ToOwned::to_owned);
    let letters = |topic: &str| topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if topic.as_deref().is_some_and(|topic| topic.is_empty() || topic.len() > 32 || !letters(topic)) {
        return Err(bad(113, "a malformed topic"));
    }
    if text("content-encoding") != Some(ENCODING) {
        return Err(bad(110, "another encoding than aes128gcm"));
    }
    if length > LARGEST { Err(Refused(StatusCode::PAYLOAD_TOO_LARGE, 104, "too large")) } else { Ok(Wanted { ttl, topic }) }
}

#[allow(clippy::disallowed_methods, reason = "the push service's own clock, outside the server")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
