//! Who follows whom, and up to where the log has been handed out. Both change under one lock, so
//! that a new follower knows exactly which items it will get.

use super::super::LiveItem;
use commands::log::Position;
use domain::values::RecipientId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// See the module.
#[derive(Debug)]
pub(super) struct Hub {
    state: Mutex<State>,
    closed: CancellationToken,
    capacity: usize,
}

#[derive(Debug)]
struct State {
    position: Position,
    newest: u64,
    followers: HashMap<RecipientId, Vec<Seat>>,
}

#[derive(Debug)]
struct Seat {
    id: u64,
    items: mpsc::Sender<LiveItem>,
    lagged: Arc<AtomicBool>,
}

/// A place in the hub; given up when dropped.
#[derive(Debug)]
pub(super) struct Seated {
    hub: Arc<Hub>,
    recipient: RecipientId,
    id: u64,
    /// Everything after this comes by `items`.
    pub(super) from: Position,
    pub(super) items: mpsc::Receiver<LiveItem>,
    lagged: Arc<AtomicBool>,
}

impl Seated {
    /// Whether it was let go because it did not keep up.
    pub(super) fn lagged(&self) -> bool {
        self.lagged.load(Ordering::Acquire)
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        if let Some(seats) = state.followers.get_mut(&self.recipient) {
            seats.retain(|seat| seat.id != self.id);
            if seats.is_empty() {
                state.followers.remove(&self.recipient);
            }
        }
    }
}

impl Hub {
    pub(super) fn at(position: Position, capacity: usize) -> Self {
        Self { state: Mutex::new(State { position, newest: 0, followers: HashMap::new() }), closed: CancellationToken::new(), capacity }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a seat, unless the feed is closed.
    pub(super) fn join(self: &Arc<Self>, recipient: RecipientId) -> Option<Seated> {
        let mut state = self.state();
        if self.closed.is_cancelled() {
            return None;
        }
        let (sender, items) = mpsc::channel(self.capacity);
        let lagged = Arc::new(AtomicBool::new(false));
        state.newest += 1;
        let id = state.newest;
        state.followers.entry(recipient).or_default().push(Seat { id, items: sender, lagged: Arc::clone(&lagged) });
        Some(Seated { hub: Arc::clone(self), recipient, id, from: state.position, items, lagged })
    }

    /// Where to go on; the head at once where nobody follows.
    pub(super) fn next(&self, head: impl FnOnce() -> Position) -> Position {
        let mut state = self.state();
        if state.followers.is_empty() {
            state.position = state.position.max(head());
        }
        state.position
    }

    /// Hands items out, in order, and moves on. Who has no room is let go.
    pub(super) fn hand_out(&self, items: impl IntoIterator<Item = (RecipientId, LiveItem)>, to: Position) {
        let mut state = self.state();
        for (recipient, item) in items {
            let Some(seats) = state.followers.get_mut(&recipient) else {
                continue;
            };
            seats.retain(|seat| match seat.items.try_send(item.clone()) {
                Ok(()) => true,
                Err(mpsc::error::TrySendError::Full(_)) => {
                    // Before the channel closes, so that the end is read for what it is.
                    seat.lagged.store(true, Ordering::Release);
                    metrics::counter!("bongsu_live_lagged_total").increment(1);
                    false
                }
                Err(mpsc::error::TrySendError::Closed(_)) => false,
            });
            if seats.is_empty() {
                state.followers.remove(&recipient);
            }
        }
        state.position = state.position.max(to);
    }

    /// Lets everybody go, and nobody in any more.
    pub(super) fn close(&self) {
        let mut state = self.state();
        self.closed.cancel();
        state.followers.clear();
    }

    /// Ends when the feed is closed.
    pub(super) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    pub(super) fn is_followed(&self) -> bool {
        !self.state().followers.is_empty()
    }

    pub(super) fn followers(&self) -> usize {
        self.state().followers.values().map(Vec::len).sum()
    }
}
