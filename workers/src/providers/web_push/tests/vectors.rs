use super::super::encryption::{LONGEST, encrypt_with};
use super::super::subscription::BASE64;
use super::super::vapid::Vapid;
use super::super::{Keys, KeysRefused, VapidKeys, error_map, is_subject, payload};
use crate::providers::Message;
use crate::providers::testing::{message, told};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use commands::ports::SystemClock;
use domain::values::{Content, Priority};
use std::sync::Arc;

const POINT: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

/// RFC 8291 section 5 and appendix A.
#[test]
fn the_standards_own_message_comes_out_byte_for_byte() {
    let keys = Keys::read(POINT, AUTH).unwrap();
    let sender = PrivateKey::from_private_key(&ECDH_P256, &BASE64.decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw").unwrap()).unwrap();
    let salt = BASE64.decode("DGv6ra1nlYgDCS1FRnbzlw").unwrap().try_into().unwrap();
    let body = encrypt_with(&sender, salt, &keys, b"When I grow up, I want to be a watermelon").unwrap();
    assert_eq!(
        BASE64.encode(body),
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    );
    assert_eq!(LONGEST, 3_993);
}

#[test]
fn keys_are_told_from_what_only_looks_like_them() {
    let keys = Keys::read(POINT, AUTH).unwrap();
    assert_eq!(Keys::of_secret(&keys.secret()), Some(keys.clone()));
    assert_eq!(Keys::read(&format!("{POINT}="), &format!("{AUTH}==")), Ok(keys.clone()));
    // Not on the curve; compressed; too short; of another form.
    let mut off = BASE64.decode(POINT).unwrap();
    off[64] ^= 1;
    for bad in [BASE64.encode(&off), format!("A{}", &POINT[1..]), POINT[..40].to_owned(), "?".to_owned(), String::new()] {
        assert_eq!(Keys::read(&bad, AUTH), Err(KeysRefused::P256dh), "{bad}");
    }
    for bad in ["", "BTBZ", "BTBZMqHH6r4Tts7J_aSIggAA"] {
        assert_eq!(Keys::read(POINT, bad), Err(KeysRefused::Auth), "{bad}");
    }
    assert!(!format!("{keys:?}").contains('['));
}

#[test]
fn a_claim_is_signed_for_its_origin_and_used_again() {
    let keys = VapidKeys::generate().unwrap();
    let vapid = Vapid::new(&keys.private, "mailto:a@example.com", Arc::new(SystemClock::default())).unwrap();
    let header = vapid.header("https://push.example.net").unwrap();
    assert_eq!(vapid.header("https://push.example.net").unwrap(), header);
    let text = header.to_str().unwrap();
    let (token, key) = text.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    assert_eq!(key, keys.public);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let point = BASE64.decode(key).unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).verify(signed.as_bytes(), &BASE64.decode(signature).unwrap()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&BASE64.decode(signed.split('.').nth(1).unwrap()).unwrap()).unwrap();
    assert_eq!((&claims["aud"], &claims["sub"]), (&"https://push.example.net".into(), &"mailto:a@example.com".into()));
    vapid.forget("https://push.example.net");
    assert_ne!(vapid.header("https://push.example.net").unwrap(), header);
    assert_eq!(VapidKeys::of_private(&keys.private).unwrap().public, keys.public);
    for bad in ["", "AAAA", &BASE64.encode([0; 32]), &BASE64.encode([255; 32])] {
        assert!(Vapid::new(bad, "mailto:a@example.com", Arc::new(SystemClock::default())).is_err(), "{bad}");
    }
}

#[test]
fn subjects() {
    for (subject, good) in [
        ("mailto:a@b.example", true),
        ("https://a.example", true),
        ("mailto:a", false),
        ("http://a.example", false),
        ("https://", false),
        ("mailto:a@b c", false),
    ] {
        assert_eq!(is_subject(subject), good, "{subject}");
    }
}

#[test]
fn headers_say_for_how_long_how_urgent_and_what_it_replaces() {
    assert_eq!(
        (payload::ttl(None, 0), payload::ttl(Some(90_000), 0), payload::ttl(Some(0), 5), payload::ttl(Some(i64::MAX), 0)),
        (2_419_200, 90, 0, 2_419_200)
    );
    assert_eq!([Priority::Low, Priority::Normal, Priority::High, Priority::Critical].map(payload::urgency), ["low", "normal", "high", "high"]);
    let topic = |key: Option<&str>| {
        let content = Content { collapse_key: key.map(str::to_owned), ..Content::default() };
        payload::topic(&Message { content: Arc::new(content), ..message("", None) })
    };
    assert_eq!((topic(None), topic(Some("order-42"))), ("00000000000000000000000000000077".to_owned(), "order-42".to_owned()));
    let hashed = topic(Some("order 42"));
    assert!(hashed.len() == 32 && hashed != topic(Some("order 43")), "{hashed}");
}

#[test]
fn answers() {
    let map = |status, location: Option<&str>, known| told(&error_map::outcome(status, None, location.map(str::to_owned), known)).0;
    assert_eq!(
        (map(201, None, false), map(200, Some("m"), false), map(200, None, false), map(204, None, false)),
        ("accepted", "accepted", "unknown", "unknown")
    );
    assert_eq!((map(403, None, false), map(403, None, true), map(401, None, true)), ("misconfigured", "bad address", "bad address"));
    assert_eq!((map(400, None, false), map(413, None, false), map(429, None, false), map(500, None, false)), ("permanent", "permanent", "throttled", "retry"));
}
