use super::super::error_map::{is_about_token, outcome};
use domain::values::{BadAddress, Misconfigured, Outcome, ThrottleScope};
use std::time::Duration;

const FCM_ERROR: &str = "type.googleapis.com/google.firebase.fcm.v1.FcmError";

fn body(error_code: &str, status_name: &str, more: &str) -> String {
    format!(r#"{{"error":{{"code":0,"message":"m","status":"{status_name}","details":[{{"@type":"{FCM_ERROR}","errorCode":"{error_code}"}}{more}]}}}}"#)
}

fn refused(status: u16, error_code: &str, status_name: &str) -> Outcome {
    outcome(status, None, body(error_code, status_name, "").as_bytes())
}

fn quota(violation: &str) -> Outcome {
    let more = format!(r#",{{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{violation}]}}"#);
    outcome(429, None, body("QUOTA_EXCEEDED", "RESOURCE_EXHAUSTED", &more).as_bytes())
}

#[test]
fn every_row_of_the_error_table() {
    assert!(matches!(refused(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"), Outcome::BadAddress { kind: BadAddress::Unsupported, .. }));
    let fields = r#",{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[]}"#;
    let with_fields = body("INVALID_ARGUMENT", "INVALID_ARGUMENT", fields);
    assert_eq!(outcome(400, None, with_fields.as_bytes()), Outcome::Permanent { code: "400 INVALID_ARGUMENT".to_owned() });
    assert!(matches!(outcome(400, None, br#"{"error":{"status":"INVALID_ARGUMENT"}}"#), Outcome::Permanent { .. }));
    assert!(matches!(refused(401, "THIRD_PARTY_AUTH_ERROR", "UNAUTHENTICATED"), Outcome::Misconfigured { scope: Misconfigured::Credential, .. }));
    assert!(matches!(outcome(401, None, br#"{"error":{"status":"UNAUTHENTICATED"}}"#), Outcome::Misconfigured { scope: Misconfigured::Credential, .. }));
    assert!(matches!(refused(403, "SENDER_ID_MISMATCH", "PERMISSION_DENIED"), Outcome::BadAddress { kind: BadAddress::Unsupported, .. }));
    assert!(matches!(outcome(403, None, br#"{"error":{"status":"PERMISSION_DENIED"}}"#), Outcome::Misconfigured { scope: Misconfigured::Credential, .. }));
    let dead = Outcome::BadAddress { kind: BadAddress::Dead, as_of: None, code: "404 UNREGISTERED".to_owned() };
    assert_eq!(refused(404, "UNREGISTERED", "NOT_FOUND"), dead);
    assert_eq!(refused(500, "INTERNAL", "INTERNAL"), Outcome::Retry { after: Some(Duration::from_secs(10)), code: "500 INTERNAL".to_owned() });
    assert_eq!(refused(503, "UNAVAILABLE", "UNAVAILABLE"), Outcome::Retry { after: None, code: "503 UNAVAILABLE".to_owned() });
}

#[test]
fn waits_that_are_asked_for() {
    let after = Some(Duration::from_secs(7));
    let unavailable = body("UNAVAILABLE", "UNAVAILABLE", "");
    assert!(matches!(outcome(503, after, unavailable.as_bytes()), Outcome::Retry { after: wanted, .. } if wanted == after));
    let internal = body("INTERNAL", "INTERNAL", "");
    assert!(matches!(outcome(500, after, internal.as_bytes()), Outcome::Retry { after: Some(wait), .. } if wait == Duration::from_secs(10)));
    let long = Some(Duration::from_secs(90));
    assert!(matches!(outcome(500, long, internal.as_bytes()), Outcome::Retry { after: wanted, .. } if wanted == long));
    let exceeded = body("QUOTA_EXCEEDED", "RESOURCE_EXHAUSTED", "");
    assert!(matches!(outcome(429, after, exceeded.as_bytes()), Outcome::Throttled { after: wanted, .. } if wanted == after));
    assert!(matches!(outcome(429, None, b"<html>"), Outcome::Throttled { after: Some(wait), .. } if wait == Duration::from_secs(60)));
}

#[test]
fn a_quota_of_one_device_does_not_pause_the_project() {
    let throttled = |scope| Outcome::Throttled { after: Some(Duration::from_secs(60)), scope, code: "429 QUOTA_EXCEEDED".to_owned() };
    assert_eq!(quota(r#"{"subject":"x","description":"Device message rate exceeded"}"#), throttled(ThrottleScope::Recipient));
    assert_eq!(quota(r#"{"subject":"device:1"}"#), throttled(ThrottleScope::Recipient));
    assert_eq!(quota(r#"{"subject":"project_number:1","description":"Message rate exceeded for the project"}"#), throttled(ThrottleScope::Provider));
    assert_eq!(quota(""), throttled(ThrottleScope::Provider));
}

#[test]
fn nonsense_never_loses_the_work() {
    for taken in [&b"<html>"[..], b"", b"{}", br#"{"name":7}"#] {
        assert!(matches!(outcome(200, None, taken), Outcome::Unknown { .. }));
    }
    for status in [500, 502, 503, 504, 301, 302] {
        assert!(matches!(outcome(status, None, b"<html>"), Outcome::Retry { .. }), "{status}");
    }
    assert!(matches!(outcome(403, None, b"<html>"), Outcome::Misconfigured { .. }));
    assert!(matches!(outcome(404, None, b"<html>"), Outcome::Misconfigured { scope: Misconfigured::Sender, .. }));
    assert!(matches!(outcome(418, None, b""), Outcome::Permanent { .. }));
    assert!(matches!(refused(418, "NEW_REASON", "X"), Outcome::Permanent { .. }));
    assert!(matches!(refused(599, "NEW_REASON", "X"), Outcome::Retry { .. }));
}

#[test]
fn codes_hold_no_text_of_the_answer() {
    let long = "A".repeat(65);
    for text in ["token cX9:APA91b is bad", "kim@example.org", "", &long] {
        assert_eq!(refused(400, text, text), Outcome::Permanent { code: "400 with another body".to_owned() }, "{text}");
    }
}

#[test]
fn only_a_refused_access_token_is_worth_another_one() {
    assert!(is_about_token(401, br#"{"error":{"status":"UNAUTHENTICATED"}}"#));
    assert!(is_about_token(401, b"<html>"));
    assert!(!is_about_token(401, body("THIRD_PARTY_AUTH_ERROR", "UNAUTHENTICATED", "").as_bytes()));
    assert!(!is_about_token(403, b"") && !is_about_token(200, b""));
}
