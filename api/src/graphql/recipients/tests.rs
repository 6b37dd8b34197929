#![allow(clippy::unwrap_used, missing_docs)]

use super::check;
use domain::values::Channel;

#[test]
fn addresses_are_told_from_what_only_looks_like_one() {
    for good in ["a@example.com", "first.last+tag@sub.example.co.kr"] {
        assert!(check::email(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "a",
        "a@",
        "@example.com",
        "a@localhost",
        "a@example.com, b@example.com",
        "A <a@example.com>",
        "a@example.com\r\nBcc: b@example.com",
        "a@[127.0.0.1]",
        "a b@example.com",
    ] {
        assert_eq!(check::email(bad).unwrap_err().code, "INVALID_EMAIL", "{bad:?}");
    }
}

#[test]
fn tokens_have_the_shape_of_their_service() {
    assert!(check::token(Channel::IosPush, &"ab".repeat(32)).is_ok());
    assert!(check::token(Channel::AndroidPush, "fcm:APA91b-x_y").is_ok());
    for (channel, bad) in [
        (Channel::IosPush, "zz".repeat(32)),
        (Channel::IosPush, "ab".repeat(8)),
        (Channel::AndroidPush, String::new()),
        (Channel::AndroidPush, "a\nb".to_owned()),
    ] {
        assert_eq!(check::token(channel, &bad).unwrap_err().code, "INVALID_TOKEN", "{bad:?}");
    }
    assert_eq!(check::token(Channel::Email, "x").unwrap_err().code, "NOT_A_DEVICE_CHANNEL");
}

#[test]
fn zones_locales_and_secrets() {
    assert!(check::time_zone("Asia/Seoul").is_ok());
    assert_eq!(check::time_zone("Mars/Olympus").unwrap_err().code, "INVALID_TIME_ZONE");
    assert!(check::locale("ko-KR").is_ok());
    assert_eq!(check::locale("k").unwrap_err().code, "INVALID_LOCALE");
    assert!(check::webhook_secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").is_ok());
    assert_eq!(check::webhook_secret("secret").unwrap_err().code, "INVALID_SECRET");
}

#[test]
fn a_recipient_id_has_no_control_characters() {
    assert!(check::recipient_id("user@example.com").is_ok());
    for bad in ["", "a\nb", &"x".repeat(256)] {
        assert_eq!(check::recipient_id(bad).unwrap_err().code, "INVALID_ID");
    }
}
