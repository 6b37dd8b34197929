//! What was decided, as events of the notification. One batch with what it follows from: there is
//! no moment at which something is accepted, released or due, and undecided.

use super::events::{Deferred, Digested, Expired, NotificationEvent, Queued, Sent, StepScheduled, StepSkipped, StepTaken, Suppressed};
use super::state::Notification;
use crate::policy::deciding::{Decided, Decision, FollowUp, Step};
use crate::values::{DeliveryNo, FactVersions, Millis, Rule};

/// Appends what was decided for a notification as a whole; its deliveries count from `first`.
pub(super) fn settled(decision: &Decision, first: DeliveryNo, events: &mut Vec<NotificationEvent>) {
    let (facts, rules) = (decision.facts, Rule::VERSION);
    match &decision.outcome {
        Decided::Deliver { steps, taken, next } => {
            // Steps of the plan before the one that can be taken could reach nobody.
            events.extend((0..*taken).map(|step| NotificationEvent::StepSkipped(StepSkipped { step, rule: Rule::NoChannel })));
            queue(steps, facts, first, events);
            schedule(*next, events);
        }
        Decided::Defer { until, rule, limit } => {
            events.push(NotificationEvent::Deferred(Deferred { until: *until, rule: *rule, limit: *limit, rules, facts }));
        }
        Decided::Digest { digest, window, rule } => {
            events.push(NotificationEvent::Digested(Digested { digest: *digest, window: *window, rule: *rule, rules, facts }));
        }
        Decided::Suppress { rule, steps } => {
            queue(steps, facts, first, events);
            let (delivery, channel, address) = (None, None, None);
            events.push(NotificationEvent::Suppressed(Suppressed { delivery, channel, address, rule: *rule, rules, facts }));
        }
        Decided::Expire => events.push(NotificationEvent::Expired(Expired { delivery: None })),
    }
}

/// What was decided for a step of the plan that was due.
pub(super) fn step_settled(state: &Notification, due: u8, decision: &Decision, now: Millis) -> Vec<NotificationEvent> {
    let mut events = Vec::with_capacity(4);
    let skipped = |step, rule| NotificationEvent::StepSkipped(StepSkipped { step, rule });
    match &decision.outcome {
        Decided::Deliver { steps, taken, next } => {
            events.extend((due..*taken).map(|step| skipped(step, Rule::NoChannel)));
            events.push(NotificationEvent::StepTaken(StepTaken { step: *taken, facts: decision.facts }));
            queue(steps, decision.facts, state.next_delivery(), &mut events);
            schedule(*next, &mut events);
        }
        // Put off alone: what was sent before is sent.
        Decided::Defer { until, rule, .. } => {
            if let Some(next) = state.step {
                let step = StepScheduled { step: due, due: (*until).max(now.saturating_add(1)), when: next.when, rule: Some(*rule) };
                events.push(NotificationEvent::StepScheduled(step));
            }
        }
        Decided::Digest { rule, .. } | Decided::Suppress { rule, .. } => events.push(skipped(due, *rule)),
        Decided::Expire => events.push(skipped(due, Rule::Expired)),
    }
    events
}

fn schedule(next: Option<FollowUp>, events: &mut Vec<NotificationEvent>) {
    events.extend(next.map(|next| NotificationEvent::StepScheduled(StepScheduled { step: next.step, due: next.due, when: next.when, rule: None })));
}

fn queue(steps: &[Step], facts: FactVersions, first: DeliveryNo, events: &mut Vec<NotificationEvent>) {
    let rules = Rule::VERSION;
    events.reserve(steps.len() + 1);
    let mut next = first;
    for step in steps {
        match *step {
            Step::Deliver { channel, address, rule } => {
                let delivery = next;
                next = next.saturating_add(1);
                events.push(NotificationEvent::Queued(Queued { delivery, channel, address, rule, rules, facts }));
                if !channel.has_provider() {
                    events.push(NotificationEvent::Sent(Sent { delivery, attempt: 0, provider_id: None, cost: None }));
                }
            }
            Step::Skip { channel, address, rule } => {
                events.push(NotificationEvent::Suppressed(Suppressed { delivery: None, channel: Some(channel), address, rule, rules, facts }));
            }
        }
    }
}
