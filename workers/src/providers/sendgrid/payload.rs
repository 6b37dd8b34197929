//! A message as SendGrid takes it.

use crate::providers::Message;
use crate::providers::mail::Letter;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::message::Mailbox;
use serde_json::{Map, Value, json};

/// The request's body. Links are left as they are and nobody is counted: what a message says is its
/// sender's business.
pub(super) fn payload(letter: &Letter<'_>, message: &Message, from: &Mailbox) -> Value {
    let mut author = json!({ "email": from.email.to_string() });
    if let Some(name) = &from.name {
        author["name"] = json!(name);
    }
    let ids = json!({ "nid": message.notification.0.to_string(), "delivery": message.delivery.to_string(), "attempt": message.attempt.to_string() });
    // The text comes first; a reader takes the last that it can show (RFC 2046 section 5.1.4).
    let mut content = vec![json!({ "type": "text/plain", "value": letter.text })];
    content.extend(letter.html.map(|html| json!({ "type": "text/html", "value": html })));
    let headers: Map<String, Value> = letter.all_headers().map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
    let mut payload = json!({
        "personalizations": [{ "to": [{ "email": letter.to.to_string() }], "custom_args": ids }],
        "from": author,
        "subject": letter.some_subject(),
        "content": content,
        "headers": headers,
        "tracking_settings": {
            "click_tracking": { "enable": false, "enable_text": false },
            "open_tracking": { "enable": false },
            "subscription_tracking": { "enable": false },
        },
    });
    // It refuses an empty list.
    if !message.files.is_empty() {
        let files = message.files.iter();
        let files =
            files.map(|file| json!({ "content": STANDARD.encode(&file.content), "type": file.kind, "filename": file.name, "disposition": "attachment" }));
        payload["attachments"] = files.collect();
    }
    payload
}
