//! Commands of a notification.

use super::events::Requested;
use crate::policy::deciding::Decision;
use crate::policy::retry::RetrySchedule;
use crate::values::{DeliveryNo, FactVersions, Millis, Outcome, Rule};

/// Accept it, with what the policy decided on the facts of the moment.
#[derive(Debug, Clone)]
pub struct Accept {
    /// The request.
    pub requested: Requested,
    /// The decision.
    pub decision: Decision,
}

/// What can be asked of a notification.
#[derive(Debug, Clone)]
pub enum NotificationCommand {
    /// Accept it, or recognise a repeat.
    Accept(Box<Accept>),
    /// Record that the provider is about to be called.
    StartAttempt {
        /// The delivery.
        delivery: DeliveryNo,
        /// The provider's configured name.
        provider: String,
    },
    /// Record what became of an attempt, and decide what follows.
    RecordOutcome {
        /// The delivery.
        delivery: DeliveryNo,
        /// The attempt.
        attempt: u32,
        /// What the provider said.
        outcome: Outcome,
        /// The channel's schedule.
        schedule: RetrySchedule,
        /// When it was requested.
        requested_at: Millis,
        /// Now.
        now: Millis,
        /// Drawn from 0..1.
        jitter: f64,
    },
    /// Record what the provider reports of a delivery.
    Report {
        /// The report.
        receipt: super::receipts::Receipt,
    },
    /// End a delivery that is no longer wanted.
    Suppress {
        /// The delivery.
        delivery: DeliveryNo,
        /// Why.
        rule: Rule,
        /// Decided on these facts.
        facts: FactVersions,
    },
    /// End a delivery that is too late; without one, all that waits as a whole.
    Expire {
        /// The delivery.
        delivery: Option<DeliveryNo>,
    },
    /// It came due: go on as decided anew. Asks for nothing where it does not wait any more.
    Release {
        /// The decision.
        decision: Box<Decision>,
    },
    /// Take a later step of the plan as decided. Asks for nothing where that step is not next.
    TakeStep {
        /// The step that was due.
        step: u8,
        /// The decision.
        decision: Box<Decision>,
        /// Now.
        now: Millis,
    },
    /// Let a later step of the plan go. Asks for nothing where that step is not next.
    SkipStep {
        /// The step that was due.
        step: u8,
        /// Why.
        rule: Rule,
    },
    /// Put a delivery off.
    Postpone {
        /// The delivery.
        delivery: DeliveryNo,
        /// Until when.
        until: Millis,
        /// Why.
        rule: Rule,
        /// Decided on these facts.
        facts: FactVersions,
    },
    /// Take back whatever is not under way or done: what waits, what a digest collected, later
    /// steps, and deliveries. The events say what was stopped.
    Cancel {
        /// The digest's window that collected it is still open, and lets it go in the same commit.
        collected: bool,
    },
    /// Try a dead letter again.
    Redrive {
        /// The delivery.
        delivery: DeliveryNo,
    },
    /// Give a dead letter up.
    Discard {
        /// The delivery.
        delivery: DeliveryNo,
        /// The operator's words.
        reason: String,
    },
    /// The recipient saw it.
    MarkSeen,
    /// The recipient read it.
    MarkRead,
    /// The recipient put it away.
    Archive,
}
