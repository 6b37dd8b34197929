//! One delivery's life: the state machine that the aggregate, the process manager and the
//! workers share, so that a worker can append without loading the notification.

use super::events::{
    AttemptFailed, AttemptStarted, AttemptUnknown, DeadLettered, Expired, Failed, FailureClass, Held, HoldReason, NotificationEvent, Postponed, RetryScheduled,
    Sent, Suppressed,
};
use crate::policy::retry::{self, Next, RetrySchedule};
use crate::values::{AddressId, BadAddress, Channel, DeliveryNo, FactVersions, Millis, Outcome, Rule, SentAs};
use serde::{Deserialize, Serialize};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for a worker.
    #[default]
    Ready,
    /// Waits for a moment.
    Waiting {
        /// When (ms since the epoch).
        due: Millis,
    },
    /// An attempt was recorded and has no outcome yet.
    InFlight,
    /// Handed to the provider.
    Sent,
    /// Will not be delivered.
    Failed,
    /// Taken back.
    Cancelled,
    /// Too late.
    Expired,
    /// Decided not to, after it was queued.
    Suppressed,
    /// Awaits a person.
    DeadLettered,
    /// Given up by a person.
    Discarded,
    /// Arrived, as its provider reports.
    Delivered,
    /// Did not arrive, as its provider reports.
    Bounced,
}

impl DeliveryState {
    /// Whether something is still owed.
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Ready | Self::Waiting { .. } | Self::InFlight)
    }

    /// Whether its provider took it, and has not reported the contrary.
    pub const fn is_taken(self) -> bool {
        matches!(self, Self::Sent | Self::Delivered)
    }

    /// The name in queries and in the CLI.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "queued",
            Self::Waiting { .. } => "waiting",
            Self::InFlight => "in_flight",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Suppressed => "suppressed",
            Self::DeadLettered => "dead_lettered",
            Self::Discarded => "discarded",
            Self::Delivered => "delivered",
            Self::Bounced => "bounced",
        }
    }
}

/// The notification on one channel to one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Number within the notification.
    pub number: DeliveryNo,
    /// The channel.
    pub channel: Channel,
    /// The address, where the channel has one.
    pub address: Option<AddressId>,
    /// Where it stands.
    pub state: DeliveryState,
    /// Number of the last attempt; 0 before the first.
    pub attempt: u32,
    /// Attempts that counted (throttled and unmade ones do not), since the last redrive.
    pub counted: u32,
    /// The last attempt's outcome is unknown.
    pub after_unknown: bool,
    /// Repeats after an unknown outcome so far, since the last redrive.
    pub unknown_repeats: u32,
}

impl Delivery {
    /// A delivery just queued.
    pub fn queued(number: DeliveryNo, channel: Channel, address: Option<AddressId>) -> Self {
        Self { number, channel, address, state: DeliveryState::Ready, attempt: 0, counted: 0, after_unknown: false, unknown_repeats: 0 }
    }

    /// The record that precedes a call, with whom the message comes from where that is not as configured; none unless it is ready or its moment is up to the caller.
    pub fn start(&self, provider: &str, from: Option<&SentAs>) -> Option<NotificationEvent> {
        matches!(self.state, DeliveryState::Ready | DeliveryState::Waiting { .. }).then(|| {
            NotificationEvent::AttemptStarted(AttemptStarted {
                delivery: self.number,
                attempt: self.attempt + 1,
                provider: provider.to_owned(),
                after_unknown: self.after_unknown,
                from: from.map(ToString::to_string),
            })
        })
    }

