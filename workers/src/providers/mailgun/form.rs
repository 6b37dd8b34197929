//! A message as Mailgun takes it: a form in parts (RFC 7578).
//!
//! Guarantee: no value can end its part, since the boundary occurs in none of them; names are ours.
//! Rejected: reqwest's own, whose boundary is another one on every attempt.

use crate::providers::Message;
use crate::providers::files::File;
use crate::providers::mail::Letter;
use lettre::message::Mailbox;

/// The fields, in order. Links are left as they are and nobody is counted; mail goes on to servers
/// that speak TLS and to others, as Mailgun does by itself.
pub(super) fn fields(letter: &Letter<'_>, message: &Message, from: &Mailbox) -> Vec<(String, String)> {
    let mut fields = vec![
        ("from".to_owned(), from.to_string()),
        ("to".to_owned(), letter.to.to_string()),
        ("subject".to_owned(), letter.some_subject().into_owned()),
        ("text".to_owned(), letter.text.to_owned()),
    ];
    fields.extend(letter.html.map(|html| ("html".to_owned(), html.to_owned())));
    fields.extend(letter.all_headers().map(|(name, value)| (format!("h:{name}"), value)));
    fields.extend([
        ("v:nid".to_owned(), message.notification.0.to_string()),
        ("v:delivery".to_owned(), message.delivery.to_string()),
        ("v:attempt".to_owned(), message.attempt.to_string()),
        ("o:tracking".to_owned(), "no".to_owned()),
    ]);
    fields
}

/// The body with its boundary.
pub(super) fn encode(fields: &[(String, String)], files: &[File]) -> (String, Vec<u8>) {
    let mut boundary = "----bongsu".to_owned();
    let within = |content: &[u8], boundary: &str| memchr::memmem::find(content, boundary.as_bytes()).is_some();
    while fields.iter().any(|(_, value)| value.contains(&boundary)) || files.iter().any(|file| within(&file.content, &boundary)) {
        boundary.push('x');
    }
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes());
    }
    for File { name, kind, content } in files {
        // Names have no quotes, backslashes or line ends.
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"attachment\"; filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (boundary, body)
}
