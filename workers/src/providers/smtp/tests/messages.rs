use super::super::message::build;
use super::message;
use crate::providers::Message;
use commands::links::Unsubscribe;
use domain::values::{BadAddress, Content, Outcome};

const NOW: i64 = 1_700_000_000_000;

fn written(content: Content) -> String {
    let mail = build(&message("kim@example.org", content), &"Acme <no-reply@acme.test>".parse().unwrap(), "acme.test", NOW).unwrap();
    String::from_utf8(mail.content).unwrap()
}

fn refusal(to: &str, title: &str) -> Outcome {
    let content = Content { title: Some(title.to_owned()), body: "b".to_owned(), ..Content::default() };
    build(&message(to, content), &"no-reply@acme.test".parse().unwrap(), "acme.test", NOW).unwrap_err()
}

#[test]
fn headers_and_a_single_text() {
    let text = written(Content { title: Some("Paid".to_owned()), body: "Order 42".to_owned(), ..Content::default() });
    for line in [
        "Message-ID: <00000000-0000-0000-0000-000000000077.3@acme.test>",
        "Date: Tue, 14 Nov 2023 22:13:20 +0000",
        "From: Acme <no-reply@acme.test>",
        "To: kim@example.org",
        "Subject: Paid",
        "Auto-Submitted: auto-generated",
        "X-Bongsu-Notification: 00000000-0000-0000-0000-000000000077",
        "X-Bongsu-Delivery: 3",
        "X-Bongsu-Attempt: 2",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
    ] {
        assert!(text.contains(&format!("{line}\r\n")), "{line} is missing in\n{text}");
    }
    assert!(text.ends_with("\r\n\r\nOrder 42\r\n"), "{text}");
}

#[test]
fn the_ways_out_are_named_whole_and_unencoded() {
    let url = format!("https://notify.example.com/u/{}", "x".repeat(100));
    let with = |mailto: Option<&str>| {
        let unsubscribe = Some(Unsubscribe { url: url.clone(), mailto: mailto.map(ToOwned::to_owned) });
        let message = Message { unsubscribe, ..message("kim@example.org", Content { body: "b".to_owned(), ..Content::default() }) };
        let mail = build(&message, &"no-reply@acme.test".parse().unwrap(), "acme.test", NOW).unwrap();
        String::from_utf8(mail.content).unwrap()
    };
    let text = with(None);
    assert!(text.contains(&format!("\r\nList-Unsubscribe: <{url}>\r\n")), "{text}");
    assert!(text.contains("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"), "{text}");
    let text = with(Some("mailto:leave@acme.test?subject=t"));
    assert!(text.contains(&format!("\r\nList-Unsubscribe: <{url}>,\r\n <mailto:leave@acme.test?subject=t>\r\n")), "{text}");
    assert!(!written(Content { body: "b".to_owned(), ..Content::default() }).contains("List-Unsubscribe"));
}

#[test]
fn two_parts_the_same_bytes_every_time() {
    let content =
        || Content { title: None, body: "Bestellung".to_owned(), html: Some("<p>주문이 완료되었습니다</p>".to_owned()), ..Content::default() };
    let text = written(content());
    assert!(text.contains("Content-Type: multipart/alternative;\r\n boundary=\"=_00000000000000000000000000000077_3\"\r\n"), "{text}");
    assert!(!text.contains("Subject"));
    assert!(text.find("text/plain").unwrap() < text.find("text/html").unwrap());
    assert!(text.contains("Content-Transfer-Encoding: base64\r\n"), "{text}");
    assert!(text.contains("--=_00000000000000000000000000000077_3--"), "{text}");
    assert_eq!(text, written(content()));
}

#[test]
fn no_content_ends_the_message_or_adds_a_line_of_its_own() {
    let smuggled = "a\n.\nMAIL FROM:<x@y.test>\r.\rb\r\n.\r\nc\0d\n\n--=_00000000000000000000000000000077_3--";
    let content = Content { title: Some("t".to_owned()), body: smuggled.to_owned(), html: Some(smuggled.to_owned()), ..Content::default() };
    let text = written(content);
    assert!(text.is_ascii() && !text.contains('\0'));
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
    assert_eq!(text.matches("--=_00000000000000000000000000000077_3--").count(), 1, "{text}");
    let long = written(Content { title: Some("제목 ".repeat(60)), body: "x".repeat(5_000), ..Content::default() });
    assert!(long.lines().all(|line| line.len() <= 998));
}

#[test]
fn neither_address_nor_content_is_shown() {
    let content = Content { body: "marker".to_owned(), ..Content::default() };
    let mail = build(&message("kim@example.org", content), &"no-reply@acme.test".parse().unwrap(), "acme.test", NOW).unwrap();
    let shown = format!("{mail:?}");
    assert!(shown.starts_with("<mail of ") && !shown.contains("kim"), "{shown}");
}

#[test]
fn control_characters_in_the_title_are_refused() {
    for title in ["a\r\nBcc: x@y.test", "a\nb", "a\rb", "a\0b", "a\u{85}b"] {
        assert!(matches!(refusal("kim@example.org", title), Outcome::Permanent { .. }), "{title:?}");
    }
}

#[test]
fn addresses_that_are_not_one_are_refused() {
    for to in [
        "",
        "kim",
        "kim@",
        "@example.org",
        "a@b@c",
        "a@b.test, c@d.test",
        "Kim <kim@example.org>",
        "kim@example.org\r\nRCPT TO:<x@y.test>",
        "kim@example.org> SIZE=1",
        "김@example.org",
    ] {
        assert!(matches!(refusal(to, "t"), Outcome::BadAddress { kind: BadAddress::Unsupported, .. }), "{to:?}");
    }
}

#[test]
fn domains_of_other_scripts_are_sent_in_ascii() {
    let content = Content { body: "b".to_owned(), ..Content::default() };
    let mail = build(&message("kim@bücher.example", content), &"no-reply@acme.test".parse().unwrap(), "acme.test", NOW).unwrap();
    assert_eq!(mail.to.to_string(), "kim@xn--bcher-kva.example");
}
