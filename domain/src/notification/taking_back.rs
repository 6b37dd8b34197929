//! Taking back, as far as it is possible: what waits and whom nobody was called for is cancelled, at once and for
//! good. A call under way cannot be undone. That it is to be the last is recorded beside it, and decides what follows
//! from its outcome: so nothing is called cancelled and then sent, and nothing that failed is tried again.
//!
//! Rejected: to cancel whatever has failed when its retry comes due. In between it would be shown as waiting.

use super::delivery::{Delivery, DeliveryState};
use super::events::{CancelRequested, Cancelled, DeadLettered, NotificationEvent, StepSkipped};
use super::state::Notification;
use crate::values::{DeliveryNo, Rule};

impl Notification {
    /// What is still stopped. `collected`: its digest lets go of it in the same commit.
    pub(super) fn cancel(&self, collected: bool) -> Vec<NotificationEvent> {
        let whole = self.waiting.is_some() || (collected && self.digested.is_some());
        let whole = whole.then_some(NotificationEvent::Cancelled(Cancelled { delivery: None }));
        let step = self.step.map(|next| NotificationEvent::StepSkipped(StepSkipped { step: next.step, rule: Rule::Cancelled }));
        whole.into_iter().chain(step).chain(self.deliveries.iter().filter_map(|delivery| self.cancel_one(delivery))).collect()
    }

    fn cancel_one(&self, delivery: &Delivery) -> Option<NotificationEvent> {
        let number = delivery.number;
        if delivery.is_stoppable() {
            return Some(NotificationEvent::Cancelled(Cancelled { delivery: Some(number) }));
        }
        let first = delivery.state == DeliveryState::InFlight && !self.is_last_call(number);
        first.then_some(NotificationEvent::CancelRequested(CancelRequested { delivery: number }))
    }

    /// Whether it waits for a place under a limit that is its own, and that nobody else can have meanwhile.
    pub fn holds_place(&self) -> bool {
        self.waiting.is_some() && self.place.is_some()
    }

    /// Whether a delivery was taken back while its call was under way.
    pub fn is_last_call(&self, delivery: DeliveryNo) -> bool {
        self.last_calls.contains(&delivery)
    }

    /// What follows from the outcome of a delivery's attempt, given what would if it were still wanted. What may have
    /// arrived is not called cancelled: it awaits a person, as whatever must not be repeated does.
    pub fn concluded(&self, delivery: &Delivery, events: Vec<NotificationEvent>) -> Vec<NotificationEvent> {
        if !self.is_last_call(delivery.number) {
            return events;
        }
        let cancelled = || NotificationEvent::Cancelled(Cancelled { delivery: Some(delivery.number) });
        let unknown = events.iter().find_map(|event| if let NotificationEvent::AttemptUnknown(e) = event { Some(e.code.clone()) } else { None });
        let mut ends = Vec::with_capacity(events.len() + 1);
        for event in events {
            match event {
                NotificationEvent::RetryScheduled(_) => ends.push(match &unknown {
                    Some(code) => NotificationEvent::DeadLettered(DeadLettered {
                        delivery: delivery.number,
                        attempts: delivery.attempt,
                        code: code.clone(),
                        unknown: true,
                    }),
                    None => cancelled(),
                }),
                NotificationEvent::Held(_) => ends.extend([event, cancelled()]),
                other => ends.push(other),
            }
        }
        ends
    }
}
