//! The newest events, in memory, for those who follow the log.
//!
//! A wake-up carries no data: followers ask for what comes after their position, and who has
//! fallen behind the window reads the store instead. Handing each follower its own queue was
//! rejected: a slow one would grow without bound or lose events.

use super::recorded::{Position, Recorded};
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;

/// Events kept; about 15 MB with content of 200 bytes.
const WINDOW_EVENTS: usize = 20_000;
/// Bytes of content kept, so that a few thousand large notifications do not fill the memory.
const WINDOW_BYTES: usize = 24 << 20;

/// A page of events in order.
pub type Page = Vec<Arc<Recorded>>;

/// See the module.
#[derive(Debug)]
pub struct Tail {
    window: RwLock<Window>,
    head: watch::Sender<Position>,
}

#[derive(Debug, Default)]
struct Window {
    events: VecDeque<Arc<Recorded>>,
    bytes: usize,
}

impl Tail {
    /// Starts behind this position.
    pub fn at(head: Position) -> Self {
        Self { window: RwLock::default(), head: watch::Sender::new(head) }
    }

    /// The newest position.
    pub fn head(&self) -> Position {
        *self.head.borrow()
    }

    /// Wakes on every commit.
    pub fn watch(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    /// Adds what was just committed, then wakes the followers.
    pub(super) fn publish(&self, events: &[Arc<Recorded>]) {
        let Some(last) = events.last() else { return };
        {
            let mut window = self.window.write().unwrap_or_else(PoisonError::into_inner);
            for event in events {
                window.bytes += weight(event);
                window.events.push_back(Arc::clone(event));
            }
            while window.events.len() > WINDOW_EVENTS || (window.bytes > WINDOW_BYTES && window.events.len() > 1) {
                if let Some(gone) = window.events.pop_front() {
                    window.bytes -= weight(&gone);
                }
            }
        }
        self.head.send_replace(last.position);
    }

    /// The log has come further than was published: whoever follows reads the store up to there.
    pub(super) fn skip_to(&self, head: Position) {
        if head <= self.head() {
            return;
        }
        *self.window.write().unwrap_or_else(PoisonError::into_inner) = Window::default();
        self.head.send_replace(head);
    }

    /// The event at a position, where it is one of the newest.
    pub fn get(&self, position: Position) -> Option<Arc<Recorded>> {
        let window = self.window.read().unwrap_or_else(PoisonError::into_inner);
        let place = position.checked_sub(window.events.front()?.position)?;
        window.events.get(usize::try_from(place).ok()?).cloned()
    }

    /// Events after a position, at most `limit`; none where the window does not reach back.
    pub fn read_after(&self, after: Position, limit: usize) -> Option<Page> {
        let window = self.window.read().unwrap_or_else(PoisonError::into_inner);
        let Some(first) = window.events.front() else {
            return (after >= self.head()).then(Vec::new);
        };
        if after + 1 < first.position {
            return None;
        }
        let skip = usize::try_from(after + 1 - first.position).unwrap_or(usize::MAX);
        Some(window.events.iter().skip(skip).take(limit).cloned().collect())
    }
}

fn weight(event: &Recorded) -> usize {
    use domain::notification::NotificationEvent::Requested;
    match &event.fact {
        domain::Fact::Notification(Requested(requested)) => requested.personal.known().map_or(0, |content| content.size()) + 400,
        _ => 300,
    }
}
