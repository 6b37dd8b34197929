//! Who delivers what, where every process that accepts also delivers.
//!
//! Whoever accepts has the request, its recipient's facts and its content at hand, so the first attempt is
//! its own, for a second: for others it would have to be read and opened once more, and a list in three
//! parts makes three times as many transactions. What was requested more than two seconds ago, or was
//! attempted already, is its share's, whoever accepted it: that is how a process that has stopped, or
//! accepts more than it delivers, is helped. In between lies the time that an attempt takes to be seen in the
//! table. What begins long after its request (put off, a later step) is nobody's to keep. Where two are of
//! different opinion they try the same, and the log refuses one.
//!
//! Dealing out everything by slots at once was rejected for what it cost; keeping things for ever, because a
//! process that hangs would keep them too.

use super::Window;
use super::lanes::Key;
use crate::pending::Item;
use commands::log::Position;
use domain::notification::DeliveryState;
use domain::values::Millis;
use std::collections::VecDeque;
use std::time::Duration;

/// How long whoever accepted it may keep it (ms).
const KEPT: Millis = 1_000;
/// What was requested longer ago was not kept any more when the table was written.
const ORPHANED: Duration = Duration::from_millis(2_000);
/// How often to look for such.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How exactly it is known what was in the log at a time.
const GRAIN: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    on: bool,
    now: Millis,
    /// Whoever kept something may be gone: the table is to be asked for all of the share.
    regardless: bool,
}

/// What is to be asked of the table.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Stirred {
    /// Every lane.
    pub sweep: bool,
    /// Also for what others may keep.
    pub regardless: bool,
}

impl Keeping {
    pub(super) const fn is_on(&self) -> bool {
        self.on
    }

    /// Somebody came or went.
    pub(super) const fn turn(&mut self, on: bool) {
        self.on = on;
        self.regardless = true;
    }

    /// It is at least this late.
    pub(super) fn now(&mut self, now: Millis) {
        self.now = self.now.max(now);
    }

    /// What was accepted before is not kept any more.
    pub(super) const fn kept_since(&self) -> Millis {
        self.now - KEPT
    }
}

/// Whether whoever accepted it still has its first attempt.
pub(super) fn may_be_kept(item: &Item, since: Millis) -> bool {
    item.delivery.state == DeliveryState::Ready && item.delivery.attempt == 0 && item.requested_at > since
}

impl Window {
    /// Whether what is accepted is kept.
    pub fn keeps(&self) -> bool {
        self.lock().keeping.on
    }

    /// It is so late: what was kept for too long is not handed out.
    pub fn tick(&self, now: Millis) {
        self.lock().keeping.now(now);
    }

    /// Lets go of what was kept for too long.
    pub fn let_go_of_old(&self) {
        let mut inner = self.lock();
        let keys: Vec<Key> = inner.items.values().flatten().map(|tracked| (tracked.item.stream, tracked.item.delivery.number)).collect();
        for key in keys {
            if inner.is_anothers(key) {
                inner.remove(key);
            }
        }
    }

    /// Whether a delivery was taken from here. One that only stands here was taken from somewhere else.
    pub fn handed_out(&self, item: &Item) -> bool {
        self.lock().tracked((item.stream, item.delivery.number)).is_some_and(|tracked| tracked.taken)
    }

    /// What is to be asked of the table since this was asked last.
    pub(super) fn take_stirred(&self) -> Option<Stirred> {
        let mut inner = self.lock();
        let stirred = Stirred { sweep: std::mem::take(&mut inner.sweep), regardless: std::mem::take(&mut inner.keeping.regardless) };
        stirred.sweep.then_some(stirred)
    }
}

/// Which requests are so old that nobody keeps them.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    /// How far the log went, and when; the first alone may be too old.
    places: VecDeque<(Duration, Position)>,
}

impl Passed {
    /// The log goes so far now.
    pub(crate) fn note(&mut self, head: Position, now: Duration) {
        if self.places.back().is_none_or(|(then, _)| now.saturating_sub(*then) >= GRAIN) {
            self.places.push_back((now, head));
        }
        while self.places.get(1).is_some_and(|(then, _)| now.saturating_sub(*then) >= ORPHANED) {
            self.places.pop_front();
        }
    }

    /// What was requested up to here is.
    pub(crate) fn nobodys(&self, now: Duration) -> Position {
        self.places.front().filter(|(then, _)| now.saturating_sub(*then) >= ORPHANED).map_or(0, |(_, place)| *place)
    }
}

#[cfg(test)]
mod tests {
    use super::Passed;
    use std::time::Duration;

    #[test]
    fn what_is_nobodys_is_what_was_there_long_enough_ago() {
        let at = Duration::from_millis;
        let mut passed = Passed::default();
        for (now, head, nobodys) in
            [(0, 10, 0), (50, 20, 0), (1_000, 30, 0), (1_999, 40, 0), (2_000, 50, 10), (2_999, 60, 10), (3_000, 70, 30), (9_000, 80, 60)]
        {
            passed.note(head, at(now));
            assert_eq!(passed.nobodys(at(now)), nobodys, "at {now} ms");
        }
    }
}
