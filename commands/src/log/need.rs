//! What of others' events a process has to be told.
//!
//! Everything that is not of a notification is always told: decisions and caches rest on it, and there
//! is little of it. The life of notifications is the bulk, which nobody needs whole but who keeps read
//! models. So it is asked for by slots of stream numbers, as shares of the work are dealt out, and what
//! recipients are shown apart from the rest. Filtering by recipient was rejected: no column has it.

use super::recorded::StreamNo;
use crate::replicas::{SLOTS, Share};
use domain::AggregateKind;

/// What the events of notifications are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// What recipients are shown of them: that they came, and what was done with them.
    Shown,
    /// How they are delivered.
    Rest,
}

impl Part {
    /// Of a type of event; none for what is always told.
    pub(crate) fn of(kind: u8, name: &str) -> Option<Self> {
        if kind != AggregateKind::Notification.number() {
            return None;
        }
        Some(match name {
            "Requested" | "Queued" | "Seen" | "Read" | "Archived" => Self::Shown,
            _ => Self::Rest,
        })
    }
}

/// See the module. A bit for each slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Need {
    shown: u64,
    rest: u64,
}

impl Need {
    /// Nothing of notifications.
    pub const NONE: Self = Self { shown: 0, rest: 0 };
    /// What recipients are shown.
    pub const SHOWN: Self = Self { shown: u64::MAX, rest: 0 };
    /// Everything.
    pub const ALL: Self = Self { shown: u64::MAX, rest: u64::MAX };

    /// The notifications of a share of the work.
    pub fn of(share: &Share) -> Self {
        let slots = (0..SLOTS).filter(|slot| share.has(*slot)).fold(0, |slots, slot| slots | 1 << slot);
        Self { shown: slots, rest: slots }
    }

    /// What either needs.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { shown: self.shown | other.shown, rest: self.rest | other.rest }
    }

    /// Whether this is everything that the other is.
    pub const fn covers(self, other: Self) -> bool {
        other.shown & !self.shown == 0 && other.rest & !self.rest == 0
    }

    /// Whether the events of a stream's part are in it.
    pub(crate) const fn has(self, part: Part, number: StreamNo) -> bool {
        self.slots(part) >> (number % SLOTS) & 1 == 1
    }

    /// The slots of a part.
    pub(crate) const fn slots(self, part: Part) -> u64 {
        match part {
            Part::Shown => self.shown,
            Part::Rest => self.rest,
        }
    }
}

/// Up to where the log was told without some of it.
#[derive(Debug)]
pub(super) struct LeftOut([[u64; SLOTS as usize]; 2]);

impl Default for LeftOut {
    fn default() -> Self {
        Self([[0; SLOTS as usize]; 2])
    }
}

impl LeftOut {
    /// Only this was told up to there.
    pub(super) fn told(&mut self, need: Need, upto: u64) {
        for (part, places) in [Part::Shown, Part::Rest].into_iter().zip(&mut self.0) {
            for (slot, place) in (0..SLOTS).zip(places) {
                if !need.has(part, slot) {
                    *place = upto;
                }
            }
        }
    }

    /// Whether something of this was left out after a position.
    pub(super) fn after(&self, position: u64, need: Need) -> bool {
        let parts = [Part::Shown, Part::Rest].into_iter().zip(&self.0);
        parts.into_iter().any(|(part, places)| (0..SLOTS).zip(places).any(|(slot, place)| *place > position && need.has(part, slot)))
    }
}

#[cfg(test)]
mod tests {
    use super::{LeftOut, Need, Part};
    use crate::replicas::Share;

    #[test]
    fn a_share_needs_its_streams_and_no_others() {
        let (one, other) = (Share::of(1, &[1, 2]), Share::of(2, &[1, 2]));
        let (needs, others) = (Need::of(&one), Need::of(&other));
        for number in 0..200 {
            assert_eq!(needs.has(Part::Rest, number), one.has(number));
            assert_ne!(needs.has(Part::Shown, number), others.has(Part::Shown, number));
        }
        assert!(Need::ALL.covers(needs) && !needs.covers(Need::ALL) && !needs.covers(others));
        assert_eq!(needs.and(others), Need::ALL);
        assert_eq!(Need::of(&Share::all()), Need::ALL);
    }

    #[test]
    fn what_was_left_out_is_missed_by_who_needs_it_and_has_not_passed_it() {
        let (mine, others) = (Need::of(&Share::of(1, &[1, 2])), Need::of(&Share::of(2, &[1, 2])));
        let mut left_out = LeftOut::default();
        left_out.told(mine, 10);
        assert!(left_out.after(9, Need::ALL) && left_out.after(9, others) && left_out.after(9, Need::SHOWN));
        assert!(!left_out.after(10, Need::ALL) && !left_out.after(9, mine) && !left_out.after(9, Need::NONE));
        left_out.told(Need::SHOWN, 20);
        assert!(!left_out.after(10, Need::SHOWN) && left_out.after(19, mine));
    }

    #[test]
    fn what_is_not_of_a_notification_has_no_part() {
        for kind in domain::AggregateKind::ALL {
            let part = Part::of(kind.number(), "Requested");
            assert_eq!(part.is_none(), *kind != domain::AggregateKind::Notification);
        }
    }
}
