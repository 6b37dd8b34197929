//! Own tracking of e-mails: whether they are opened, and which of their links are followed.
//!
//! Off, unless a category asks for it, the installation allows it and the recipient has not switched it
//! off. Guarantees: a followed link leads where the content of its own notification says and nowhere else,
//! and nowhere once that is erased; a mail is never spoilt by being tracked; recording is best effort and
//! delays nobody: what cannot be recorded is counted, and the link leads on. Rejected: the tracking of the
//! providers, which tells a third party what people read and is different with each.

mod html;
mod recorder;
#[cfg(test)]
mod tests;
mod visitor;

pub use html::{nth_link, rewritten, unmarked};
pub use recorder::{Recorder, Sighting};
pub use visitor::{Asking, TOO_SOON, is_program, is_too_soon};

use commands::links::TrackedMail;
use commands::log::{LogError, LogReader};
use commands::templates::{Templates, placeholders};
use domain::notification::NotificationEvent;
use domain::values::{Channel, Content, NotificationId};
use domain::{AggregateKind, Fact, StreamId};
use std::sync::Arc;
use url::Url;

/// A content as its mail goes out: the same, where it has no HTML, or that is neither tracked nor marked, or cannot be
/// rewritten.
pub fn tracked(content: Arc<Content>, mail: Option<&TrackedMail>) -> Arc<Content> {
    let Some(html) = content.html.as_deref() else { return content };
    let followed = mail.and_then(|mail| {
        let followed = rewritten(html, mail);
        if followed.is_none() {
            metrics::counter!("bongsu_tracking_not_rewritten_total").increment(1);
        }
        followed
    });
    match unmarked(followed.as_deref().unwrap_or(html)).or(followed) {
        Some(html) => Arc::new(Content { html: Some(html), ..Content::clone(&content) }),
        None => content,
    }
}

/// Where the n-th link of a notification leads; nothing, where its content is erased, or has no such link.
///
/// # Errors
/// The log cannot be read.
pub async fn target(log: &dyn LogReader, templates: &Templates, notification: NotificationId, link: u16) -> Result<Option<Url>, LogError> {
    let stream = StreamId::new(AggregateKind::Notification, notification.0);
    let events = log.bare_streams(vec![stream], true).await?;
    let requested = events.iter().find_map(|event| match &event.fact {
        Fact::Notification(NotificationEvent::Requested(requested)) => Some(requested),
        _ => None,
    });
    let Some(requested) = requested else { return Ok(None) };
    // As it was rendered for the mail: no other has tracked links.
    let content = templates.content(requested, Channel::Email, placeholders(true)).await?.and_then(Result::ok);
    Ok(content.and_then(|content| nth_link(content.html.as_deref()?, link)))
}
