//! What the events of one batch come to for one notification: whatever happens to a row within
//! a batch is written once.

use super::status::DeliveryStatus;
use commands::log::{Position, Recorded};
use domain::Fact;
use domain::notification::NotificationEvent as E;
use domain::values::{Channel, DeliveryNo, Rule};

/// Bits of the column `flags`.
pub(super) const SEEN: u8 = 1;
pub(super) const READ: u8 = 2;
pub(super) const ARCHIVED: u8 = 4;
/// Where it stands as a whole: at most one of these.
pub(super) const DEFERRED: u8 = 8;
pub(super) const HELD: u8 = 16;
pub(super) const DIGESTED: u8 = 32;
pub(super) const CANCELLED: u8 = 64;
pub(super) const EXPIRED: u8 = 128;

/// The column `box`, by which a recipient's notifications are listed and counted.
pub(super) const fn box_of(flags: u8) -> u8 {
    if flags & ARCHIVED != 0 {
        2
    } else if flags & READ != 0 {
        1
    } else {
        0
    }
}

/// A delivery as far as this batch knows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Touched {
    pub(super) number: DeliveryNo,
    /// Known where it was queued in this batch.
    pub(super) channel: Option<Channel>,
    pub(super) status: DeliveryStatus,
}

/// The sum of one notification's events.
#[derive(Debug)]
pub(super) struct Folded<'a> {
    pub(super) number: u64,
    /// The `Requested` event, where it is in this batch.
    pub(super) requested: Option<&'a Recorded>,
    /// Position of the first `Queued` in this batch.
    pub(super) queued_at: Option<Position>,
    pub(super) deliveries: Vec<Touched>,
    pub(super) flags: u8,
    /// Where it stands as a whole from then on, where that changed; 0: its deliveries say.
    pub(super) whole: Option<u8>,
    pub(super) updated: Position,
}

impl<'a> Folded<'a> {
    pub(super) const fn new(number: u64) -> Self {
        Self { number, requested: None, queued_at: None, deliveries: Vec::new(), flags: 0, whole: None, updated: 0 }
    }

    /// Adds an event that [`matters`].
    pub(super) fn add(&mut self, event: &'a Recorded, fact: &E) {
        self.updated = event.position;
        match fact {
            E::Requested(_) => self.requested = Some(event),
            E::Queued(e) => {
                self.queued_at.get_or_insert(event.position);
                self.deliveries.push(Touched { number: e.delivery, channel: Some(e.channel), status: DeliveryStatus::Queued });
            }
            E::Seen(_) => self.flags |= SEEN,
            E::Read(_) => self.flags |= SEEN | READ,
            E::Archived(_) => self.flags |= ARCHIVED,
            whole if whole_after(whole).is_some() => self.whole = whole_after(whole),
            of_delivery => {
                if let (Some(number), Some(status)) = (of_delivery.delivery(), status_after(of_delivery)) {
                    self.touch(number, status);
                }
            }
        }
    }

    fn touch(&mut self, number: DeliveryNo, status: DeliveryStatus) {
        match self.deliveries.iter_mut().find(|delivery| delivery.number == number) {
            Some(delivery) => delivery.status = status,
            None => self.deliveries.push(Touched { number, channel: None, status }),
        }
    }
}

/// Whether the event changes a row of this read model.
pub(super) fn matters(fact: &Fact) -> Option<&E> {
    let Fact::Notification(fact) = fact else {
        return None;
    };
    let row = matches!(fact, E::Requested(_) | E::Queued(_) | E::Seen(_) | E::Read(_) | E::Archived(_));
    let row = row || whole_after(fact).is_some();
    (row || (fact.delivery().is_some() && status_after(fact).is_some())).then_some(fact)
}

/// Where an event leaves the notification as a whole, where it says that.
fn whole_after(fact: &E) -> Option<u8> {
    Some(match fact {
        E::Deferred(e) if e.rule == Rule::OverLimit => HELD,
        E::Deferred(_) => DEFERRED,
        E::Released(_) => 0,
        E::Digested(_) => DIGESTED,
        E::Cancelled(e) if e.delivery.is_none() => CANCELLED,
        E::Expired(e) if e.delivery.is_none() => EXPIRED,
        _ => return None,
    })
}

/// The state that an event leads to, where it changes the state that is shown.
const fn status_after(fact: &E) -> Option<DeliveryStatus> {
    Some(match fact {
        E::Queued(_) | E::Redriven(_) => DeliveryStatus::Queued,
        E::Held(_) | E::RetryScheduled(_) | E::Postponed(_) => DeliveryStatus::Waiting,
        E::Sent(_) => DeliveryStatus::Sent,
        E::Delivered(_) => DeliveryStatus::Delivered,
        E::Bounced(_) => DeliveryStatus::Bounced,
        E::Failed(_) => DeliveryStatus::Failed,
        E::Cancelled(_) => DeliveryStatus::Cancelled,
        E::Expired(_) => DeliveryStatus::Expired,
        E::Suppressed(_) => DeliveryStatus::Suppressed,
        E::DeadLettered(_) => DeliveryStatus::DeadLettered,
        E::Discarded(_) => DeliveryStatus::Discarded,
        // What these lead to follows in an event of its own.
        E::AttemptStarted(_) | E::AttemptFailed(_) | E::AttemptUnknown(_) | E::CancelRequested(_) => return None,
        E::Complained(_) | E::Opened(_) | E::Clicked(_) => return None,
        E::Requested(_) | E::Deduplicated(_) | E::Seen(_) | E::Read(_) | E::Archived(_) => {
            return None;
        }
        // Of the notification as a whole.
        E::Deferred(_) | E::Released(_) | E::Digested(_) | E::StepScheduled(_) | E::StepTaken(_) | E::StepSkipped(_) => return None,
    })
}
