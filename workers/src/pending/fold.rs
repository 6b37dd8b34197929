//! Folding a batch of events into the fewest changes of rows.
//!
//! Deliveries of a notification that waited begin apart from its request. What the request said is
//! kept meanwhile, and goes with the commit after which no further delivery can begin.

use super::{Item, owed_since};
use commands::log::{Recorded, StreamNo};
use commands::replicas::ReplicaNo;
use domain::Fact;
use domain::notification::{Cancelled, Delivery, DeliveryState, Expired, HoldReason, NotificationEvent, Requested};
use domain::values::{DeliveryNo, Millis};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Content larger than this is read from the log again when it is sent.
const KEPT_CONTENT: usize = 2_048;

/// What becomes of one row.
#[derive(Debug)]
pub(super) enum Row {
    /// Begun in this batch and still owed; by which replica it is attempted.
    New(Box<Item>, ReplicaNo),
    /// Likewise, of a request from before this batch: what that said is in the table.
    Later(Box<Later>),
    /// Known from before.
    Changed(Patch),
    /// Not owed any more.
    Gone,
}

/// A delivery whose request is not at hand.
#[derive(Debug)]
pub(super) struct Later {
    pub delivery: Delivery,
    pub sequence: u64,
    pub owed_since: Millis,
    pub replica: ReplicaNo,
}

/// Whether more deliveries may begin, of a notification that this batch says something about.
#[derive(Debug, Default)]
pub(super) struct Waits {
    /// It was made in this batch.
    pub requested: Option<Arc<Recorded>>,
    pub still: bool,
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
    pub owed_since: Option<Millis>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Fold {
    pub rows: BTreeMap<(StreamNo, DeliveryNo), Row>,
    waits: BTreeMap<StreamNo, Waits>,
    requested: Option<Arc<Recorded>>,
    /// The stream that the batch before left open.
    carried: Option<StreamNo>,
    /// The stream of the last event, if more deliveries may follow in the same commit.
    open: Option<StreamNo>,
    /// The last event is a request.
    undecided: bool,
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
        topic: request.topic.clone(),
        priority: request.priority,
        sandbox: request.sandbox,
        requested_position: requested.position,
        requested_at: queued.at,
        expires_at: request.expires_at,
        requested: small.then(|| Arc::clone(requested)),
    }
}

impl Fold {
    pub(super) fn add(&mut self, event: &Arc<Recorded>) {
        if let Some(stream) = self.carried.take_if(|stream| *stream != event.number) {
            self.waits.entry(stream).or_insert(Waits { requested: None, still: false });
        }
        self.open.take_if(|stream| *stream != event.number);
        self.undecided = false;
        let Fact::Notification(fact) = &event.fact else { return };
        self.undecided = matches!(fact, NotificationEvent::Requested(_));
        match fact {
            NotificationEvent::Requested(_) => {
                self.requested = Some(Arc::clone(event));
                self.open = Some(event.number);
            }
            NotificationEvent::Queued(queued) if queued.channel.has_provider() => {
                let delivery = Delivery::queued(queued.delivery, queued.channel, queued.address);
                let row = match self.requested_of(event.number).as_ref().map(|requested| (requested, &requested.fact)) {
                    Some((requested, Fact::Notification(NotificationEvent::Requested(request)))) => {
                        Row::New(Box::new(begin(requested, event, request, delivery)), 0)
                    }
                    _ => Row::Later(Box::new(Later { delivery, sequence: event.sequence, owed_since: event.at, replica: 0 })),
                };
                self.rows.insert((event.number, queued.delivery), row);
            }
            _ => {
                if let Some(still) = waits(fact) {
                    let requested = self.requested_of(event.number);
                    self.waits.insert(event.number, Waits { requested, still });
                    self.open = (!still).then_some(event.number);
                    if still {
                        self.carried = None;
                    }
                }
                if let Some(number) = fact.delivery() {
                    self.of_delivery(event, fact, number);
                }
            }
        }
    }

    /// Goes on behind a batch that left this stream open.
    pub(super) fn after(carried: Option<StreamNo>) -> Self {
        Self { carried, ..Self::default() }
    }

    /// Who waits, and the stream that this batch leaves open: its commit may go on in the next, where
    /// the runner takes events one by one, around those that it has set aside.
    pub(super) fn waits(&mut self) -> (BTreeMap<StreamNo, Waits>, Option<StreamNo>) {
        let mut open = self.carried;
        if let Some(stream) = self.open.filter(|stream| self.undecided || self.waits.contains_key(stream)) {
            let requested = self.requested_of(stream);
            self.waits.insert(stream, Waits { requested, still: true });
            open = Some(stream);
        }
        (std::mem::take(&mut self.waits), open)
    }

    /// A stream's first event, where it is in this batch: of what begins at once, and of what waits.
    fn requested_of(&self, stream: StreamNo) -> Option<Arc<Recorded>> {
        let last = self.requested.as_ref().filter(|requested| requested.number == stream);
        last.or_else(|| self.waits.get(&stream)?.requested.as_ref()).cloned()
    }

    fn of_delivery(&mut self, event: &Recorded, fact: &NotificationEvent, number: DeliveryNo) {
        let row = self.rows.entry((event.number, number)).or_insert_with(|| Row::Changed(Patch::default()));
        match row {
            Row::New(item, replica) => {
                item.evolve(fact);
                if let NotificationEvent::AttemptStarted(_) = fact {
                    *replica = event.metadata.replica.unwrap_or_default();
                }
                item.sequence = event.sequence;
                if is_over(&item.delivery) {
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
            Row::Later(later) => {
                later.delivery.evolve(fact);
                later.owed_since = owed_since(fact).unwrap_or(later.owed_since);
                if let NotificationEvent::AttemptStarted(_) = fact {
                    later.replica = event.metadata.replica.unwrap_or_default();
                }
                later.sequence = event.sequence;
                if is_over(&later.delivery) {
                    *row = Row::Gone;
                }
            }
            Row::Gone => {}
        }
    }
}

/// A dead letter keeps its row: it may be redriven.
fn is_over(delivery: &Delivery) -> bool {
    !delivery.state.is_pending() && delivery.state != DeliveryState::DeadLettered
}

/// Whether deliveries may begin later, after an event that decides it.
const fn waits(fact: &NotificationEvent) -> Option<bool> {
    use NotificationEvent as E;
    match fact {
        E::Deferred(_) | E::StepScheduled(_) => Some(true),
        E::Released(_) | E::StepTaken(_) | E::StepSkipped(_) | E::Cancelled(Cancelled { delivery: None }) | E::Expired(Expired { delivery: None }) => {
            Some(false)
        }
        _ => None,
    }
}

impl Patch {
    /// Says whether the row goes.
    fn evolve(&mut self, fact: &NotificationEvent) -> bool {
        use NotificationEvent as E;
        self.owed_since = owed_since(fact).or(self.owed_since);
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
                    owed_since: self.owed_since,
                    ..Self::default()
                };
            }
            E::Sent(_) | E::Delivered(_) | E::Bounced(_) | E::Failed(_) | E::Discarded(_) | E::Cancelled(_) | E::Expired(_) | E::Suppressed(_) => return true,
            E::Requested(_)
            | E::Deduplicated(_)
            | E::Queued(_)
            | E::CancelRequested(_)
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
        false
    }
}
