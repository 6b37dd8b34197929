//! The notification's state and its decisions.

use super::commands::NotificationCommand;
use super::delivery::{Delivery, DeliveryState};
use super::events::{Archived, Deduplicated, Discarded, NotificationEvent, Queued, Read, Redriven, Requested, Seen, Sent, Suppressed};
use super::refusal::NotificationRefusal;
use crate::aggregate::Aggregate;
use crate::policy::delivery_plan::Step;
use crate::values::{CategoryKey, Channel, DeliveryNo, Millis, Priority, RecipientId, Rule, SenderKey};
use serde::{Deserialize, Serialize};

/// Repeats that are recorded; further ones are answered without an event.
const MAX_RECORDED_REPEATS: u32 = 10;

/// A notification as its events tell it. Content is not kept: it is read from the log when it
/// is needed, so that a thousand cached notifications of a megabyte each do not fill the memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Whether it was requested at all.
    pub exists: bool,
    /// Who asked.
    pub sender: SenderKey,
    /// For whom.
    pub recipient: RecipientId,
    /// Which kind.
    pub category: CategoryKey,
    /// How urgent.
    pub priority: Priority,
    /// Keyed hash of the request.
    pub fingerprint: String,
    /// Asked with a sandbox key.
    pub sandbox: bool,
    /// Worth nothing after this.
    pub expires_at: Option<Millis>,
    /// All deliveries, by number.
    pub deliveries: Vec<Delivery>,
    /// Channels decided against at acceptance.
    pub suppressed: Vec<(Option<Channel>, Rule)>,
    /// Repeats recorded.
    pub repeats: u32,
    /// Shown to the recipient.
    pub seen: bool,
    /// Read by the recipient.
    pub read: bool,
    /// Put away by the recipient.
    pub archived: bool,
}

impl Notification {
    /// A delivery by number.
    pub fn delivery(&self, number: DeliveryNo) -> Option<&Delivery> {
        self.deliveries.get(usize::from(number))
    }

    fn existing(&self, number: DeliveryNo) -> Result<&Delivery, NotificationRefusal> {
        self.delivery(number).ok_or(NotificationRefusal::NoSuchDelivery)
    }

    /// Whether the recipient sees it in the history: something was queued, and it is no test.
    pub fn is_visible(&self) -> bool {
        self.exists && !self.sandbox && !self.deliveries.is_empty()
    }
}

impl Aggregate for Notification {
    type Command = NotificationCommand;
    type Event = NotificationEvent;
    type Refusal = NotificationRefusal;

    fn decide(&self, command: NotificationCommand) -> Result<Vec<NotificationEvent>, NotificationRefusal> {
        use NotificationCommand as C;
        if let C::Accept(accept) = command {
            if !self.exists {
                return Ok(accepted(accept.requested, accept.plan));
            }
            if self.fingerprint != accept.requested.fingerprint {
                return Err(NotificationRefusal::IdempotencyConflict);
            }
            let repeats = self.repeats + 1;
            return Ok(if repeats > MAX_RECORDED_REPEATS { Vec::new() } else { vec![NotificationEvent::Deduplicated(Deduplicated { repeats })] });
        }
        if !self.exists {
            return Err(NotificationRefusal::NotFound);
        }
        Ok(match command {
            C::Accept(_) => Vec::new(),
            C::StartAttempt { delivery, provider } => self.existing(delivery)?.start(&provider).into_iter().collect(),
            C::RecordOutcome { delivery, attempt, outcome, schedule, requested_at, now, jitter } => {
                self.existing(delivery)?.conclude(attempt, &outcome, &schedule, requested_at, now, jitter)
            }
            C::Suppress { delivery, rule, facts } => self.existing(delivery)?.suppress(rule, facts).into_iter().collect(),
            C::Expire { delivery } => self.existing(delivery)?.expire().into_iter().collect(),
            C::Cancel => self.deliveries.iter().filter_map(Delivery::cancel).collect(),
            C::Redrive { delivery } => match self.existing(delivery)?.state {
                DeliveryState::DeadLettered => {
                    vec![NotificationEvent::Redriven(Redriven { delivery })]
                }
                _ => return Err(NotificationRefusal::NotADeadLetter),
            },
            C::Discard { delivery, reason } => match self.existing(delivery)?.state {
                DeliveryState::DeadLettered => {
                    vec![NotificationEvent::Discarded(Discarded { delivery, reason })]
                }
                _ => return Err(NotificationRefusal::NotADeadLetter),
            },
            C::MarkSeen => flag(self.seen, NotificationEvent::Seen(Seen {})),
            C::MarkRead => flag(self.read, NotificationEvent::Read(Read {})),
            C::Archive => flag(self.archived, NotificationEvent::Archived(Archived {})),
        })
    }

    fn evolve(&mut self, event: &NotificationEvent) {
        use NotificationEvent as E;
        match event {
            E::Requested(e) => {
                self.exists = true;
                self.sender = e.sender.clone();
                self.recipient = e.recipient;
                self.category = e.category.clone();
                self.priority = e.priority;
                self.fingerprint.clone_from(&e.fingerprint);
                self.sandbox = e.sandbox;
                self.expires_at = e.expires_at;
            }
            E::Deduplicated(e) => self.repeats = e.repeats,
            E::Queued(e) => self.deliveries.push(Delivery::queued(e.delivery, e.channel, e.address)),
            E::Suppressed(Suppressed { delivery: None, channel, rule, .. }) => self.suppressed.push((*channel, *rule)),
            E::Seen(_) => self.seen = true,
            E::Read(_) => {
                self.seen = true;
                self.read = true;
            }
            E::Archived(_) => self.archived = true,
            of_delivery => {
                if let Some(delivery) = of_delivery.delivery().and_then(|number| self.deliveries.get_mut(usize::from(number))) {
                    delivery.evolve(of_delivery);
                }
            }
        }
    }
}

fn flag(already: bool, event: NotificationEvent) -> Vec<NotificationEvent> {
    if already { Vec::new() } else { vec![event] }
}

/// The request with its decisions, as one batch: there is no moment at which it is accepted and
/// undecided.
fn accepted(requested: Requested, plan: crate::policy::delivery_plan::DeliveryPlan) -> Vec<NotificationEvent> {
    let mut events = Vec::with_capacity(2 + plan.steps.len());
    events.push(NotificationEvent::Requested(requested));
    let mut next: DeliveryNo = 0;
    for step in plan.steps {
        match step {
            Step::Deliver { channel, address, rule } => {
                let delivery = next;
                next += 1;
                events.push(NotificationEvent::Queued(Queued { delivery, channel, address, rule, rules: Rule::VERSION, facts: plan.facts }));
                if !channel.has_provider() {
                    events.push(NotificationEvent::Sent(Sent { delivery, attempt: 0, provider_id: None }));
                }
            }
            Step::Skip { channel, rule } => {
                events.push(NotificationEvent::Suppressed(Suppressed { delivery: None, channel, rule, rules: Rule::VERSION, facts: plan.facts }));
            }
        }
    }
    events
}
