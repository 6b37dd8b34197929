//! NHN Cloud's answers as outcomes
//! (<https://docs.nhncloud.com/en/Notification/KakaoTalk%20Bizmessage/en/error-code/>).
//!
//! The verdict is in the body, first of the request and then of each recipient. NHN's pages show no
//! refusal's HTTP status (200, it seems: unverified), so a body of NHN's is believed whatever the status is.

use domain::values::{BadAddress, Misconfigured, Outcome, ThrottleScope};
use serde::Deserialize;
use std::time::Duration;

/// How long a message waits that came after the day's last: nobody says when the day ends.
const QUOTA_WAIT: Duration = Duration::from_secs(3_600);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    is_successful: bool,
    result_code: i64,
}

#[derive(Deserialize)]
struct Answer {
    header: Header,
    message: Option<Sent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    request_id: Option<String>,
    #[serde(default)]
    send_results: Vec<OneResult>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OneResult {
    recipient_seq: Option<u64>,
    result_code: i64,
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// How it went.
    Outcome(Outcome),
    /// A request with this key came within the last 10 minutes; what became of it the list says.
    KeyKnown,
}

/// What the answer to a request means.
pub(super) fn sent(status: u16, after: Option<Duration>, body: &[u8]) -> Told {
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return Told::Outcome(not_nhn(status, after));
    };
    let first = answer.message.as_ref().and_then(|message| message.send_results.first());
    // The recipient's own verdict says more than the request's.
    match first.map(|result| result.result_code).filter(|code| *code != 0) {
        Some(code) => return refused(code, status, after),
        None if !answer.header.is_successful || answer.header.result_code != 0 => return refused(answer.header.result_code, status, after),
        None => {}
    }
    match first {
        Some(result) => Told::Outcome(Outcome::Accepted {
            provider_id: answer.message.as_ref().and_then(|message| message.request_id.as_deref()).and_then(|id| provider_id(id, result.recipient_seq)),
        }),
        // Successful, and nothing said of the one recipient: not NHN.
        None => Told::Outcome(Outcome::Unknown { code: format!("{status} with another body") }),
    }
}

/// The id under which NHN shows one message: of the request, and the recipient's number within it.
pub(super) fn provider_id(request: &str, sequence: Option<u64>) -> Option<String> {
    let right = (1..=64).contains(&request.len()) && request.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    right.then(|| format!("{request}.{}", sequence.unwrap_or(1)))
}

/// The result of an answer's header; none where the answer is not NHN's.
pub(super) fn header(body: &[u8]) -> Option<i64> {
    #[derive(Deserialize)]
    struct Any {
        header: Header,
    }
    serde_json::from_slice::<Any>(body).ok().map(|any| if any.header.is_successful { 0 } else { any.header.result_code })
}

/// What a result other than 0 means.
pub(super) fn refused(number: i64, status: u16, after: Option<Duration>) -> Told {
    let code = format!("result {number}");
    if status == 429 {
        return Told::Outcome(Outcome::Throttled { after, scope: ThrottleScope::Provider, code });
    }
    Told::Outcome(match number {
        -1005 => return Told::KeyKnown,
        // The application's key, its secret.
        -1000 | -1001 => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
        // The sender's profile: without a key, not active, blocked, not verified, not there. And what the
        // text message in its place needs: an application, a number, a setting.
        -1006 | -1014 | -1027 | -1030 | -2017 | -1002 | -1003 | -1019 | -2502 => Outcome::Misconfigured { scope: Misconfigured::Sender, code },
        -1017 => Outcome::Retry { after: after.or(Some(QUOTA_WAIT)), code },
        // NHN's table has no word on it; the number is named as the cause (unverified).
        -4019 => Outcome::BadAddress { kind: BadAddress::Unsupported, as_of: None, code },
        // A fault within NHN; should it have been taken all the same, the key tells next time.
        -9999 => Outcome::Retry { after, code },
        // The rest is about what was asked: fields (4, -20…), the template and its variables (-30…, -1028). One
        // notification's wrong template must not hold up the others.
        _ => Outcome::Permanent { code },
    })
}

/// Something between NHN and us answered.
pub(super) fn not_nhn(status: u16, after: Option<Duration>) -> Outcome {
    let code = if (200..300).contains(&status) { format!("{status} with another body") } else { status.to_string() };
    match status {
        401 | 403 | 404 => Outcome::Misconfigured { scope: Misconfigured::Credential, code },
        429 => Outcome::Throttled { after, scope: ThrottleScope::Provider, code },
        300..=399 => Outcome::Retry { after, code },
        400..=499 => Outcome::Permanent { code },
        // A «fine» that is not NHN's, or a failure behind which it may have been taken.
        _ => Outcome::Unknown { code },
    }
}
