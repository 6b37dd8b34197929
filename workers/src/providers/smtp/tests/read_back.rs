//! Our mails as a mail program reads them.

use super::super::message::build;
use super::message;
use crate::providers::Message;
use crate::providers::files::File;
use crate::providers::files::tests::invoice;
use domain::values::Content;
use mail_parser::{MessageParser, MimeHeaders};
use proptest::prelude::*;

const NOW: i64 = 1_700_000_000_000;

fn sent(content: Content, attempt: u32) -> Vec<u8> {
    let message = Message { attempt, ..message("kim@example.org", content) };
    build(&message, &"봉수 알림 <no-reply@acme.test>".parse().unwrap(), "acme.test", NOW).unwrap().content
}

/// As the lines of a mail end.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim_end_matches('\n').to_owned()
}

proptest! {
    #[test]
    fn title_text_and_html_come_out_as_they_went_in(
        title in "[ -~가-힣😀-🙏é漢]{1,200}",
        body in "[ -~가-힣😀-🙏\t\n]{1,400}",
        html in "[ -~가-힣😀-🙏\n]{1,400}",
    ) {
        let content = Content { title: Some(title.clone()), body: body.clone(), html: Some(html.clone()), ..Content::default() };
        let raw = sent(content, 1);
        let mail = MessageParser::default().parse(&raw).unwrap();
        // Blanks at the ends of a header, and how many stand beside a fold, belong to nobody.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert_eq!(words(mail.subject().unwrap_or_default()), words(&title));
        prop_assert_eq!(lines(&mail.body_text(0).unwrap()), lines(&body));
        let part = mail.html_part(0).unwrap();
        prop_assert_eq!(part.content_type().unwrap().attribute("charset"), Some("utf-8"));
        prop_assert_eq!(lines(part.text_contents().unwrap()), lines(&html));
        prop_assert!(raw.split(|byte| *byte == b'\n').all(|line| line.len() <= 998));
    }
}

#[test]
fn words_of_other_scripts_are_encoded_words_and_the_author_s_name_too() {
    let content = Content { title: Some("주문이 완료되었습니다 🎉".to_owned()), body: "b".to_owned(), ..Content::default() };
    let raw = sent(content, 1);
    let text = String::from_utf8(raw.clone()).unwrap();
    assert!(text.is_ascii() && text.to_ascii_lowercase().contains("subject: =?utf-8?"), "{text}");
    let mail = MessageParser::default().parse(&raw).unwrap();
    assert_eq!(mail.subject(), Some("주문이 완료되었습니다 🎉"));
    let author = mail.from().and_then(|from| from.first()).unwrap();
    assert_eq!((author.name.as_deref(), author.address.as_deref()), (Some("봉수 알림"), Some("no-reply@acme.test")));
}

#[test]
fn a_repeat_is_the_same_mail_but_for_the_number_of_its_attempt() {
    let content = || Content { title: Some("주문".to_owned()), body: "본문".to_owned(), html: Some("<p>본문</p>".to_owned()), ..Content::default() };
    let (first, second) = (String::from_utf8(sent(content(), 1)).unwrap(), String::from_utf8(sent(content(), 2)).unwrap());
    assert_eq!(first.replace("X-Bongsu-Attempt: 1\r\n", ""), second.replace("X-Bongsu-Attempt: 2\r\n", ""));
    assert!(first.contains("Message-ID: <00000000-0000-0000-0000-000000000077.3@acme.test>"), "{first}");
}

#[test]
fn files_come_out_as_they_went_in_beside_one_text_or_two() {
    for html in [None, Some("<p>Hello</p>".to_owned())] {
        let content = Content { body: "Hello".to_owned(), html: html.clone(), ..Content::default() };
        let files = vec![invoice(), File { name: "b.txt".to_owned(), kind: "text/plain".to_owned(), content: "가\n.\n".into() }];
        let message = Message { files: files.clone(), ..message("kim@example.org", content) };
        let raw = build(&message, &"no-reply@acme.test".parse().unwrap(), "acme.test", NOW).unwrap().content;
        let again = build(&message, &"no-reply@acme.test".parse().unwrap(), "acme.test", NOW).unwrap().content;
        assert_eq!(raw, again, "the same on every attempt");
        let mail = MessageParser::default().parse(&raw).unwrap();
        assert_eq!(mail.content_type().unwrap().subtype(), Some("mixed"));
        assert_eq!(lines(&mail.body_text(0).unwrap()), "Hello");
        assert_eq!(mail.html_part(0).filter(|_| html.is_some()).and_then(|part| part.text_contents()).map(lines), html);
        let found: Vec<_> = mail.attachments().collect();
        assert_eq!(found.len(), 2);
        for (part, file) in found.iter().zip(&files) {
            let kind = part.content_type().unwrap();
            assert_eq!(part.attachment_name(), Some(file.name.as_str()));
            assert_eq!(format!("{}/{}", kind.ctype(), kind.subtype().unwrap()), file.kind);
            assert_eq!(part.contents(), &file.content[..]);
            assert!(part.content_disposition().unwrap().is_attachment());
        }
    }
}
