#![allow(clippy::unwrap_used, missing_docs)]

use super::{Channel, Content, ContentError, MAX_JSON_LEVELS, MailAuthor, PhoneError, PhoneNumber, SentFrom, SentFromError, json_levels};

fn nested(levels: usize) -> String {
    format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1))
}

#[test]
fn levels_are_those_of_brackets_outside_of_strings() {
    for (text, levels) in [("1", 0), ("{}", 1), (r#"{"a":[{}],"b":[[]]}"#, 3), (r#"{"a":"[[[[{{","b":"\"[[","c":"\\\\"}"#, 1), (r#"{"\\":[]}"#, 2), ("]]][", 1)]
    {
        assert_eq!(json_levels(text), levels, "{text}");
    }
}

#[test]
fn content_of_too_many_levels_is_refused() {
    let of = |data: Option<String>, metadata: Option<String>| Content { body: "b".to_owned(), data, metadata, ..Content::default() }.check();
    assert_eq!(of(Some(nested(MAX_JSON_LEVELS)), Some(nested(MAX_JSON_LEVELS))), Ok(()));
    for levels in [MAX_JSON_LEVELS + 1, 5_000, 400_000] {
        assert_eq!(of(Some(nested(levels)), None), Err(ContentError::TooDeep { field: "data" }), "{levels}");
        assert_eq!(of(None, Some(nested(levels))), Err(ContentError::TooDeep { field: "metadata" }), "{levels}");
    }
}

#[test]
fn a_phone_number_has_one_spelling_however_it_is_written() {
    for (written, stored, country) in [
        ("+821023456789", "+821023456789", "82"),
        (" +82 10-2345-6789 ", "+821023456789", "82"),
        ("+1 (415) 555.2671", "+14155552671", "1"),
        ("+358\u{a0}40\u{2011}1234567", "+358401234567", "358"),
        ("+290 1234", "+2901234", "290"),
        ("+98 912 345 6789", "+989123456789", "98"),
        ("+123456789012345", "+123456789012345", "1"),
    ] {
        let number = PhoneNumber::parse(written).unwrap();
        assert_eq!((number.as_str(), number.digits(), number.country_code()), (stored, &stored[1..], Some(country)), "{written}");
        assert_eq!(PhoneNumber::parse(number.as_str()), Ok(number));
    }
    assert!(!format!("{:?}", PhoneNumber::parse("+821023456789").unwrap()).contains("1023"));
}

#[test]
fn what_only_looks_like_a_phone_number_is_told_what_is_wrong() {
    for (written, error) in [
        ("", PhoneError::NotInternational),
        ("010-2345-6789", PhoneError::NotInternational),
        ("00821023456789", PhoneError::NotInternational),
        ("+82 10 2345 6789 ext. 5", PhoneError::Characters),
        ("+82+1023456789", PhoneError::Characters),
        ("+44 (0)20 7946 0000", PhoneError::TrunkZero),
        ("+", PhoneError::Length),
        ("+821234", PhoneError::Length),
        ("+1234567890123456", PhoneError::Length),
        ("+0821023456789", PhoneError::CountryCode),
        ("+2101234567", PhoneError::CountryCode),
        ("+9991234567", PhoneError::CountryCode),
    ] {
        assert_eq!(PhoneNumber::parse(written), Err(error), "{written}");
    }
}

#[test]
fn every_channel_has_a_name_and_a_number_of_its_own_and_keeps_them() {
    let kept = [
        (0, "in_app"),
        (1, "android_push"),
        (2, "ios_push"),
        (3, "email"),
        (4, "webhook"),
        (5, "sms"),
        (6, "voice"),
        (7, "web_push"),
        (8, "chat"),
        (9, "kakao_talk"),
    ];
    assert_eq!(Channel::ALL.map(|channel| (channel.number(), channel.name())), kept);
    for channel in Channel::ALL {
        assert_eq!((Channel::from_name(channel.name()), Channel::from_number(channel.number())), (Some(channel), Some(channel)));
        assert_eq!(serde_json::to_value(channel).unwrap(), channel.name());
    }
    // Numbered as before, and nothing over what came later unless it is named.
    assert_eq!(Channel::UNNAMED[..], Channel::ALL[..5]);
}

#[test]
fn whom_messages_come_from_can_neither_add_a_header_nor_be_two() {
    let mail = |address: &str, name: Option<&str>| {
        let author = MailAuthor { address: address.to_owned(), name: name.map(ToOwned::to_owned) };
        SentFrom { email: Some(author), ..SentFrom::default() }.check()
    };
    for right in ["no-reply@acme.com", "a.b+c@mail.acme.com", "x@xn--9k3b21r6md.example"] {
        assert_eq!(mail(right, Some("김봉수, \"Acme\" <Ltd>")), Ok(()), "{right}");
    }
    let bad = [
        "acme.com",
        "a@b",
        "@acme.com",
        "a@acme..com",
        ".a@acme.com",
        "a@acme.com, b@acme.com",
        "A <a@acme.com>",
        "a@acme.com\r\nBcc: b@c.d",
        "\"a b\"@c.d",
        "é@acme.com",
        "a@-acme.com",
        "a@[127.0.0.1]",
    ];
    for wrong in bad {
        assert_eq!(mail(wrong, None), Err(SentFromError::Email), "{wrong}");
    }
    for wrong in ["", " ", "Acme\nBcc: x@y.z", "A\u{0}", "A\u{2028}B"] {
        assert_eq!(mail("a@acme.com", Some(wrong)), Err(SentFromError::Email), "{wrong:?}");
    }
    let sms = |id: &str| SentFrom { sms: Some(id.to_owned()), ..SentFrom::default() }.check();
    for right in ["+821023456789", "12345", "ACME", "Acme Shop 1"] {
        assert_eq!(sms(right), Ok(()), "{right}");
    }
    for wrong in ["", "+82 10", "1", "123456789", "ACME&BCC=1", "Twelve chars", " ACME", "+1234"] {
        assert_eq!(sms(wrong), Err(SentFromError::Sms), "{wrong}");
    }
    let voice = |number: &str| SentFrom { voice: Some(number.to_owned()), ..SentFrom::default() }.check();
    assert_eq!((voice("+821023456789"), voice("ACME"), voice("+82 1023456789")), (Ok(()), Err(SentFromError::Voice), Err(SentFromError::Voice)));
}
