//! The table of errors, row by row.

use super::super::error_map::{self, Told};
use super::super::look_up;
use crate::providers::testing::told;
use domain::values::{BadAddress, Misconfigured, Outcome};
use std::time::Duration;

fn refused(number: i64) -> Outcome {
    let body = format!(r#"{{"header":{{"isSuccessful":false,"resultCode":{number},"resultMessage":"x"}}}}"#);
    let Told::Outcome(outcome) = error_map::sent(200, None, body.as_bytes()) else { panic!("{number}: the key is known") };
    outcome
}

fn of_body(status: u16, body: &str) -> (&'static str, String) {
    match error_map::sent(status, None, body.as_bytes()) {
        Told::Outcome(outcome) => told(&outcome),
        Told::KeyKnown => ("key known", String::new()),
    }
}

#[test]
fn each_result_is_what_it_means() {
    let rows = [
        (4, "permanent"),
        (-1000, "misconfigured"),
        (-1001, "misconfigured"),
        (-1002, "misconfigured"),
        (-1003, "misconfigured"),
        (-1006, "misconfigured"),
        (-1014, "misconfigured"),
        (-1017, "retry"),
        (-1019, "misconfigured"),
        (-1027, "misconfigured"),
        (-1028, "permanent"),
        (-1030, "misconfigured"),
        (-1031, "permanent"),
        (-2000, "permanent"),
        (-2001, "permanent"),
        (-2017, "misconfigured"),
        (-2502, "misconfigured"),
        (-3003, "permanent"),
        (-3004, "permanent"),
        (-3005, "permanent"),
        (-3010, "permanent"),
        (-4019, "bad address"),
        (-9999, "retry"),
        (-7777, "permanent"),
    ];
    for (number, kind) in rows {
        assert_eq!(told(&refused(number)), (kind, format!("result {number}")));
    }
}

#[test]
fn keys_are_told_from_senders_and_no_number_is_suppressed_for_what_nhn_does_not_explain() {
    assert!(matches!(refused(-1001), Outcome::Misconfigured { scope: Misconfigured::Credential, .. }));
    assert!(matches!(refused(-1027), Outcome::Misconfigured { scope: Misconfigured::Sender, .. }));
    assert!(matches!(refused(-4019), Outcome::BadAddress { kind: BadAddress::Unsupported, as_of: None, .. }));
    assert!(matches!(refused(-1017), Outcome::Retry { after: Some(wait), .. } if wait >= Duration::from_secs(60)));
}

#[test]
fn the_recipients_own_verdict_goes_before_the_requests() {
    let body = r#"{"header":{"isSuccessful":false,"resultCode":-1031},"message":{"sendResults":[{"recipientSeq":1,"resultCode":-4019}]}}"#;
    assert_eq!(of_body(200, body), ("bad address", "result -4019".to_owned()));
    let partly = r#"{"header":{"isSuccessful":true,"resultCode":0},"message":{"requestId":"A1","sendResults":[{"recipientSeq":1,"resultCode":-3004}]}}"#;
    assert_eq!(of_body(200, partly), ("permanent", "result -3004".to_owned()));
}

#[test]
fn accepted_is_only_what_says_so_on_both_levels() {
    let accepted = r#"{"header":{"isSuccessful":true,"resultCode":0},"message":{"requestId":"A1","sendResults":[{"recipientSeq":1,"resultCode":0}]}}"#;
    let id = Some("A1.1".to_owned());
    assert_eq!(error_map::sent(200, None, accepted.as_bytes()), Told::Outcome(Outcome::Accepted { provider_id: id }));
    for body in ["", "<html>It works!</html>", "{}", r#"{"header":{"isSuccessful":true,"resultCode":0}}"#] {
        assert_eq!(of_body(200, body), ("unknown", "200 with another body".to_owned()), "{body}");
    }
    // An id that is none stays out of the history.
    let odd = accepted.replace("A1", "<b>");
    assert_eq!(error_map::sent(200, None, odd.as_bytes()), Told::Outcome(Outcome::Accepted { provider_id: None }));
}

#[test]
fn what_stands_before_nhn_is_judged_by_its_status() {
    let rows = [
        (302, "retry"),
        (400, "permanent"),
        (401, "misconfigured"),
        (403, "misconfigured"),
        (404, "misconfigured"),
        (429, "throttled"),
        (500, "unknown"),
        (503, "unknown"),
    ];
    for (status, kind) in rows {
        assert_eq!(of_body(status, "no"), (kind, status.to_string()));
    }
    // Whatever status it comes with, NHN's own word counts.
    assert_eq!(of_body(400, r#"{"header":{"isSuccessful":false,"resultCode":-1001}}"#), ("misconfigured", "result -1001".to_owned()));
    assert_eq!(of_body(429, r#"{"header":{"isSuccessful":false,"resultCode":-9998}}"#).0, "throttled");
    assert_eq!(of_body(200, r#"{"header":{"isSuccessful":false,"resultCode":-1005}}"#).0, "key known");
}

#[test]
fn a_list_gives_a_verdict_only_where_it_is_one() {
    let listed = |key: &str| {
        format!(
            r#"{{"header":{{"isSuccessful":true,"resultCode":0}},"messageSearchResultResponse":{{"messages":[{{"requestId":"A7","recipientSeq":1,"recipientGroupingKey":"{key}"}}],"totalCount":1}}}}"#
        )
    };
    let found = |status, body: &str| look_up::found(status, body.as_bytes(), "k.1");
    assert_eq!(found(200, &listed("k.1")), Ok(Some(Outcome::Accepted { provider_id: Some("A7.1".to_owned()) })));
    // Another's, should the filter be ignored.
    assert_eq!(found(200, &listed("k.2")), Ok(None));
    assert_eq!(found(200, r#"{"header":{"isSuccessful":true,"resultCode":0}}"#), Ok(None));
    assert_eq!(told(&found(200, "no list").unwrap_err()), ("retry", "look-up is no list".to_owned()));
    assert_eq!(told(&found(200, r#"{"header":{"isSuccessful":false,"resultCode":-1001}}"#).unwrap_err()).0, "misconfigured");
    assert_eq!(told(&found(200, r#"{"header":{"isSuccessful":false,"resultCode":4}}"#).unwrap_err()).0, "retry");
}

#[test]
fn a_look_covers_the_time_since_the_request_in_koreas_hours_and_not_more_than_nhn_looks_through() {
    let dates = |requested_at, now| look_up::query("k", requested_at, now).map(|query| [query[0].1.clone(), query[1].1.clone()]);
    let noon = 1_700_000_000_000;
    assert_eq!(dates(noon, noon + 60_000), Some(["2023-11-15 07:03".to_owned(), "2023-11-15 07:24".to_owned()]));
    let [from, until] = dates(0, noon).unwrap();
    assert_eq!((from.as_str(), until.as_str()), ("2023-10-17 07:03", "2023-11-15 07:23"));
}
