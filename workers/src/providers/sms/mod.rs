//! What providers of text messages share: the text, and how many segments it takes.

#[cfg(test)]
mod tests;

pub use domain::values::segments::{Encoding, Segments, segments};

use super::Message;
use domain::address::ReplyWord;
use domain::values::Content;
use std::borrow::Cow;

/// The text of a notification: its title, where it has one, above its body.
pub(crate) fn text(content: &Content) -> Cow<'_, str> {
    match &content.title {
        Some(title) => Cow::Owned(format!("{title}\n{}", content.body)),
        None => Cow::Borrowed(&content.body),
    }
}

/// Counts what was accepted: segments are what text messages are paid by. `told` is the provider's
/// own count, where it gives one.
pub(crate) fn count(provider: &'static str, text: &str, told: Option<u64>) {
    let count = told.unwrap_or_else(|| u64::from(segments(text).count));
    metrics::counter!("bongsu_sms_segments_total", "provider" => provider).increment(count);
}

/// Our ids, for providers that hand a reference back: notification, delivery, attempt.
pub(crate) fn reference(message: &Message) -> String {
    format!("{}.{}.{}", message.notification.0.simple(), message.delivery, message.attempt)
}

/// What a text comes to that somebody answered, where it is nothing but one of the words that carriers
/// and laws ask for: the English ones (CTIA), Korean, Spanish, French, German and Portuguese.
pub(crate) fn reply_word(text: &str) -> Option<ReplyWord> {
    const STOP: [&str; 23] = [
        "STOP",
        "STOPALL",
        "STOP ALL",
        "UNSUBSCRIBE",
        "CANCEL",
        "END",
        "QUIT",
        "REVOKE",
        "OPTOUT",
        "OPT OUT",
        "수신거부",
        "수신 거부",
        "거부",
        "중지",
        "정지",
        "ALTO",
        "BAJA",
        "PARAR",
        "ARRET",
        "ARRÊT",
        "STOPP",
        "ABMELDEN",
        "SAIR",
    ];
    const START: [&str; 11] = ["START", "UNSTOP", "YES", "SUBSCRIBE", "OPTIN", "OPT IN", "수신동의", "수신 동의", "시작", "ALTA", "ANMELDEN"];
    let word = text.trim_matches(|c: char| !c.is_alphanumeric()).to_uppercase();
    if STOP.contains(&word.as_str()) { Some(ReplyWord::Stop) } else { START.contains(&word.as_str()).then_some(ReplyWord::Start) }
}
