//! Closing a digest's window: in one commit with the notification that sums it up.

use super::firing::fingerprint;
use super::summary::Summary;
use super::{Asked, Due};
use crate::accept::{Chain, Gathered, Sources, digest_stream};
use crate::log::{Hashing, LogError, StreamAppend};
use domain::aggregate::Aggregate;
use domain::digest::{Digest, DigestCommand};
use domain::event::Personal;
use domain::notification::Requested;
use domain::policy::deciding::plan_of;
use domain::subscription::Scope;
use domain::values::{DigestId, Millis, Origin, TopicKey};
use std::sync::Arc;

/// A window that closes.
pub(super) struct Closed {
    /// What says so.
    pub append: StreamAppend,
    /// Whether anything was left to sum up.
    pub told: bool,
}

/// Items that are read at once: each may be as large as a notification can be.
const PAGE: usize = 50;

/// What a summary asks for, before its content is known. It names no digest: it is not collected again.
pub(super) fn requested(id: DigestId, digest: &Digest, facts: &Gathered, hashing: &Hashing, now: Millis) -> Requested {
    let category = &facts.category.state;
    let window = digest.window;
    Requested {
        sender: digest.sender.clone(),
        recipient: digest.recipient,
        category: digest.category.clone(),
        priority: category.priority,
        channels: None,
        fingerprint: fingerprint(hashing, &[b"summary", id.0.as_bytes(), &window.to_le_bytes()]),
        sandbox: digest.sandbox,
        expires_at: category.expiry(None, now),
        not_before: None,
        topic: None,
        digest: None,
        plan: plan_of(None, false, category).cloned(),
        category_version: category.version,
        origin: Some(Origin::Digest { digest: id, window }),
        template: None,
        personal: Personal::Erased,
    }
}

impl Due {
    /// Closes the window, if it is still open and due, and writes the summary of what it holds by now.
    #[allow(clippy::too_many_arguments, reason = "one window and what it is closed with")]
    pub(super) async fn close(
        &self,
        sources: &Sources<'_>,
        chain: &mut Chain,
        id: DigestId,
        window: u32,
        facts: &Gathered,
        requested: &mut Requested,
        now: Millis,
    ) -> Result<Result<Closed, Asked>, LogError> {
        let stream = digest_stream(id);
        let state = Arc::clone(chain.digest(sources, stream).await?.state());
        let Some(open) = state.open.as_ref().filter(|_| state.window == window) else { return Ok(Err(Asked::Nothing)) };
        if open.closes_at > now {
            return Ok(Err(Asked::Early { due: open.closes_at }));
        }
        let subscription = &facts.subscription.state;
        let (mut unwanted, mut template_unused) = (Vec::new(), None);
        // Topics can be switched off; where none is, those that are not listed need not be read.
        let selects = !facts.category.state.required && subscription.switches.keys().any(|scope| matches!(scope, Scope::Topic(_)));
        let off = |topic: &Option<TopicKey>| selects && topic.as_ref().is_some_and(|topic| subscription.topic_off(topic));
        if !facts.recipient.state.erased {
            let mut summary = Summary::new(&facts.category.state, facts.recipient.state.locale.as_deref());
            for page in open.items.chunks(PAGE) {
                if summary.is_full() && !selects {
                    summary.count(page.len());
                    continue;
                }
                let mut requests = self.requests(page).await?;
                for item in page {
                    match requests.remove(item) {
                        Some(Requested { topic, .. }) if off(&topic) => unwanted.push(*item),
                        Some(item) if item.expires_at.is_none_or(|at| at > now) => {
                            match self.templates.shown(&item, item.channels.clone().unwrap_or_default().into_iter()).await? {
                                Some(Ok(content)) => summary.add(&content),
                                Some(Err(_)) | None => summary.count(1),
                            }
                        }
                        // Unreadable, or worth nothing any more.
                        _ => summary.count(1),
                    }
                }
            }
            summary.count(usize::try_from(open.more).unwrap_or(usize::MAX));
            template_unused = self.word(facts, &summary, requested).await?;
        }
        let told = unwanted.len() < open.items.len() || open.more > 0;
        let close = DigestCommand::Close { window, summary: self.hashing.summary(id, window), unwanted, template_unused, now };
        let events = state.decide(close).unwrap_or_default();
        match chain.digest(sources, stream).await?.append(stream, events) {
            Some(append) => Ok(Ok(Closed { append, told })),
            None => Ok(Err(Asked::Nothing)),
        }
    }
}
