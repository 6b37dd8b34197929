use super::super::{error_map, signature};
use domain::values::{BadAddress, Outcome, ThrottleScope};
use std::time::Duration;

/// Reference vectors: the specification's own, and one computed independently.
#[test]
fn signatures_are_those_of_the_specification() {
    let vectors: [(&str, &str, &str, &[u8], &str); 2] = [
        (
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            "1649367553",
            br#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
        (
            "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "msg_01",
            "1700000000",
            br#"{"type":"a.b","n":1}"#,
            "v1,gE5Hevveu/sS+Y3FE/XheUbd6I6Ac5P2YI5VDRS4U+Q=",
        ),
    ];
    for (secret, id, timestamp, body, wanted) in vectors {
        assert_eq!(signature::sign(&signature::key(secret).unwrap(), id, timestamp, body), wanted);
    }
}

#[test]
fn secrets_of_another_form_are_refused() {
    for secret in ["", "whsec_", "whsec_AAEC", "whsec_not base64 at all, but long enough!", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"] {
        assert!(signature::key(secret).is_none(), "{secret}");
    }
}

#[test]
fn every_status() {
    let after = Some(Duration::from_secs(7));
    for status in [200, 201, 204, 299] {
        assert_eq!(error_map::outcome(status, None), Outcome::Accepted { provider_id: None });
    }
    assert!(matches!(error_map::outcome(410, None), Outcome::BadAddress { kind: BadAddress::Dead, as_of: None, .. }));
    for status in [429, 502, 504] {
        let outcome = error_map::outcome(status, after);
        assert_eq!(outcome, Outcome::Throttled { after, scope: ThrottleScope::Recipient, code: status.to_string() });
    }
    for status in [101, 301, 302, 307, 308, 400, 401, 403, 404, 405, 413, 500, 501, 503, 599] {
        assert_eq!(error_map::outcome(status, after), Outcome::Retry { after, code: status.to_string() });
    }
}
