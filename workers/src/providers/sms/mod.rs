//! What providers of text messages share: the text, and how many segments it takes.

mod segments;
#[cfg(test)]
mod tests;

pub use segments::{Encoding, Segments, segments};

use super::Message;
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
