//! The one task that reads the tail for all followers. Where the tail does not reach back far
//! enough, it reads the log: it never leaves anything out. While nobody follows, what other replicas
//! append is not kept for it.

use super::super::{ChangeKind, LiveChange, LiveItem, LiveNotification};
use super::hub::Hub;
use super::recent::{Known, Recent};
use crate::store::Sources;
use commands::log::{LogError, Need, Page, Position, Recorded, StreamNo};
use domain::Fact;
use domain::notification::NotificationEvent as E;
use domain::values::NotificationId;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Events handled at once.
const PAGE: usize = 2_000;
/// Pause after the log could not be read.
const BACK_OFF: Duration = Duration::from_millis(100);

/// See the module.
pub(super) struct Dispatcher {
    hub: Arc<Hub>,
    sources: Sources,
    recent: Recent,
}

impl Dispatcher {
    pub(super) fn new(hub: Arc<Hub>, sources: Sources) -> Self {
        Self { hub, sources, recent: Recent::default() }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut head = self.sources.tail.watch();
        let mut needed = None;
        while !stop.is_cancelled() {
            // Whatever is left out before the first follower is noticed is read in the log.
            if self.hub.is_followed() {
                needed.get_or_insert_with(|| self.sources.tail.need(Need::SHOWN));
            } else {
                needed = None;
            }
            let after = self.hub.next(|| self.sources.tail.head());
            if after >= *head.borrow_and_update() {
                tokio::select! {
                    changed = head.changed() => if changed.is_err() { return },
                    () = stop.cancelled() => return,
                }
                continue;
            }
            let taken = tokio::select! {
                taken = self.take(after) => taken,
                () = stop.cancelled() => return,
            };
            if let Err(error) = taken {
                tracing::warn!(%error, reason = ?error, "the live feed could not read the log; it tries again");
                tokio::select! {
                    () = self.sources.clock.sleep(BACK_OFF) => {}
                    () = stop.cancelled() => return,
                }
            }
        }
    }

    /// Hands out one page.
    async fn take(&mut self, after: Position) -> Result<(), LogError> {
        let (page, last) = self.page(after).await?;
        self.learn(&page).await?;
        let mut contents: HashMap<StreamNo, &Arc<Recorded>> = HashMap::new();
        let mut items = Vec::new();
        for event in &page {
            let Fact::Notification(fact) = &event.fact else {
                continue;
            };
            if matches!(fact, E::Requested(_)) {
                contents.insert(event.number, event);
            }
            if let Some(known) = self.recent.get(event.number)
                && !known.sandbox
                && let Some(item) = item(event, fact, known, &contents)
            {
                items.push((known.recipient, item));
            }
        }
        self.hub.hand_out(items, last);
        Ok(())
    }

    /// What followers may be shown after a position, and up to where.
    async fn page(&self, after: Position) -> Result<(Page, Position), LogError> {
        if let Some(read) = self.sources.tail.read(after, PAGE, Need::SHOWN) {
            return Ok(read);
        }
        let mut from = after;
        let mut limit = PAGE;
        loop {
            match self.sources.log.read_after(from, limit, false).await {
                // What nobody can read, or no replica of this version, nobody can be shown: up to it, or
                // behind it.
                Err(LogError::Poison { position, .. } | LogError::Newer { position, .. }) if position == from + 1 => {
                    from = position;
                    limit = PAGE;
                    if from >= self.sources.tail.head() {
                        return Ok((Vec::new(), from));
                    }
                }
                Err(LogError::Poison { position, .. } | LogError::Newer { position, .. }) => {
                    limit = usize::try_from(position - 1 - from).unwrap_or(1).min(limit);
                }
                other => {
                    let page = other?;
                    let upto = page.last().map_or(from, |last| last.position);
                    return Ok((page, upto));
                }
            }
        }
    }

    /// Makes sure that everybody in the page is known.
    async fn learn(&mut self, page: &[Arc<Recorded>]) -> Result<(), LogError> {
        for event in page {
            if let Some(known) = Known::of(event) {
                self.recent.keep(event.number, known);
            }
        }
        for event in page {
            let Fact::Notification(fact) = &event.fact else {
                continue;
            };
            if !concerns(fact) || self.recent.get(event.number).is_some() {
                continue;
            }
            match self.sources.log.read_stream(event.stream, 0, false).await {
                Ok(events) => {
                    if let Some(known) = events.iter().find_map(|event| Known::of(event)) {
                        self.recent.keep(event.number, known);
                    }
                }
                Err(LogError::Poison { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Whether a follower hears of it. The first delivery makes a notification visible.
const fn concerns(fact: &E) -> bool {
    match fact {
        E::Queued(queued) => queued.delivery == 0,
        E::Seen(_) | E::Read(_) | E::Archived(_) => true,
        _ => false,
    }
}

fn item(event: &Recorded, fact: &E, known: &Known, contents: &HashMap<StreamNo, &Arc<Recorded>>) -> Option<LiveItem> {
    let id = NotificationId(event.stream.id);
    let kind = match fact {
        E::Queued(queued) if queued.delivery == 0 => {
            return Some(LiveItem::Notification(LiveNotification {
                id,
                number: event.number,
                position: event.position,
                at: known.requested_at,
                requested_position: known.requested_position,
                requested: contents.get(&event.number).map(|event| Arc::clone(event)),
                seen: false,
                read: false,
                archived: false,
            }));
        }
        E::Seen(_) => ChangeKind::Seen,
        E::Read(_) => ChangeKind::Read,
        E::Archived(_) => ChangeKind::Archived,
        _ => return None,
    };
    Some(LiveItem::Change(LiveChange { id, number: event.number, position: event.position, at: event.at, kind }))
}
