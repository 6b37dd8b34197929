//! The next free place under several limits.
//!
//! Each limit (and the clock: quiet hours) can say of a moment that is not free, which is the first
//! moment behind it that it does not forbid itself. Going from one to the next until nobody objects
//! finds the first moment that is free for all: none in between can be, since each was forbidden by
//! somebody. Rejected: token buckets. They let twice as many through around an edge, and cannot
//! say when somebody's turn is.

use super::state::{Frequency, MAX_WAITING, Place};
use crate::calendar::TimeZone;
use crate::values::{CategoryKey, Limit, LimitWindow, Millis};

/// The time by which places are given.
pub struct Clock<'a> {
    /// Now.
    pub now: Millis,
    /// The recipient's zone, for the limits of the calendar.
    pub zone: TimeZone,
    /// The first moment from a moment on at which the recipient may be told something.
    pub allowed_from: &'a dyn Fn(Millis) -> Millis,
}

/// A free place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its moment: now, or later.
    pub at: Millis,
    /// The limit that made it later.
    pub limit: Option<Limit>,
}

impl Frequency {
    /// The first free place from now on, under the category's limits (over its own places) and
    /// those over all (over all places that count there). None where too many wait already.
    pub fn next_place(&self, category: &CategoryKey, limits: &[Limit], overall: &[Limit], clock: &Clock<'_>) -> Option<Found> {
        let own = |place: &&Place| place.category == *category;
        let all = |place: &&Place| !place.alone;
        let own: Vec<Millis> = if limits.is_empty() { Vec::new() } else { self.places.iter().filter(own).map(|place| place.at).collect() };
        let all: Vec<Millis> = if overall.is_empty() { Vec::new() } else { self.places.iter().filter(all).map(|place| place.at).collect() };
        let rules = || limits.iter().map(|limit| (limit, &own)).chain(overall.iter().map(|limit| (limit, &all)));
        let mut found = Found { at: (clock.allowed_from)(clock.now).max(clock.now), limit: None };
        loop {
            let later = rules().find_map(|(limit, places)| next_after(limit, places, found.at, clock.zone).map(|at| (at, *limit)));
            // At the far end of the numbers there is no later moment.
            let Some((at, limit)) = later.filter(|(at, _)| *at > found.at) else { break };
            found = Found { at: (clock.allowed_from)(at).max(at), limit: Some(limit) };
        }
        if found.limit.is_some() && self.places.iter().rev().take_while(|place| place.at > clock.now).count() >= MAX_WAITING {
            return None;
        }
        Some(found)
    }
}

/// Where one more place at `at` would break the limit: the first moment behind it at which this
/// window no longer forbids it.
fn next_after(limit: &Limit, places: &[Millis], at: Millis, zone: TimeZone) -> Option<Millis> {
    let most = usize::try_from(limit.most).unwrap_or(usize::MAX).max(1);
    if places.len() < most {
        return None;
    }
    match limit.per {
        LimitWindow::Calendar(period) => {
            let (from, until) = (period.start_of(at, zone), period.next_start(at, zone));
            let within = places.partition_point(|place| *place < until) - places.partition_point(|place| *place < from);
            (within >= most).then_some(until)
        }
        // `most` places in a row form a full window with `at` if all of them and it fit into less
        // than the window's length. From the first of them, a window's length later they do not.
        LimitWindow::Sliding(millis) => places.windows(most).find_map(|run| {
            let (first, last) = (run.first().copied()?, run.last().copied()?);
            (last.max(at).saturating_sub(first.min(at)) < millis).then_some(first.saturating_add(millis))
        }),
    }
}
