//! The notification's state and its decisions.

use super::commands::NotificationCommand;
use super::delivery::{Delivery, DeliveryState};
use super::events::{Archived, Cancelled, Deduplicated, Discarded, Expired, NotificationEvent, Read, Redriven, Seen, StepSkipped, Suppressed};
use super::receipts::{Reports, report};
use super::refusal::NotificationRefusal;
use super::settling::{settled, step_settled};
use crate::aggregate::Aggregate;
use crate::values::{CategoryKey, Channel, ChannelPlan, DeliveryNo, DigestId, Millis, NextWhen, Origin, Priority, RecipientId, Rule, SenderKey, TopicKey};
use serde::{Deserialize, Serialize};

/// Repeats that are recorded; further ones are answered without an event.
const MAX_RECORDED_REPEATS: u32 = 10;

/// That a notification waits as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Until when (ms since the epoch).
    pub until: Millis,
    /// Why.
    pub rule: Rule,
}

/// The next step of a notification's plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledStep {
    /// Number of the step.
    pub step: u8,
    /// When (ms since the epoch).
    pub due: Millis,
    /// What has to be so then.
    pub when: NextWhen,
}

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
    /// Channels that were asked for.
    pub channels: Option<Vec<Channel>>,
    /// Not to be sent before.
    pub not_before: Option<Millis>,
    /// Its topic.
    pub topic: Option<TopicKey>,
    /// The digest that collects it if it is to be collected.
    pub digest: Option<DigestId>,
    /// The plan that it follows.
    pub plan: Option<ChannelPlan>,
    /// The version of its category then.
    pub category_version: u32,
    /// What made it.
    pub origin: Option<Origin>,
    /// It waits as a whole.
    pub waiting: Option<Waiting>,
    /// The place under the limits that it holds.
    pub place: Option<Millis>,
    /// The digest and window that collected it.
    pub digested: Option<(DigestId, u32)>,
    /// The next step of its plan.
    pub step: Option<ScheduledStep>,
    /// The first delivery of the last step that was taken.
    pub step_from: DeliveryNo,
    /// All deliveries, by number.
    pub deliveries: Vec<Delivery>,
    /// Deliveries that were taken back while a call was under way, and whose call is their last.
    pub last_calls: Vec<DeliveryNo>,
    /// It was taken back or too late as a whole.
    pub over: Option<Rule>,
    /// Channels decided against, and, without a channel, the notification as a whole.
    pub suppressed: Vec<(Option<Channel>, Rule)>,
    /// Repeats recorded.
    pub repeats: u32,
    /// Shown to the recipient.
    pub seen: bool,
    /// Read by the recipient.
    pub read: bool,
    /// Put away by the recipient.
    pub archived: bool,
    /// What was reported of deliveries, of those of which something was.
    pub reports: Vec<Reports>,
}

impl Notification {
    /// A delivery by number.
    pub fn delivery(&self, number: DeliveryNo) -> Option<&Delivery> {
        self.deliveries.get(usize::from(number))
    }

    /// What was reported of a delivery.
    pub fn reports(&self, number: DeliveryNo) -> Reports {
        self.reports.iter().find(|reports| reports.delivery == number).copied().unwrap_or(Reports { delivery: number, ..Reports::default() })
    }

    /// Whether a person opened it or followed a link in it, on any channel.
    pub fn is_noticed(&self) -> bool {
        self.reports.iter().any(Reports::noticed)
    }

    fn existing(&self, number: DeliveryNo) -> Result<&Delivery, NotificationRefusal> {
        self.delivery(number).ok_or(NotificationRefusal::NoSuchDelivery)
    }

    /// The number of the next delivery.
    pub(super) fn next_delivery(&self) -> DeliveryNo {
        DeliveryNo::try_from(self.deliveries.len()).unwrap_or(DeliveryNo::MAX)
    }

    /// Whether the recipient sees it in the history: something was queued, and it is no test.
    pub fn is_visible(&self) -> bool {
        self.exists && !self.sandbox && !self.deliveries.is_empty()
    }
}

