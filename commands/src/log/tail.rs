//! The newest events, in memory, for those who follow the log.
//!
//! Of what other replicas append it has only what somebody here [needs](Tail::need), and knows what it
//! lacks: whoever asks for that is sent to the store, so that needing more than before leaves no gap.
//!
//! A wake-up carries no data: followers ask for what comes after their position, and who has
//! fallen behind the window reads the store instead. Handing each follower its own queue was
//! rejected: a slow one would grow without bound or lose events.

use super::need::{LeftOut, Need};
use super::recorded::{Position, Recorded};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
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
    needs: Mutex<Needs>,
}

/// What others appended, as far as it had to be told.
#[derive(Debug)]
pub struct Told {
    /// Behind which it begins.
    pub from: Position,
    /// Its end; what lies between and is not among the events was left out.
    pub upto: Position,
    /// What was asked for.
    pub need: Need,
    /// In order.
    pub events: Page,
    /// Something that was asked for cannot be read, and is missing with what came after it.
    pub unread: bool,
}

#[derive(Debug, Default)]
struct Window {
    events: VecDeque<Arc<Recorded>>,
    bytes: usize,
    /// Nothing up to here is kept.
    floor: Position,
    /// The end of what was told.
    upto: Position,
    left_out: LeftOut,
    /// What was committed here of what is kept: first and last places, in order.
    own: VecDeque<(Position, Position)>,
}

#[derive(Debug, Default)]
struct Needs {
    newest: u64,
    by: HashMap<u64, Need>,
}

/// Has events told for as long as it is kept.
#[derive(Debug)]
pub struct Needed {
    tail: Arc<Tail>,
    id: u64,
}

impl Needed {
    /// Needs this from now on.
    pub fn change(&self, need: Need) {
        self.tail.needs().by.insert(self.id, need);
    }
}

impl Drop for Needed {
    fn drop(&mut self) {
        self.tail.needs().by.remove(&self.id);
    }
}

impl Window {
    fn push(&mut self, events: &[Arc<Recorded>]) {
        for event in events {
            self.bytes += weight(event);
            self.events.push_back(Arc::clone(event));
        }
        while self.events.len() > WINDOW_EVENTS || (self.bytes > WINDOW_BYTES && self.events.len() > 1) {
            if let Some(gone) = self.events.pop_front() {
                self.bytes -= weight(&gone);
                self.floor = gone.position;
            }
        }
    }

    fn note_own(&mut self, first: Position, last: Position) {
        match self.own.back_mut() {
            Some(newest) if newest.1 + 1 == first => newest.1 = last,
            _ => self.own.push_back((first, last)),
        }
        while self.own.front().is_some_and(|(_, last)| *last <= self.floor) {
            self.own.pop_front();
        }
    }
}

impl Tail {
    /// Starts behind this position.
    pub fn at(head: Position) -> Self {
        let window = Window { floor: head, upto: head, ..Window::default() };
        Self { window: RwLock::new(window), head: watch::Sender::new(head), needs: Mutex::default() }
    }

    /// The newest position.
    pub fn head(&self) -> Position {
        *self.head.borrow()
    }

    /// Wakes on every commit.
    pub fn watch(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    fn needs(&self) -> std::sync::MutexGuard<'_, Needs> {
        self.needs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has events of others told from about now on. It saves reading the store and no more: what was
    /// left out before is known, and whoever asks for it is sent there.
    pub fn need(self: &Arc<Self>, need: Need) -> Needed {
        let mut needs = self.needs();
        needs.newest += 1;
        let id = needs.newest;
        needs.by.insert(id, need);
        Needed { tail: Arc::clone(self), id }
    }

    /// What anybody needs at the moment.
    pub fn needed(&self) -> Need {
        self.needs().by.values().fold(Need::NONE, |all, need| all.and(*need))
    }

    /// Adds what was just committed here, then wakes the followers.
    pub(super) fn publish(&self, events: &[Arc<Recorded>]) {
        let Some(last) = events.last() else { return };
        {
            let mut window = self.window.write().unwrap_or_else(PoisonError::into_inner);
            window.push(events);
            window.upto = last.position;
            window.note_own(events.first().map_or(last.position, |first| first.position), last.position);
        }
        self.head.send_replace(last.position);
    }

    /// Adds what others have committed, then wakes the followers.
    pub(super) fn tell(&self, told: &Told) {
        if told.from > self.head() {
            self.skip_to(told.from);
        }
        if told.unread {
            // Followers meet it in the store.
            self.skip_to(told.upto);
        }
        if told.upto <= self.head() {
            return;
        }
        {
            let mut window = self.window.write().unwrap_or_else(PoisonError::into_inner);
            let known = told.events.partition_point(|event| event.position <= window.upto);
            window.push(told.events.get(known..).unwrap_or_default());
            window.left_out.told(told.need, told.upto);
            window.upto = told.upto;
        }
        self.head.send_replace(told.upto);
    }

    /// The log has come further than was published: whoever follows reads the store up to there.
    pub(super) fn skip_to(&self, head: Position) {
        if head <= self.head() {
            return;
        }
        *self.window.write().unwrap_or_else(PoisonError::into_inner) = Window { floor: head, upto: head, ..Window::default() };
        self.head.send_replace(head);
    }

    /// The event at a position, where it is one of the newest.
    pub fn get(&self, position: Position) -> Option<Arc<Recorded>> {
        let window = self.window.read().unwrap_or_else(PoisonError::into_inner);
        let found = window.events.binary_search_by_key(&position, |event| event.position).ok()?;
        window.events.get(found).cloned()
    }

    /// Whether this process committed what stands there; no where it was too long ago to be known.
    pub fn committed_here(&self, position: Position) -> bool {
        let window = self.window.read().unwrap_or_else(PoisonError::into_inner);
        let before = window.own.partition_point(|(_, last)| *last < position);
        window.own.get(before).is_some_and(|(first, _)| *first <= position)
    }

    /// All events after a position, at most `limit`; none where the window does not reach back, or
    /// some were left out.
    pub fn read_after(&self, after: Position, limit: usize) -> Option<Page> {
        Some(self.read(after, limit, Need::ALL)?.0)
    }

    /// Events after a position, at most `limit`, and up to where they are all of those that are needed:
    /// others may be among them. None where the window does not have them.
    pub fn read(&self, after: Position, limit: usize, need: Need) -> Option<(Page, Position)> {
        let window = self.window.read().unwrap_or_else(PoisonError::into_inner);
        if after < window.floor || window.left_out.after(after, need) {
            return None;
        }
        let first = window.events.partition_point(|event| event.position <= after);
        let page: Page = window.events.range(first..).take(limit).cloned().collect();
        let full = page.last().filter(|_| page.len() == limit).map(|last| last.position);
        Some((page, full.unwrap_or(window.upto.max(after))))
    }
}

fn weight(event: &Recorded) -> usize {
    use domain::notification::NotificationEvent::Requested;
    match &event.fact {
        domain::Fact::Notification(Requested(requested)) => requested.personal.known().map_or(0, |content| content.size()) + 400,
        _ => 300,
    }
}
