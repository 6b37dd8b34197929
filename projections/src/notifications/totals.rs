//! How often each event happened. The counts by state follow from it, because every transition
//! but those between pending states is named by its event: nothing has to be read to count.

use commands::consumer::{Changes, Sql, Value};
use commands::log::{Position, Recorded};
use domain::Fact;
use domain::notification::{NotificationEvent as E, Stood};
use std::sync::Arc;

/// Counts since the beginning of the log, sandbox included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Counted up to here.
    pub position: Position,
    /// Notifications accepted.
    pub requested: u64,
    /// Repeats of requests that were recorded.
    pub deduplicated: u64,
    /// Deliveries queued.
    pub queued: u64,
    /// Decisions at acceptance not to use a channel.
    pub skipped: u64,
    /// Deliveries suppressed after they were queued.
    pub suppressed: u64,
    /// Deliveries handed to their provider.
    pub sent: u64,
    /// Deliveries that failed.
    pub failed: u64,
    /// Deliveries taken back.
    pub cancelled: u64,
    /// Deliveries that were too late.
    pub expired: u64,
    /// Times a delivery became a dead letter.
    pub dead_lettered: u64,
    /// Times a dead letter was tried again.
    pub redriven: u64,
    /// Dead letters given up.
    pub discarded: u64,
}

static ADD: Sql = Sql {
    text: "INSERT INTO totals (id, position, requested, deduplicated, queued, skipped, suppressed, sent, failed, cancelled, expired, dead_lettered, redriven, discarded) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT (id) DO UPDATE SET position = excluded.position, requested = totals.requested + excluded.requested, deduplicated = totals.deduplicated + excluded.deduplicated, queued = totals.queued + excluded.queued, skipped = totals.skipped + excluded.skipped, suppressed = totals.suppressed + excluded.suppressed, sent = totals.sent + excluded.sent, failed = totals.failed + excluded.failed, cancelled = totals.cancelled + excluded.cancelled, expired = totals.expired + excluded.expired, dead_lettered = totals.dead_lettered + excluded.dead_lettered, redriven = totals.redriven + excluded.redriven, discarded = totals.discarded + excluded.discarded WHERE totals.position < excluded.position",
    types: "iiiiiiiiiiiii",
    key: 0,
};
/// Asks for them, in either store.
pub(super) const READ: &str = "SELECT position, requested, deduplicated, queued, skipped, suppressed, sent, failed, cancelled, expired, dead_lettered, redriven, discarded FROM totals WHERE id = 1";

impl Totals {
    /// Deliveries that are owed.
    pub const fn pending(&self) -> u64 {
        (self.queued + self.redriven).saturating_sub(self.sent + self.failed + self.cancelled + self.expired + self.suppressed + self.dead_lettered)
    }

    /// Deliveries that await a person.
    pub const fn awaiting(&self) -> u64 {
        self.dead_lettered.saturating_sub(self.redriven + self.discarded)
    }

    pub(super) fn count(events: &[Arc<Recorded>]) -> Self {
        let mut totals = Self::default();
        for event in events {
            totals.position = event.position;
            let Fact::Notification(fact) = &event.fact else {
                continue;
            };
            match fact {
                E::Requested(_) => totals.requested += 1,
                E::Deduplicated(_) => totals.deduplicated += 1,
                E::Queued(_) => totals.queued += 1,
                E::Suppressed(e) if e.delivery.is_none() => totals.skipped += 1,
                E::Suppressed(_) => totals.suppressed += 1,
                E::Sent(_) => totals.sent += 1,
                E::Failed(_) => totals.failed += 1,
                // As a whole, it had no deliveries.
                E::Cancelled(e) => totals.cancelled += u64::from(e.delivery.is_some()),
                E::Expired(e) => totals.expired += u64::from(e.delivery.is_some()),
                E::DeadLettered(_) => totals.dead_lettered += 1,
                E::Redriven(_) => totals.redriven += 1,
                E::Discarded(_) => totals.discarded += 1,
                E::Delivered(e) => totals.reported(e.stood, |totals| totals.sent += 1),
                E::Bounced(e) => totals.reported(e.stood, |totals| totals.failed += 1),
                E::AttemptStarted(_)
                | E::AttemptFailed(_)
                | E::AttemptUnknown(_)
                | E::CancelRequested(_)
                | E::Held(_)
                | E::RetryScheduled(_)
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
                | E::StepSkipped(_)
                | E::Postponed(_) => {}
            }
        }
        totals
    }

    /// A report ended what was owed. A dead letter that it settled counts as one that was tried again.
    fn reported(&mut self, stood: Stood, ended: impl FnOnce(&mut Self)) {
        match stood {
            Stood::Owed => ended(self),
            Stood::DeadLettered => {
                self.redriven += 1;
                ended(self);
            }
            Stood::Sent | Stood::Over => {}
        }
    }

    pub(super) fn push(self, changes: &mut Changes) {
        changes.push(
            &ADD,
            [
                self.position,
                self.requested,
                self.deduplicated,
                self.queued,
                self.skipped,
                self.suppressed,
                self.sent,
                self.failed,
                self.cancelled,
                self.expired,
                self.dead_lettered,
                self.redriven,
                self.discarded,
            ]
            .map(Value::from)
            .to_vec(),
        );
    }

    /// Of the columns, in order.
    pub(super) fn of(columns: [i64; 13]) -> Self {
        let [position, requested, deduplicated, queued, skipped, suppressed, sent, failed, cancelled, expired, dead_lettered, redriven, discarded] =
            columns.map(|value| u64::try_from(value).unwrap_or(0));
        Self { position, requested, deduplicated, queued, skipped, suppressed, sent, failed, cancelled, expired, dead_lettered, redriven, discarded }
    }
}
