use super::super::error_map::outcome;
use domain::values::{BadAddress, Misconfigured, Outcome, ThrottleScope};

#[test]
fn every_row_of_the_reply_table() {
    assert!(matches!(outcome(421, "4.3.2 Service not available"), Outcome::Retry { after: None, .. }));
    for (code, text) in [(450, ""), (451, "4.3.0 later"), (452, "4.2.2 full"), (454, "4.7.0 Temporary authentication failure"), (452, "4.5.3 too many")] {
        assert!(matches!(outcome(code, text), Outcome::Retry { after: Some(_), .. }), "{code} {text}");
    }
    for (code, text) in [(450, "4.7.1 slow down"), (451, "4.7.1 greylisted"), (450, "4.7.28 too fast")] {
        assert!(matches!(outcome(code, text), Outcome::Throttled { scope: ThrottleScope::Recipient, .. }), "{code} {text}");
    }
    for (code, text) in [(535, "5.7.8 failed"), (535, ""), (530, "5.7.0 Authentication required"), (550, "5.7.8 x"), (534, "5.7.9 x"), (538, "")] {
        assert!(matches!(outcome(code, text), Outcome::Misconfigured { scope: Misconfigured::Credential, .. }), "{code} {text}");
    }
    assert!(matches!(outcome(550, "5.7.26 unauthenticated"), Outcome::Misconfigured { scope: Misconfigured::Sender, .. }));
    for text in ["5.1.1 no such user", "5.1.2 no such domain", "5.1.3 syntax", "5.1.10 null MX", "5.2.1 disabled"] {
        assert!(matches!(outcome(550, text), Outcome::BadAddress { kind: BadAddress::Dead, .. }), "{text}");
    }
    assert!(matches!(outcome(552, "5.2.2 full"), Outcome::BadAddress { kind: BadAddress::SoftFail, .. }));
    for (code, text) in [(552, "5.3.4 too big"), (550, "5.7.1 policy"), (550, ""), (554, "no"), (500, "5.5.2 syntax"), (550, "5.1.8 sender")] {
        assert!(matches!(outcome(code, text), Outcome::Permanent { .. }), "{code} {text}");
    }
    assert!(matches!(outcome(354, "go on"), Outcome::Unknown { .. }));
}

#[test]
fn codes_hold_no_text_of_the_server() {
    assert_eq!(outcome(550, "5.7.1 <kim@example.org> rejected"), Outcome::Permanent { code: "550 5.7.1".to_owned() });
    assert_eq!(outcome(554, "<kim@example.org> rejected"), Outcome::Permanent { code: "554".to_owned() });
}

#[test]
fn almost_enhanced_codes_are_text() {
    for text in ["5.1.1.1 x", "5.1 x", "3.1.1 x", "5.1.1000 x", "5..1 x", "5.1.+1 x", "٥.1.1 x", "5.1.1: x"] {
        assert_eq!(outcome(550, text), Outcome::Permanent { code: "550".to_owned() }, "{text}");
    }
}

#[test]
fn the_queue_id_is_kept_if_it_is_one() {
    let id = |text: &str| match outcome(250, text) {
        Outcome::Accepted { provider_id } => provider_id,
        other => panic!("{other:?}"),
    };
    assert_eq!(id("2.0.0 Ok: queued as 4bXyZ").as_deref(), Some("4bXyZ"));
    assert_eq!(id("OK id=1sAbCd-000Xyz-1A").as_deref(), Some("OK id=1sAbCd-000Xyz-1A"));
    assert_eq!(id("2.0.0 Ok\nmore").as_deref(), Some("Ok"));
    assert_eq!(id(""), None);
    assert_eq!(id("2.0.0"), None);
    assert_eq!(id(&"x".repeat(65)), None);
    assert_eq!(id("queued as ключ"), None);
}
