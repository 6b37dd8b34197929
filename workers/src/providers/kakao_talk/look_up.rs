//! Whether a message of unknown outcome was taken: NHN lists messages by our own key.
//!
//! NHN also refuses a key for 10 minutes, but does not say what became of the request that had it, nor
//! whether a refused one spends it (unverified). So the key only keeps a repeat from being a second
//! message, and this list gives the verdict. Rejected: taking -1005 for «accepted», which loses a message
//! whose first request was refused.

use super::error_map::{self, Told};
use chrono::DateTime;
use domain::values::{Millis, Outcome};
use serde::Deserialize;

/// NHN's dates are Korea's (unverified: its pages name no zone), which has had no summer time since 1988.
pub(super) const SEOUL_MS: Millis = 9 * 3_600_000;

/// How far the clocks may lie apart, and how far a minute is cut.
const MARGIN_MS: Millis = 10 * 60_000;

/// Longest range that NHN looks through, less the margins.
const LONGEST_MS: Millis = 29 * 86_400_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    message_search_result_response: Option<Page>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    messages: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    request_id: String,
    recipient_seq: Option<u64>,
    recipient_grouping_key: Option<String>,
}

/// What asks for the messages that may be ours; none where a moment is out of range.
pub(super) fn query(key: &str, requested_at: Millis, now: Millis) -> Option<[(&'static str, String); 4]> {
    let from = requested_at.min(now).max(now.saturating_sub(LONGEST_MS)).saturating_sub(MARGIN_MS);
    Some([
        ("startRequestDate", minute(from)?),
        ("endRequestDate", minute(now.saturating_add(MARGIN_MS))?),
        ("recipientGroupingKey", key.to_owned()),
        ("pageSize", "15".to_owned()),
    ])
}

fn minute(at: Millis) -> Option<String> {
    Some(DateTime::from_timestamp_millis(at.checked_add(SEOUL_MS)?)?.format("%Y-%m-%d %H:%M").to_string())
}

/// The outcome where it was taken, none where it was not; the error says what to do where the answer tells neither.
pub(super) fn found(status: u16, body: &[u8], key: &str) -> Result<Option<Outcome>, Outcome> {
    let unasked = |code: &str| Outcome::Retry { after: None, code: code.to_owned() };
    match error_map::header(body) {
        Some(0) => {}
        Some(number) => {
            // Refused for credentials or for going too fast: the same as sending would be.
            return Err(match error_map::refused(number, status, None) {
                Told::Outcome(outcome @ (Outcome::Throttled { .. } | Outcome::Misconfigured { .. })) => outcome,
                _ => unasked("look-up refused"),
            });
        }
        None => return Err(unasked("look-up is no list")),
    }
    let list: List = serde_json::from_slice(body).map_err(|_| unasked("look-up is no list"))?;
    let mut messages = list.message_search_result_response.map(|page| page.messages).unwrap_or_default().into_iter();
    // Compared once more: where a filter were ignored, another's message would pass for ours.
    let ours = messages.find(|listed| listed.recipient_grouping_key.as_deref() == Some(key));
    Ok(ours.map(|listed| Outcome::Accepted { provider_id: error_map::provider_id(&listed.request_id, listed.recipient_seq) }))
}
