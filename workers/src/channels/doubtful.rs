//! Attempts of which the log did not say whether it recorded them.
//!
//! A COMMIT may lose its answer, and so may the question whether it took place. The calls are not made then. But
//! the attempts may stand in the log, and while this process lives nobody else takes them for lost: they would
//! be owed for ever. So their deliveries stay in hand until the log answers again, and those recorded after all
//! are concluded as calls that were not made. Rejected: leaving it to whoever finds the attempt in flight, who
//! cannot tell it from one whose call is under way.

use super::attempts::{Doubtful, stream_of};
use super::concluding::{Concluded, Concluder};
use super::worker::{Left, Shared};
use crate::pending::Item;
use commands::bus::FactOf;
use commands::failpoint;
use commands::log::{Lane, LogError, Recorded};
use commands::replicas::ReplicaNo;
use domain::notification::NotificationEvent;
use domain::values::Outcome;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Holds on to what is doubtful until it is known, or until told to stop: then whoever goes on after this process
/// finds it.
pub(super) async fn settle(shared: &Arc<Shared>, doubtful: Vec<Doubtful>, stop: &CancellationToken) {
    if failpoint::planted("doubtful-forgotten") {
        return shared.give_back(doubtful.into_iter().map(|prepared| prepared.item).collect()).await;
    }
    let mut pause = FIRST_PAUSE;
    while let Err(error) = try_to_settle(shared, &doubtful).await {
        if matches!(error, LogError::Closed) {
            return;
        }
        tracing::debug!(%error, attempts = doubtful.len(), "whether attempts were recorded is not known yet");
        tokio::select! {
            () = shared.clock.sleep(pause) => {}
            () = stop.cancelled() => return,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn try_to_settle(shared: &Arc<Shared>, doubtful: &[Doubtful]) -> Result<(), LogError> {
    // To append nothing takes a turn at the head of the log: a transaction that was not answered has ended then.
    shared.bus.committer().commit(Lane::Internal, Vec::new()).await?;
    let mut left = Left::default();
    let mut recorded = Vec::new();
    for prepared in doubtful {
        match as_recorded(shared, prepared).await? {
            Some(concluded) => recorded.push(concluded),
            None => left.back.push(prepared.item.clone()),
        }
    }
    if !recorded.is_empty() {
        tracing::info!(attempts = recorded.len(), "attempts were recorded without an answer; their calls were not made");
        left.over.extend(recorded.iter().map(|concluded| concluded.item.clone()));
        Concluder::new(Arc::clone(shared)).conclude(recorded).await?;
    }
    left.let_go(shared).await;
    Ok(())
}

/// The attempt as it stands in the log, if it does, and what became of it.
async fn as_recorded(shared: &Shared, prepared: &Doubtful) -> Result<Option<Concluded>, LogError> {
    if !prepared.attempted {
        return Ok(None);
    }
    let mut item = prepared.item.clone();
    let after = shared.bus.log().read_stream(stream_of(&item), item.sequence, false).await?;
    let Some(next) = attempted(&item, &after, shared.metadata().replica) else { return Ok(None) };
    if let Some(fact) = NotificationEvent::of(&next.fact) {
        item.evolve(fact);
    }
    item.sequence = next.sequence;
    Ok(Some(Concluded {
        item,
        outcome: Outcome::NotMade { code: "its record was not answered".to_owned() },
        trial: false,
        cost: None,
        entered: prepared.entered.clone(),
    }))
}

/// The attempt that this replica asked to record, if it came next in the stream: the very one, since it
/// expected to.
fn attempted<'a>(item: &Item, after: &'a [Arc<Recorded>], me: Option<ReplicaNo>) -> Option<&'a Recorded> {
    let next = after.first().filter(|next| next.sequence == item.sequence + 1 && next.metadata.replica == me)?;
    let Some(NotificationEvent::AttemptStarted(started)) = NotificationEvent::of(&next.fact) else { return None };
    (started.delivery == item.delivery.number).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::attempted;
    use crate::pending::Item;
    use commands::log::{Metadata, Recorded};
    use domain::notification::{AttemptStarted, Delivery, NotificationEvent, Seen};
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
        NotificationEvent::AttemptStarted(AttemptStarted {
            delivery: delivery.into(),
            attempt: 1,
            provider: "webhook".to_owned(),
            after_unknown: false,
            from: None,
        })
    }

    #[test]
    fn only_the_very_attempt_that_was_asked_for_is_taken_for_ones_own() {
        let Some(item) = item() else { return };
        let after = next(3, 7, started(0));
        let own = attempted(&item, &after, Some(7));
        assert_eq!(own.map(|next| next.sequence), Some(3));
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