    /// What follows from the outcome of attempt `attempt`. Empty where that attempt is not in
    /// flight: its outcome is already known, and a repeat of the report changes nothing.
    ///
    /// `requested_at` bounds the age up to which it is retried; `jitter` is drawn from 0..1.
    pub fn conclude(
        &self,
        attempt: u32,
        outcome: &Outcome,
        schedule: &RetrySchedule,
        requested_at: Millis,
        now: Millis,
        jitter: f64,
    ) -> Vec<NotificationEvent> {
        if self.state != DeliveryState::InFlight || attempt != self.attempt {
            return Vec::new();
        }
        let delivery = self.number;
        match outcome {
            Outcome::Accepted { provider_id } => vec![NotificationEvent::Sent(Sent { delivery, attempt, provider_id: provider_id.clone(), cost: None })],
            Outcome::Permanent { code } => self.fail(attempt, FailureClass::Permanent, code, None, false),
            Outcome::BadAddress { kind, as_of, code } => self.fail(attempt, FailureClass::BadAddress, code, *as_of, *kind == BadAddress::Dead),
            Outcome::Retry { after, code } => {
                let failed = NotificationEvent::AttemptFailed(AttemptFailed { delivery, attempt, class: FailureClass::Transient, code: code.clone() });
                let next = retry::after_failure(schedule, self.counted + 1, *after, requested_at, now, jitter);
                vec![failed, self.next(next, code, false)]
            }
            Outcome::Unknown { code } => {
                let unknown = NotificationEvent::AttemptUnknown(AttemptUnknown { delivery, attempt, code: code.clone() });
                let next = retry::after_unknown(self.channel, schedule, self.counted + 1, self.unknown_repeats, requested_at, now, jitter);
                vec![unknown, self.next(next, code, true)]
            }
            Outcome::Throttled { after, code, .. } => {
                vec![self.hold(attempt, HoldReason::Throttled, code, now + retry::throttle_pause(*after, jitter))]
            }
            Outcome::Misconfigured { code, .. } => vec![self.hold(attempt, HoldReason::Misconfigured, code, now + retry::PROBE_EVERY_MS)],
            Outcome::NotMade { code } => vec![self.hold(attempt, HoldReason::NotMade, code, now)],
        }
    }

    /// Ends it because it is no longer wanted. Empty where nothing is owed or a call is under way.
    pub fn suppress(&self, rule: Rule, facts: FactVersions) -> Option<NotificationEvent> {
        self.is_stoppable().then_some(NotificationEvent::Suppressed(Suppressed {
            delivery: Some(self.number),
            channel: Some(self.channel),
            address: None,
            rule,
            rules: Rule::VERSION,
            facts,
        }))
    }

    /// Puts it off. None where nothing is owed, a call is under way, or it waits as long anyhow.
    pub fn postpone(&self, until: Millis, rule: Rule, facts: FactVersions) -> Option<NotificationEvent> {
        let waits = matches!(self.state, DeliveryState::Waiting { due } if due >= until);
        (self.is_stoppable() && !waits).then_some(NotificationEvent::Postponed(Postponed { delivery: self.number, until, rule, rules: Rule::VERSION, facts }))
    }

    /// Ends it because it is too late.
    pub fn expire(&self) -> Option<NotificationEvent> {
        self.is_stoppable().then_some(NotificationEvent::Expired(Expired { delivery: Some(self.number) }))
    }

    /// Whether it is owed and no call is under way.
    pub fn is_stoppable(&self) -> bool {
        matches!(self.state, DeliveryState::Ready | DeliveryState::Waiting { .. })
    }

    fn fail(&self, attempt: u32, class: FailureClass, code: &str, as_of: Option<Millis>, address_dead: bool) -> Vec<NotificationEvent> {
        vec![
            NotificationEvent::AttemptFailed(AttemptFailed { delivery: self.number, attempt, class, code: code.to_owned() }),
            NotificationEvent::Failed(Failed { delivery: self.number, class, code: code.to_owned(), as_of, address_dead }),
        ]
    }

    fn hold(&self, attempt: u32, reason: HoldReason, code: &str, until: Millis) -> NotificationEvent {
        NotificationEvent::Held(Held { delivery: self.number, attempt, reason, code: code.to_owned(), until })
    }

    fn next(&self, next: Next, code: &str, unknown: bool) -> NotificationEvent {
        match next {
            Next::At(due) => NotificationEvent::RetryScheduled(RetryScheduled { delivery: self.number, due, after_unknown: unknown }),
            Next::GiveUp => NotificationEvent::DeadLettered(DeadLettered { delivery: self.number, attempts: self.attempt, code: code.to_owned(), unknown }),
        }
    }

