#![allow(clippy::unwrap_used, missing_docs)]

use super::{Letter, author, author_of};
use crate::providers::Message;
use crate::providers::testing::{message, told};
use commands::links::Unsubscribe;
use domain::values::{Content, MailAuthor, SentAs};
use std::sync::Arc;

fn with(content: Content) -> Message {
    Message { content: Arc::new(content), ..message("kim@example.org", None) }
}

#[test]
fn who_takes_no_message_without_a_subject_gets_one() {
    let subject = |title: Option<&str>, body: &str| {
        let message = with(Content { title: title.map(ToOwned::to_owned), body: body.to_owned(), ..Content::default() });
        Letter::of(&message, "acme.test").unwrap().some_subject().into_owned()
    };
    assert_eq!(subject(Some("Paid"), "Order 42"), "Paid");
    assert_eq!(subject(Some(" "), "\n  \r\n Order\t42 \nmore"), "Order 42");
    assert_eq!(subject(None, ""), "-");
    let long = subject(None, &"가".repeat(100));
    assert!(long.chars().count() == 70 && long.ends_with("가…"), "{long}");
}

#[test]
fn headers_are_ours_and_the_ways_out_on_one_line() {
    let unsubscribe = Some(Unsubscribe { url: "https://n.example/u/x".to_owned(), mailto: Some("mailto:leave@acme.test".to_owned()) });
    let message = Message { unsubscribe, ..message("kim@한국.example", None) };
    let letter = Letter::of(&message, "acme.test").unwrap();
    assert_eq!(letter.to.to_string(), "kim@xn--3e0b707e.example");
    let headers: Vec<_> = letter.all_headers().collect();
    let has = |name: &str, value: &str| headers.iter().any(|(known, told)| *known == name && told == value);
    assert!(has("Message-ID", "<00000000-0000-0000-0000-000000000077.3@acme.test>"), "{headers:?}");
    assert!(has("List-Unsubscribe", "<https://n.example/u/x>, <mailto:leave@acme.test>"), "{headers:?}");
    assert!(has("List-Unsubscribe-Post", "List-Unsubscribe=One-Click") && has("Auto-Submitted", "auto-generated"), "{headers:?}");
    assert!(headers.iter().all(|(_, value)| value.is_ascii() && !value.contains(char::is_control)));
}

#[test]
fn what_cannot_be_written_is_refused_before_any_call() {
    let refused = |message: Message| told(&Letter::of(&message, "acme.test").map(drop).unwrap_err());
    assert_eq!(refused(message("kim", None)), ("bad address", "not an e-mail address".to_owned()));
    assert_eq!(refused(message("김@example.org", None)), ("bad address", "address needs SMTPUTF8".to_owned()));
    let title = Content { title: Some("a\r\nBcc: all@example.org".to_owned()), ..Content::default() };
    assert_eq!(refused(with(title)).0, "permanent");
    for wrong in ["", "acme", "a@b\r\nBcc: c@d", "no-reply@한국.example"] {
        assert!(author("sendgrid", wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_author_is_the_mails_own_else_the_configured_one_and_its_name_ends_no_header() {
    let configured = author("sendgrid", "Acme <no-reply@acme.test>").unwrap();
    let of = |from: Option<SentAs>| author_of(&Message { from, ..message("kim@example.org", None) }, &configured).to_string();
    assert_eq!(of(None), "Acme <no-reply@acme.test>");
    assert_eq!(of(Some(SentAs::Number("+821023456789".to_owned()))), "Acme <no-reply@acme.test>");
    let own = |name: &str| of(Some(SentAs::Mail(MailAuthor { address: "orders@acme.test".to_owned(), name: Some(name.to_owned()) })));
    assert_eq!(own("Acme, \"Orders\" <x@y.z>"), "\"Acme, \\\"Orders\\\" <x@y.z>\" <orders@acme.test>");
    assert_eq!(of(Some(SentAs::Mail(MailAuthor { address: "orders@acme.test".to_owned(), name: None }))), "orders@acme.test");
}