impl Notification {
    fn keep_report(&mut self, event: &NotificationEvent) {
        if !event.is_report() {
            return;
        }
        let Some(number) = event.delivery() else { return };
        if let Some(known) = self.reports.iter_mut().find(|reports| reports.delivery == number) {
            known.evolve(event);
        } else {
            let mut reports = Reports { delivery: number, ..Reports::default() };
            reports.evolve(event);
            self.reports.push(reports);
        }
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
                let mut events = Vec::with_capacity(4);
                events.push(NotificationEvent::Requested(accept.requested));
                settled(&accept.decision, 0, &mut events);
                return Ok(events);
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
            C::StartAttempt { delivery, provider } => self.existing(delivery)?.start(&provider, None).into_iter().collect(),
            C::RecordOutcome { delivery, attempt, outcome, schedule, requested_at, now, jitter } => {
                let delivery = self.existing(delivery)?;
                self.concluded(delivery, delivery.conclude(attempt, &outcome, &schedule, requested_at, now, jitter))
            }
            C::Report { receipt } => report(self.existing(receipt.delivery)?, &self.reports(receipt.delivery), &receipt),
            C::Suppress { delivery, rule, facts } => self.existing(delivery)?.suppress(rule, facts).into_iter().collect(),
            C::Expire { delivery: Some(delivery) } => self.existing(delivery)?.expire().into_iter().collect(),
            C::Expire { delivery: None } if self.waiting.is_some() => vec![NotificationEvent::Expired(Expired { delivery: None })],
            C::Expire { delivery: None } => Vec::new(),
            C::Release { decision } if self.waiting.is_some() => {
                let mut events = vec![NotificationEvent::Released(super::events::Released {})];
                settled(&decision, self.next_delivery(), &mut events);
                events
            }
            C::TakeStep { step, decision, now } if self.step.is_some_and(|next| next.step == step) => step_settled(self, step, &decision, now),
            C::SkipStep { step, rule } if self.step.is_some_and(|next| next.step == step) => {
                vec![NotificationEvent::StepSkipped(StepSkipped { step, rule })]
            }
            C::Release { .. } | C::TakeStep { .. } | C::SkipStep { .. } => Vec::new(),
            C::Postpone { delivery, until, rule, facts } => self.existing(delivery)?.postpone(until, rule, facts).into_iter().collect(),
            C::Cancel { collected } => self.cancel(collected),
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
                self.channels.clone_from(&e.channels);
                self.not_before = e.not_before;
                self.topic.clone_from(&e.topic);
                self.digest = e.digest;
                self.plan.clone_from(&e.plan);
                self.category_version = e.category_version;
                self.origin = e.origin;
            }
            E::Deduplicated(e) => self.repeats = e.repeats,
            E::Queued(e) => self.deliveries.push(Delivery::queued(e.delivery, e.channel, e.address)),
            E::Suppressed(Suppressed { delivery: None, channel, rule, .. }) => self.suppressed.push((*channel, *rule)),
            E::Deferred(e) => {
                self.waiting = Some(Waiting { until: e.until, rule: e.rule });
                if e.limit.is_some() {
                    self.place = Some(e.until);
                }
            }
            E::Released(_) => self.waiting = None,
            E::Digested(e) => self.digested = Some((e.digest, e.window)),
            E::Cancelled(Cancelled { delivery: None }) | E::Expired(Expired { delivery: None }) => {
                self.waiting = None;
                self.digested = None;
                self.over = Some(if matches!(event, E::Cancelled(_)) { Rule::Cancelled } else { Rule::Expired });
            }
            E::StepScheduled(e) => self.step = Some(ScheduledStep { step: e.step, due: e.due, when: e.when }),
            E::StepTaken(_) => {
                self.step = None;
                self.step_from = self.next_delivery();
            }
            E::StepSkipped(_) => self.step = None,
            E::Seen(_) => self.seen = true,
            E::Read(_) => {
                self.seen = true;
                self.read = true;
            }
            E::Archived(_) => self.archived = true,
            of_delivery => {
                self.keep_report(of_delivery);
                match of_delivery {
                    E::CancelRequested(e) => self.last_calls.push(e.delivery),
                    // A person wants it sent after all.
                    E::Redriven(e) => self.last_calls.retain(|number| *number != e.delivery),
                    _ => {}
                }
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
