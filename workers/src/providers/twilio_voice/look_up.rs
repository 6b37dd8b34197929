//! Whether a call of unknown outcome was made: Twilio lists an account's calls by number.
//!
//! Its list holds neither the text nor our ids. One call to that number from ours since the request is
//! therefore taken for it, and of several nobody can say which: a telephone is not rung on a guess.
//! Where two notifications called one number, the call of one can be taken for the other's. Rejected:
//! ringing again without a look, which wakes people twice for a lost answer.

use chrono::DateTime;
use domain::values::Millis;
use serde::Deserialize;

/// How far Twilio's clock may lie behind ours.
const SKEW_MS: Millis = 5_000;

/// Calls that one look reads; the newest come first.
const PAGE: &str = "100";

#[derive(Deserialize)]
struct List {
    calls: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    sid: String,
    from: Option<String>,
    date_created: Option<String>,
}

/// What the list says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It was not made.
    None,
    /// This is taken for it.
    One(String),
    /// It may be one of several.
    Several,
}

/// What asks for the calls that may be ours.
pub(super) fn query(to: &str, from: &str) -> [(&'static str, String); 3] {
    [("To", to.to_owned()), ("From", from.to_owned()), ("PageSize", PAGE.to_owned())]
}

/// Reads the list; the error says that this is none.
pub(super) fn found(body: &[u8], from: &str, requested_at: Millis) -> Result<Found, serde_json::Error> {
    let list: List = serde_json::from_slice(body)?;
    let since = |moment: &str| DateTime::parse_from_rfc2822(moment).is_ok_and(|at| at.timestamp_millis() >= requested_at - SKEW_MS);
    let ours = |listed: &Listed| listed.from.as_deref() == Some(from) && listed.date_created.as_deref().is_some_and(since);
    let mut calls = list.calls.into_iter().filter(ours);
    Ok(match (calls.next(), calls.next()) {
        (None, _) => Found::None,
        (Some(one), None) => Found::One(one.sid),
        (Some(_), Some(_)) => Found::Several,
    })
}
