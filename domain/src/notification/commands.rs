//! Commands of a notification.

use super::events::Requested;
use crate::policy::delivery_plan::DeliveryPlan;
use crate::policy::retry::RetrySchedule;
use crate::values::{DeliveryNo, FactVersions, Millis, Outcome, Rule};

/// Accept it, with what the policy decided on the facts of the moment.
#[derive(Debug, Clone)]
pub struct Accept {
    /// The request.
    pub requested: Requested,
    /// The decision.
    pub plan: DeliveryPlan,
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
    /// End a delivery that is no longer wanted.
    Suppress {
        /// The delivery.
        delivery: DeliveryNo,
        /// Why.
        rule: Rule,
        /// Decided on these facts.
        facts: FactVersions,
    },
    /// End a delivery that is too late.
    Expire {
        /// The delivery.
        delivery: DeliveryNo,
    },
    /// Take back whatever is not under way or done.
    Cancel,
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
