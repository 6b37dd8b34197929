//! Attempts that have no outcome yet, as the log tells it: pure, and the same for every store.

use super::recorded::{Bare, Position};
use domain::Fact;
use domain::StreamId;
use domain::notification::NotificationEvent;
use domain::values::{DeliveryNo, RecipientId};
use std::collections::HashMap;

/// Whether it begins an attempt.
pub(super) const fn begins(fact: &Fact) -> bool {
    matches!(fact, Fact::Notification(NotificationEvent::AttemptStarted(_)))
}

/// Positions of attempts of whole streams (those of one in order) that are for one of these recipients,
/// lie after one position and up to another, and have no outcome. Whatever else happened to a delivery after
/// its attempt is one, but for its provider's reports.
pub(super) fn open(events: &[Bare], recipients: &[RecipientId], after: Position, upto: Position) -> Vec<Position> {
    let mut theirs: HashMap<StreamId, bool> = HashMap::new();
    let mut open: HashMap<(StreamId, DeliveryNo), Position> = HashMap::new();
    for event in events {
        let Fact::Notification(fact) = &event.fact else { continue };
        if let NotificationEvent::Requested(requested) = fact {
            theirs.insert(event.stream, recipients.contains(&requested.recipient));
        }
        let Some(delivery) = fact.delivery() else { continue };
        let key = (event.stream, delivery);
        if begins(&event.fact) {
            open.insert(key, event.position);
        } else if !fact.is_report() {
            // A report may be about the attempt before.
            open.remove(&key);
        }
    }
    let within = |position: &Position| *position > after && *position <= upto;
    // One of whom it is not known for whom it is may be for anybody.
    open.into_iter().filter(|((stream, _), position)| within(position) && *theirs.get(stream).unwrap_or(&true)).map(|(_, position)| position).collect()
}
