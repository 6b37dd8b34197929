//! The figures, counted from events.

use super::delivery::Stand;
use domain::notification::{NotificationEvent as E, Stood};
use serde::Serialize;

/// Deliveries of one channel, or of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Decided to be delivered.
    pub queued: u64,
    /// The provider has it; for in-app: visible.
    pub sent: u64,
    /// Ended: never will be delivered.
    pub failed: u64,
    /// Ended: taken back.
    pub cancelled: u64,
    /// Ended: too late.
    pub expired: u64,
    /// Ended: no longer wanted when its turn came.
    pub suppressed: u64,
    /// Await a person.
    pub dead_lettered: u64,
    /// Ended: given up by a person.
    pub discarded: u64,
    /// An attempt is recorded and its outcome is not: a call under way, or cut off by a crash.
    pub unknown: u64,
    /// Owed.
    pub pending: u64,
    /// Provider calls recorded.
    pub attempts: u64,
    /// Calls whose outcome nobody knows.
    pub unknown_outcomes: u64,
    /// Calls that repeat one of unknown outcome; the recipient may have seen both.
    pub repeats_after_unknown: u64,
}

impl Totals {
    /// Counts one event.
    pub fn count(&mut self, event: &E) {
        match event {
            E::Queued(_) => self.queued += 1,
            E::Sent(_) => self.sent += 1,
            E::Failed(_) => self.failed += 1,
            E::Cancelled(e) => self.cancelled += u64::from(e.delivery.is_some()),
            E::Expired(e) => self.expired += u64::from(e.delivery.is_some()),
            E::Suppressed(e) => self.suppressed += u64::from(e.delivery.is_some()),
            E::DeadLettered(_) => self.dead_lettered += 1,
            E::Redriven(_) => self.dead_lettered = self.dead_lettered.saturating_sub(1),
            E::Discarded(_) => {
                self.dead_lettered = self.dead_lettered.saturating_sub(1);
                self.discarded += 1;
            }
            E::Delivered(e) => self.reported(e.stood, |totals| totals.sent += 1),
            E::Bounced(e) => self.reported(e.stood, |totals| totals.failed += 1),
            E::AttemptStarted(e) => {
                self.attempts += 1;
                self.repeats_after_unknown += u64::from(e.after_unknown);
            }
            E::AttemptUnknown(_) => self.unknown_outcomes += 1,
            E::Requested(_)
            | E::Deduplicated(_)
            | E::AttemptFailed(_)
            | E::CancelRequested(_)
            | E::Held(_)
            | E::RetryScheduled(_)
            | E::Postponed(_)
            | E::Seen(_)
            | E::Read(_)
            | E::Archived(_)
            | E::Complained(_)
            | E::Opened(_)
            | E::Clicked(_)
            | E::Deferred(_)
            | E::Released(_)
            | E::Digested(_)
            | E::StepScheduled(_)
            | E::StepTaken(_)
            | E::StepSkipped(_) => {}
        }
    }

    /// A report ended what was owed, or settled a dead letter.
    fn reported(&mut self, stood: Stood, ended: impl FnOnce(&mut Self)) {
        match stood {
            Stood::Owed => ended(self),
            Stood::DeadLettered => {
                self.dead_lettered = self.dead_lettered.saturating_sub(1);
                ended(self);
            }
            Stood::Sent | Stood::Over => {}
        }
    }

    /// Counts a delivery that is not over at the end of the log.
    pub fn count_open(&mut self, stand: Stand) {
        match stand {
            Stand::Owed | Stand::Undecided => self.pending += 1,
            Stand::InFlight => self.unknown += 1,
            Stand::Ended(_) => {}
        }
    }

    /// Adds another channel's.
    pub fn add(&mut self, other: &Self) {
        self.queued += other.queued;
        self.sent += other.sent;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.expired += other.expired;
        self.suppressed += other.suppressed;
        self.dead_lettered += other.dead_lettered;
        self.discarded += other.discarded;
        self.unknown += other.unknown;
        self.pending += other.pending;
        self.attempts += other.attempts;
        self.unknown_outcomes += other.unknown_outcomes;
        self.repeats_after_unknown += other.repeats_after_unknown;
    }

    /// The right side of the law.
    pub const fn accounted(&self) -> u64 {
        self.sent + self.failed + self.cancelled + self.expired + self.suppressed + self.dead_lettered + self.discarded + self.unknown + self.pending
    }
}
