//! Folding a batch of events into the fewest changes of rows.

use super::Item;
use commands::log::{Recorded, StreamNo};
use commands::replicas::ReplicaNo;
use domain::Fact;
use domain::notification::{Delivery, DeliveryState, HoldReason, NotificationEvent, Requested};
use domain::values::DeliveryNo;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Content larger than this is read from the log again when it is sent.
const KEPT_CONTENT: usize = 2_048;

/// What becomes of one row.
#[derive(Debug)]
pub(super) enum Row {
    /// Begun in this batch and still owed; by which replica it is attempted.
    New(Box<Item>, ReplicaNo),
    /// Known from before.
    Changed(Patch),
    /// Not owed any more.
    Gone,
}

/// Changes of a row that is not at hand.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Patch {
    pub sequence: u64,
    pub state: Option<DeliveryState>,
    pub attempt: Option<u32>,
    pub replica: Option<ReplicaNo>,
    pub reset: bool,
    pub counted: u32,
    pub after_unknown: Option<bool>,
    pub unknown_repeats: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Fold {
    pub rows: BTreeMap<(StreamNo, DeliveryNo), Row>,
    requested: Option<Arc<Recorded>>,
}

/// An item from the two events that begin it.
pub(crate) fn begin(requested: &Arc<Recorded>, queued: &Recorded, request: &Requested, delivery: Delivery) -> Item {
    let small = request.personal.known().is_some_and(|content| content.size() <= KEPT_CONTENT);
    Item {
        notification: domain::values::NotificationId(requested.stream.id),
        stream: requested.number,
        sequence: queued.sequence,
        delivery,
        recipient: request.recipient,
        sender: request.sender.clone(),
        category: request.category.clone(),
        priority: request.priority,
        sandbox: request.sandbox,
        requested_position: requested.position,
        requested_at: requested.at,
        expires_at: request.expires_at,
        requested: small.then(|| Arc::clone(requested)),
    }
}

impl Fold {
    pub(super) fn add(&mut self, event: &Arc<Recorded>) -> Result<(), String> {
        let Fact::Notification(fact) = &event.fact else { return Ok(()) };
        match fact {
            NotificationEvent::Requested(_) => self.requested = Some(Arc::clone(event)),
            NotificationEvent::Queued(queued) if queued.channel.has_provider() => {
                // The runner never cuts a batch within a stream's consecutive events.
                let Some(requested) = self.requested.as_ref().filter(|requested| requested.number == event.number) else {
                    return Err("a Queued stands apart from its Requested".to_owned());
                };
                if let Fact::Notification(NotificationEvent::Requested(request)) = &requested.fact {
                    let item = begin(requested, event, request, Delivery::queued(queued.delivery, queued.channel, queued.address));
                    self.rows.insert((event.number, queued.delivery), Row::New(Box::new(item), 0));
                }
            }
            _ => {
                if let Some(number) = fact.delivery() {
                    self.of_delivery(event, fact, number);
                }
            }
        }
        Ok(())
    }

    fn of_delivery(&mut self, event: &Recorded, fact: &NotificationEvent, number: DeliveryNo) {
        let row = self.rows.entry((event.number, number)).or_insert_with(|| Row::Changed(Patch::default()));
        match row {
            Row::New(item, replica) => {
                item.delivery.evolve(fact);
                if let NotificationEvent::AttemptStarted(_) = fact {
                    *replica = event.metadata.replica.unwrap_or_default();
                }
                item.sequence = event.sequence;
                // A dead letter keeps its row: it may be redriven.
                if !item.delivery.state.is_pending() && item.delivery.state != DeliveryState::DeadLettered {
                    *row = Row::Gone;
                }
            }
            Row::Changed(patch) => {
                patch.sequence = event.sequence;
                if let NotificationEvent::AttemptStarted(_) = fact {
                    patch.replica = Some(event.metadata.replica.unwrap_or_default());
                }
                if patch.evolve(fact) {
                    *row = Row::Gone;
                }
            }
            Row::Gone => {}
        }
    }
}

impl Patch {
    /// Says whether the row goes.
    fn evolve(&mut self, fact: &NotificationEvent) -> bool {
        use NotificationEvent as E;
        match fact {
            E::AttemptStarted(e) => {
                self.state = Some(DeliveryState::InFlight);
                self.attempt = Some(e.attempt);
                self.unknown_repeats += u32::from(e.after_unknown);
            }
            E::AttemptFailed(_) => {
                self.counted += 1;
                self.after_unknown = Some(false);
            }
            E::AttemptUnknown(_) => {
                self.counted += 1;
                self.after_unknown = Some(true);
            }
            E::Held(e) => self.state = Some(if e.reason == HoldReason::NotMade { DeliveryState::Ready } else { DeliveryState::Waiting { due: e.until } }),
            E::RetryScheduled(e) => self.state = Some(DeliveryState::Waiting { due: e.due }),
            E::Postponed(e) => self.state = Some(DeliveryState::Waiting { due: e.until }),
            E::DeadLettered(_) => self.state = Some(DeliveryState::DeadLettered),
            E::Redriven(_) => {
                *self = Self {
                    sequence: self.sequence,
                    state: Some(DeliveryState::Ready),
                    attempt: self.attempt,
                    replica: self.replica,
                    reset: true,
                    after_unknown: self.after_unknown,
                    ..Self::default()
                };
            }
            E::Sent(_) | E::Failed(_) | E::Discarded(_) | E::Cancelled(_) | E::Expired(_) | E::Suppressed(_) => return true,
            E::Requested(_)
            | E::Deduplicated(_)
            | E::Queued(_)
            | E::Seen(_)
            | E::Read(_)
            | E::Archived(_)
            | E::Deferred(_)
            | E::Released(_)
            | E::Digested(_)
            | E::StepScheduled(_)
            | E::StepTaken(_)
            | E::StepSkipped(_) => {}
        }
        false
    }
}
