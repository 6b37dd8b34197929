//! What is owed to whom: the durable table of pending deliveries, kept by a consumer.
//!
//! The consumer folds a batch before it writes: a delivery that begins and ends within one batch
//! never becomes a row, so at full speed most of them cost nothing here. Of a notification that waits,
//! or whose plan goes on, it keeps what the request said, since its deliveries begin later. Having the
//! handler read the log for that was rejected: it depends on nothing but its events and rows.

mod fold;
mod project;
mod rows;
#[cfg(test)]
mod tests;

pub(crate) use fold::begin;
pub use project::PendingDeliveries;
pub use rows::{Lane, PendingRows, Route};

use commands::log::{Position, Recorded, Sequence, StreamNo};
use domain::notification::{Delivery, NotificationEvent};
use domain::values::{CategoryKey, Millis, NotificationId, Priority, RecipientId, SenderKey, TopicKey};
use std::sync::Arc;

/// Name of the consumer, and of the actor of the delivery's own commits.
pub const DELIVERY: &str = "delivery";

/// A delivery with all that a worker must know to attempt it.
#[derive(Debug, Clone)]
pub struct Item {
    /// The notification.
    pub notification: NotificationId,
    /// Its stream's number.
    pub stream: StreamNo,
    /// Its stream's sequence, as far as is known.
    pub sequence: Sequence,
    /// The delivery.
    pub delivery: Delivery,
    /// For whom.
    pub recipient: RecipientId,
    /// From whom.
    pub sender: SenderKey,
    /// Which kind.
    pub category: CategoryKey,
    /// Which topic within the category.
    pub topic: Option<TopicKey>,
    /// How urgent.
    pub priority: Priority,
    /// Everything but the provider call.
    pub sandbox: bool,
    /// Of its `Requested`, which holds the content.
    pub requested_position: Position,
    /// Since when the delivery is owed: the request, or for what waited first or was put off, when it came
    /// due. Retries are bounded from there.
    pub requested_at: Millis,
    /// Worth nothing after this.
    pub expires_at: Option<Millis>,
    /// Its `Requested`, where it is still at hand and small.
    pub requested: Option<Arc<Recorded>>,
}

impl Item {
    /// Takes in an event of its delivery.
    pub fn evolve(&mut self, event: &NotificationEvent) {
        self.delivery.evolve(event);
        self.requested_at = owed_since(event).unwrap_or(self.requested_at);
    }

    /// Which worker serves it.
    pub const fn route(&self) -> Route {
        Route { channel: self.delivery.channel, sandbox: self.sandbox }
    }
}

/// Since when a delivery is owed, after an event that changes it: the hours for which somebody was not to
/// be disturbed use up nothing of the time for which it is retried.
pub(crate) const fn owed_since(event: &NotificationEvent) -> Option<Millis> {
    if let NotificationEvent::Postponed(postponed) = event { Some(postponed.until) } else { None }
}