    /// Folds an event of this delivery into the state; events of others must not be given.
    pub fn evolve(&mut self, event: &NotificationEvent) {
        use NotificationEvent as E;
        match event {
            E::AttemptStarted(e) => {
                self.state = DeliveryState::InFlight;
                self.attempt = e.attempt;
                self.unknown_repeats += u32::from(e.after_unknown);
            }
            E::Sent(_) => self.state = DeliveryState::Sent,
            E::AttemptFailed(_) => {
                self.counted += 1;
                self.after_unknown = false;
            }
            E::AttemptUnknown(_) => {
                self.counted += 1;
                self.after_unknown = true;
            }
            E::Held(e) => self.state = if e.reason == HoldReason::NotMade { DeliveryState::Ready } else { DeliveryState::Waiting { due: e.until } },
            E::RetryScheduled(e) => self.state = DeliveryState::Waiting { due: e.due },
            E::Postponed(e) => self.state = DeliveryState::Waiting { due: e.until },
            E::Failed(_) => self.state = DeliveryState::Failed,
            E::DeadLettered(_) => self.state = DeliveryState::DeadLettered,
            E::Redriven(_) => {
                self.state = DeliveryState::Ready;
                self.counted = 0;
                self.unknown_repeats = 0;
            }
            E::Delivered(_) => {
                self.state = DeliveryState::Delivered;
                self.after_unknown = false;
            }
            E::Bounced(_) => {
                self.state = DeliveryState::Bounced;
                self.after_unknown = false;
            }
            E::Discarded(_) => self.state = DeliveryState::Discarded,
            E::Cancelled(_) => self.state = DeliveryState::Cancelled,
            E::Expired(_) => self.state = DeliveryState::Expired,
            E::Suppressed(_) => self.state = DeliveryState::Suppressed,
            E::Requested(_)
            | E::Deduplicated(_)
            | E::Queued(_)
            | E::CancelRequested(_)
            | E::Seen(_)
            | E::Read(_)
            | E::Complained(_)
            | E::Opened(_)
            | E::Clicked(_)
            | E::Archived(_)
            | E::Deferred(_)
            | E::Released(_)
            | E::Digested(_)
            | E::StepScheduled(_)
            | E::StepTaken(_)
            | E::StepSkipped(_) => {}
        }
    }
}

impl NotificationEvent {
    /// The delivery that an event is about, where it is about one.
    pub fn delivery(&self) -> Option<DeliveryNo> {
        Some(match self {
            Self::Queued(e) => e.delivery,
            Self::AttemptStarted(e) => e.delivery,
            Self::Sent(e) => e.delivery,
            Self::AttemptFailed(e) => e.delivery,
            Self::AttemptUnknown(e) => e.delivery,
            Self::Held(e) => e.delivery,
            Self::RetryScheduled(e) => e.delivery,
            Self::Failed(e) => e.delivery,
            Self::DeadLettered(e) => e.delivery,
            Self::Redriven(e) => e.delivery,
            Self::Discarded(e) => e.delivery,
            Self::Delivered(e) => e.delivery,
            Self::Bounced(e) => e.delivery,
            Self::Complained(e) => e.delivery,
            Self::Opened(e) => e.delivery,
            Self::Clicked(e) => e.delivery,
            Self::Postponed(e) => e.delivery,
            Self::CancelRequested(e) => e.delivery,
            Self::Cancelled(e) => return e.delivery,
            Self::Expired(e) => return e.delivery,
            Self::Suppressed(e) => return e.delivery,
            Self::Requested(_)
            | Self::Deduplicated(_)
            | Self::Seen(_)
            | Self::Read(_)
            | Self::Archived(_)
            | Self::Deferred(_)
            | Self::Released(_)
            | Self::Digested(_)
            | Self::StepScheduled(_)
            | Self::StepTaken(_)
            | Self::StepSkipped(_) => return None,
        })
    }
}
