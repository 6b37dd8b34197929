//! Attempts of which the log did not say whether it recorded them.
//!
//! A store that does not answer in time may have committed all the same. No call was made for such an
//! attempt; left alone it would be under way for ever, since its replica lives and nobody else may end it. So
//! what was asked for is kept until the log answers, and what turns out to be recorded is concluded as not
//! made. Giving it back at once was rejected: whoever takes it then finds an attempt under way, and leaves it.

use super::attempts::stream_of;
use super::concluding::Concluded;
use super::worker::Shared;
use crate::pending::Item;
use commands::log::{Lane, LogError, Recorded};
use commands::replicas::ReplicaNo;
use domain::Fact;
use domain::notification::NotificationEvent;
use domain::values::Outcome;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Pause before the log is asked again.
const AGAIN: Duration = Duration::from_millis(200);

/// Finds out, and gives back what was not recorded. `replica` is whom the attempts were recorded by.
pub(super) async fn resolve(shared: &Shared, items: Vec<Item>, replica: Option<ReplicaNo>, outcomes: &mpsc::Sender<Concluded>) {
    let mut pause = AGAIN;
    loop {
        match look(shared, &items, replica).await {
            Ok((recorded, not)) => {
                shared.give_back(not).await;
                for item in recorded {
                    let outcome = Outcome::NotMade { code: "its record was not answered".to_owned() };
                    if outcomes.send(Concluded { item, outcome }).await.is_err() {
                        tracing::error!("an outcome could not be handed over; the attempt is recovered at the next start");
                    }
                }
                return;
            }
            // It is recovered at the next start.
            Err(LogError::Closed) => return,
            Err(error) => tracing::debug!(%error, "it is not known whether attempts were recorded; the log is asked again"),
        }
        shared.clock.sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// Those that were recorded, as they are then, and those that were not.
async fn look(shared: &Shared, items: &[Item], replica: Option<ReplicaNo>) -> Result<(Vec<Item>, Vec<Item>), LogError> {
    // Takes a turn at the head: whatever was still being committed is there now, or never will be.
    shared.bus.committer().commit(Lane::Internal, Vec::new()).await?;
    let (mut recorded, mut not) = (Vec::new(), Vec::new());
    for item in items {
        let after = shared.bus.log().read_stream(stream_of(item), item.sequence, false).await?;
        match attempted(item, &after, replica) {
            Some(item) => recorded.push(item),
            None => not.push(item.clone()),
        }
    }
    Ok((recorded, not))
}

/// The item with the attempt that this replica recorded for it, from what came after it in its stream: it was
/// to be the next.
fn attempted(item: &Item, after: &[Arc<Recorded>], replica: Option<ReplicaNo>) -> Option<Item> {
    let next = after.first().filter(|next| next.sequence == item.sequence + 1 && next.metadata.replica == replica)?;
    let Fact::Notification(fact @ NotificationEvent::AttemptStarted(started)) = &next.fact else { return None };
    (started.delivery == item.delivery.number).then(|| {
        let mut item = item.clone();
        item.evolve(fact);
        item.sequence = next.sequence;
        item
    })
}

#[cfg(test)]
mod tests {
    use super::attempted;
    use crate::pending::Item;
    use commands::log::{Metadata, Recorded};
    use domain::notification::{AttemptStarted, Delivery, DeliveryState, NotificationEvent, Seen};
    use domain::values::{CategoryKey, Channel, NotificationId, Priority, RecipientId, SenderKey};
    use domain::{AggregateKind, Fact, StreamId};
    use std::sync::Arc;
    use uuid::Uuid;

    fn item() -> Option<Item> {
        Some(Item {
            notification: NotificationId(Uuid::from_u128(1)),
            stream: 1,
            sequence: 2,
            delivery: Delivery::queued(0, Channel::Webhook, None),
            recipient: RecipientId::default(),
            sender: SenderKey::new("shop").ok()?,
            category: CategoryKey::new("orders").ok()?,
            topic: None,
            priority: Priority::Normal,
            sandbox: false,
            requested_position: 1,
            requested_at: 0,
            expires_at: None,
            requested: None,
        })
    }

    fn next(sequence: u64, by: u64, fact: NotificationEvent) -> Vec<Arc<Recorded>> {
        let stream = StreamId::new(AggregateKind::Notification, Uuid::from_u128(1));
        let metadata = Arc::new(Metadata { replica: Some(by), ..Metadata::of("delivery") });
        vec![Arc::new(Recorded { position: 9, stream, number: 1, sequence, at: 0, fact: Fact::Notification(fact), metadata })]
    }

    fn started(delivery: u8) -> NotificationEvent {
        NotificationEvent::AttemptStarted(AttemptStarted { delivery: delivery.into(), attempt: 1, provider: "webhook".to_owned(), after_unknown: false })
    }

    #[test]
    fn only_the_very_attempt_that_was_asked_for_is_taken_for_ones_own() {
        let Some(item) = item() else { return };
        let own = attempted(&item, &next(3, 7, started(0)), Some(7));
        assert_eq!(own.map(|item| (item.sequence, item.delivery.attempt, item.delivery.state)), Some((3, 1, DeliveryState::InFlight)));
        for (case, after) in [
            ("nothing came", Vec::new()),
            ("another replica's", next(3, 8, started(0))),
            ("another delivery's", next(3, 7, started(1))),
            ("a later one", next(4, 7, started(0))),
            ("no attempt", next(3, 7, NotificationEvent::Seen(Seen {}))),
        ] {
            assert!(attempted(&item, &after, Some(7)).is_none(), "{case}");
        }
    }
}
