//! The message as it goes over the wire.
//!
//! Guarantees: nothing of a notification can add a header or end the message early: header values
//! without control characters, bodies always quoted-printable or base64, only CRLF as line end, which
//! lettre 0.11.23 does not see to. `Message-ID` and body are the same on every attempt. Rejected:
//! lettre's own choice of encoding, which takes 7bit where it can.

use crate::providers::Message;
use crate::providers::files::File;
use crate::providers::mail::{Letter, ONE_CLICK};
use domain::values::{Millis, Outcome};
use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, MultiPart, SinglePart};
use std::time::{Duration, SystemTime};

/// Last moment a date header can tell: the end of the year 9999.
const LATEST: Millis = 253_402_300_799_000;

/// One message, ready to be sent.
pub(super) struct Mail {
    pub to: Address,
    pub content: Vec<u8>,
}

impl Mail {
    /// One more header, before all others. Name and value are plain ASCII of our own.
    pub(super) fn put_in_front(&mut self, name: &str, value: &str) {
        let header = format!("{name}: {value}\r\n");
        self.content.splice(..0, header.into_bytes());
    }
}

/// Neither address nor content.
impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<mail of {} bytes>", self.content.len())
    }
}

/// Builds it, or says what it means that this cannot be.
pub(super) fn build(message: &Message, from: &Mailbox, domain: &str, now: Millis) -> Result<Mail, Outcome> {
    let permanent = |code: &str| Outcome::Permanent { code: code.to_owned() };
    let letter = Letter::of(message, domain)?;
    let sent = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(now.clamp(0, LATEST)).unwrap_or_default());
    let mut builder = lettre::Message::builder().message_id(Some(letter.message_id)).date(sent).from(from.clone()).to(Mailbox::new(None, letter.to.clone()));
    if let Some(title) = letter.subject {
        // Blanks that stand together between words of other scripts would be lost (RFC 2047 section 6.2).
        builder = builder.subject(title.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    for (name, value) in letter.headers {
        builder = builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value));
    }
    for (name, value) in ways_out(&letter.ways_out) {
        builder = builder.raw_header(HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value));
    }
    let unencodable = || permanent("body cannot be encoded");
    let text = part(letter.text, ContentType::TEXT_PLAIN).ok_or_else(unencodable)?;
    // «=_» occurs in neither encoding, so no content can contain the boundary (RFC 2045 section 6.7).
    let boundary = format!("=_{}_{}", message.notification.0.simple(), message.delivery);
    let mixed = |first: MultiPart| {
        let files = message.files.iter().map(|file| attached(file).ok_or_else(unencodable));
        files.into_iter().try_fold(first, |mixed, file| Ok::<_, Outcome>(mixed.singlepart(file?)))
    };
    let outer = || MultiPart::mixed().boundary(format!("{boundary}_m"));
    let built = match letter.html {
        None if message.files.is_empty() => builder.singlepart(text),
        None => builder.multipart(mixed(outer().singlepart(text))?),
        Some(html) => {
            let html = part(html, ContentType::TEXT_HTML).ok_or_else(unencodable)?;
            let both = MultiPart::alternative().boundary(&boundary).singlepart(text).singlepart(html);
            builder.multipart(if message.files.is_empty() { both } else { mixed(outer().multipart(both))? })
        }
    };
    let content = built.map_err(|_| permanent("message cannot be built"))?.formatted();
    if is_clean(&content) { Ok(Mail { to: letter.to, content }) } else { Err(permanent("message would not be plain ASCII with CRLF")) }
}

/// `List-Unsubscribe` (RFC 2369) and `List-Unsubscribe-Post` (RFC 8058), to be covered by the relay's
/// DKIM signature. URLs are ASCII without blanks, and stand on a line each: mail programs cut long ones
/// at the wrong place, and an encoded word would not be read at all.
fn ways_out(values: &[String]) -> impl Iterator<Item = (HeaderName, String)> {
    let headers = (!values.is_empty()).then(|| {
        [
            (HeaderName::new_from_ascii_str("List-Unsubscribe"), values.join(",\r\n ")),
            (HeaderName::new_from_ascii_str("List-Unsubscribe-Post"), ONE_CLICK.to_owned()),
        ]
    });
    headers.into_iter().flatten()
}

fn part(text: &str, kind: ContentType) -> Option<SinglePart> {
    let text = with_crlf(text);
    let foreign = text.bytes().filter(|byte| !byte.is_ascii()).count();
    // Quoted-printable triples each foreign byte, base64 costs a third overall.
    let encoding = if foreign * 6 > text.len() { ContentTransferEncoding::Base64 } else { ContentTransferEncoding::QuotedPrintable };
    let body = Body::new_with_encoding(text, encoding).ok()?;
    Some(SinglePart::builder().header(kind).body(body))
}

/// A file, always in base64. Its name goes as RFC 2231 has it.
fn attached(file: &File) -> Option<SinglePart> {
    let kind = ContentType::parse(&file.kind).ok()?;
    let body = Body::new_with_encoding(file.content.to_vec(), ContentTransferEncoding::Base64).ok()?;
    Some(Attachment::new(file.name.clone()).body(body, kind))
}

/// Every kind of line end as CRLF.
fn with_crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

/// The last look before sending: ASCII, no NUL, CR and LF only as pairs.
fn is_clean(content: &[u8]) -> bool {
    let mut previous = 0;
    for &byte in content {
        let broken = (previous == b'\r') != (byte == b'\n');
        if broken || byte == 0 || !byte.is_ascii() {
            return false;
        }
        previous = byte;
    }
    previous != b'\r'
}
