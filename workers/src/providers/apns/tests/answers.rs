//! The error table, row by row.

use super::*;

fn refused(status: u16, reason: &str) -> Outcome {
    refused_with(status, &format!(r#"{{"reason":"{reason}"}}"#), None)
}

fn refused_with(status: u16, body: &str, retry_after: Option<Duration>) -> Outcome {
    error_map::refused(status, error_map::reason(body.as_bytes()), retry_after)
}

#[test]
fn every_row_of_the_error_table() {
    for reason in ["BadDeviceToken", "DeviceTokenNotForTopic"] {
        assert!(matches!(refused(400, reason), Outcome::BadAddress { kind: BadAddress::Unsupported, as_of: None, .. }), "{reason}");
    }
    for (status, reason) in [
        (400, "BadCollapseId"),
        (400, "BadExpirationDate"),
        (400, "BadMessageId"),
        (400, "BadPriority"),
        (400, "DuplicateHeaders"),
        (400, "InvalidPushType"),
        (400, "MissingDeviceToken"),
        (400, "PayloadEmpty"),
        (404, "BadPath"),
        (405, "MethodNotAllowed"),
        (413, "PayloadTooLarge"),
    ] {
        assert_eq!(refused(status, reason), Outcome::Permanent { code: format!("{status} {reason}") });
    }
    for reason in ["BadTopic", "MissingTopic", "TopicDisallowed"] {
        assert_eq!(refused(400, reason), Outcome::Misconfigured { scope: Misconfigured::Sender, code: format!("400 {reason}") });
    }
    for reason in [
        "ExpiredProviderToken",
        "InvalidProviderToken",
        "MissingProviderToken",
        "BadCertificate",
        "BadCertificateEnvironment",
        "Forbidden",
        "UnrelatedKeyIdInToken",
        "BadEnvironmentKeyIdInToken",
        "BadEnvironmentKeyInToken",
    ] {
        assert_eq!(refused(403, reason), Outcome::Misconfigured { scope: Misconfigured::Credential, code: format!("403 {reason}") });
    }
    assert_eq!(refused(400, "IdleTimeout"), Outcome::Retry { after: None, code: "400 IdleTimeout".to_owned() });
    for reason in ["Unregistered", "ExpiredToken"] {
        let body = format!(r#"{{"reason":"{reason}","timestamp":1700000000123}}"#);
        let dead = Outcome::BadAddress { kind: BadAddress::Dead, as_of: Some(1_700_000_000_123), code: format!("410 {reason}") };
        assert_eq!(refused_with(410, &body, None), dead);
    }
    let twenty_minutes = Some(Duration::from_secs(1_200));
    assert!(matches!(refused(429, "TooManyProviderTokenUpdates"), Outcome::Throttled { after, scope: ThrottleScope::Provider, .. } if after == twenty_minutes));
    assert!(matches!(refused(429, "TooManyRequests"), Outcome::Throttled { after: Some(_), scope: ThrottleScope::Recipient, .. }));
    let minute = Some(Duration::from_secs(60));
    for (status, reason) in [(500, "InternalServerError"), (503, "ServiceUnavailable"), (503, "Shutdown")] {
        assert_eq!(refused(status, reason), Outcome::Retry { after: minute, code: format!("{status} {reason}") });
    }
}

#[test]
fn a_wish_of_the_provider_is_honoured() {
    let wish = Some(Duration::from_secs(900));
    assert!(matches!(refused_with(503, r#"{"reason":"Shutdown"}"#, wish), Outcome::Retry { after, .. } if after == wish));
    assert!(matches!(refused_with(429, r#"{"reason":"TooManyRequests"}"#, wish), Outcome::Throttled { after, .. } if after == wish));
    // But never a new token before its time.
    assert!(
        matches!(refused_with(429, r#"{"reason":"TooManyProviderTokenUpdates"}"#, wish), Outcome::Throttled { after: Some(after), .. } if after > Duration::from_secs(900))
    );
}

#[test]
fn unknown_words_and_nonsense_never_lose_the_work() {
    assert_eq!(refused(422, "SomethingNew"), Outcome::Permanent { code: "422 SomethingNew".to_owned() });
    assert!(matches!(refused(403, "SomethingNew"), Outcome::Misconfigured { scope: Misconfigured::Credential, .. }));
    assert!(matches!(refused(429, "SomethingNew"), Outcome::Throttled { .. }));
    assert!(matches!(refused(502, "SomethingNew"), Outcome::Retry { .. }));
    for body in ["", "<html>", "{}", "[]", r#"{"reason":"<script>"}"#, r#"{"reason":7}"#] {
        assert_eq!(refused_with(503, body, None), Outcome::Retry { after: Some(Duration::from_secs(60)), code: "503 with another body".to_owned() }, "{body}");
        assert!(matches!(refused_with(418, body, None), Outcome::Permanent { .. }), "{body}");
        assert!(matches!(refused_with(302, body, None), Outcome::Retry { .. }), "{body}");
    }
}
