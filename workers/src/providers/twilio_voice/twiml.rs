//! The text as Twilio is to read it aloud (<https://www.twilio.com/docs/voice/twiml/say>).
//!
//! Guarantee: nothing of a notification becomes markup, so no text can dial, record or redirect: what
//! means something in XML is escaped, and what XML cannot hold is left out (XML 1.0 section 2.2).
//! Rejected: a URL from which Twilio fetches it, by which anybody who learns it could read the text.

/// Longest document, in characters.
pub(super) const LONGEST: usize = 4_000;

/// A document that says the text once.
pub(super) fn say(text: &str, language: Option<&str>) -> String {
    let mut document = String::with_capacity(text.len() + 64);
    document.push_str("<Response><Say");
    if let Some(language) = language {
        document.push_str(" language=\"");
        escape(language, &mut document);
        document.push('"');
    }
    document.push('>');
    escape(text, &mut document);
    document.push_str("</Say></Response>");
    document
}

fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '&' => into.push_str("&amp;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&apos;"),
            '\t' | '\n' | '\r' => into.push(character),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => into.push(character),
        }
    }
}
