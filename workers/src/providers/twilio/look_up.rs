//! Whether a message of unknown outcome was created: Twilio lists an account's messages by number and
//! day, and ours is the one with the same text since it was requested.
//!
//! Its list holds none of our ids, so of two notifications with the same text to the same number at
//! the same time one may be taken for the other: that person has the text, and once. Rejected: sending
//! again without a look, which charges twice and rings twice whenever an answer is lost.

use chrono::{DateTime, SecondsFormat};
use domain::values::Millis;
use serde::Deserialize;

/// How far Twilio's clock may lie behind ours.
const SKEW_MS: Millis = 5_000;

/// Messages that one look reads: those to one number within a day.
const PAGE: &str = "100";

#[derive(Deserialize)]
struct List {
    messages: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    sid: String,
    body: Option<String>,
    status: Option<String>,
    date_created: Option<String>,
}

/// What asks for the messages that may be ours; none where the moment is out of range.
pub(super) fn query(to: &str, requested_at: Millis) -> Option<[(&'static str, String); 3]> {
    let day = DateTime::from_timestamp_millis(requested_at.saturating_sub(SKEW_MS))?.to_rfc3339_opts(SecondsFormat::Secs, true);
    let day = day.split('T').next().unwrap_or_default().to_owned();
    Some([("To", to.to_owned()), ("DateSent>", day), ("PageSize", PAGE.to_owned())])
}

/// The id of ours, if it is listed; the error says that this is no list.
pub(super) fn found(body: &[u8], text: &str, requested_at: Millis) -> Result<Option<String>, serde_json::Error> {
    let list: List = serde_json::from_slice(body)?;
    let since = |moment: &str| DateTime::parse_from_rfc2822(moment).is_ok_and(|at| at.timestamp_millis() >= requested_at - SKEW_MS);
    let ours = |listed: &Listed| {
        let lives = !matches!(listed.status.as_deref(), Some("failed" | "undelivered" | "canceled"));
        lives && listed.body.as_deref() == Some(text) && listed.date_created.as_deref().is_some_and(since)
    };
    Ok(list.messages.into_iter().find(ours).map(|listed| listed.sid))
}
