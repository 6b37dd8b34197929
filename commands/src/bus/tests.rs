#![allow(clippy::unwrap_used, missing_docs)]

use super::{Bus, Refused};
use crate::accept::tests::{fixture, meta};
use crate::accept::{recipient_stream, subscription_stream};
use crate::log::{LogReader, Position, Reading, Recorded, Sequence, StreamNo};
use domain::recipient::{Recipient, RecipientCommand};
use domain::subscription::{ChangedBy, Evidence, Scope, SetSubscription, Source, Subscription, SubscriptionCommand};
use domain::values::{Channel, RecipientId};
use domain::{AggregateKind, StreamId};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Somebody erases the person while their subscription is read for a change.
struct ErasedMeanwhile {
    bus: Bus,
    recipient: RecipientId,
    done: AtomicBool,
}

impl LogReader for ErasedMeanwhile {
    fn read_after(&self, after: Position, limit: usize, open: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        self.bus.log().read_after(after, limit, open)
    }

    fn read_stream(&self, stream: StreamId, after: Sequence, open: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        Box::pin(async move {
            let events = self.bus.log().read_stream(stream, after, open).await;
            if stream.kind == AggregateKind::Subscription && !self.done.swap(true, Ordering::AcqRel) {
                erase(&self.bus, self.recipient).await;
            }
            events
        })
    }

    fn read_at(&self, positions: Vec<Position>, open: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        self.bus.log().read_at(positions, open)
    }

    fn stream_number(&self, stream: StreamId) -> Reading<'_, Option<StreamNo>> {
        self.bus.log().stream_number(stream)
    }

    fn head(&self) -> Reading<'_, Position> {
        self.bus.log().head()
    }
}

async fn erase(bus: &Bus, id: RecipientId) {
    bus.execute::<Recipient>(recipient_stream(id), &meta(), RecipientCommand::Erase { id }).await.unwrap();
}

fn switch(recipient: RecipientId, scope: Scope) -> Vec<SubscriptionCommand> {
    let (by, source) = (ChangedBy::Recipient, Source::Api);
    vec![SetSubscription { recipient, scope, subscribed: false, by, source, evidence: Evidence::default(), required: false }.into()]
}

#[tokio::test]
async fn nothing_is_sealed_for_who_is_erased_before_or_meanwhile() {
    let fixture = fixture().await;
    let recipient = fixture.hashing.recipient("alice");
    let stream = subscription_stream(recipient);
    let own = fixture.bus.clone();
    own.execute_for::<Subscription>(recipient, stream, &meta(), switch(recipient, Scope::Channel(Channel::Email))).await.unwrap();

    let reader = Arc::new(ErasedMeanwhile { bus: own.clone(), recipient, done: AtomicBool::new(false) });
    let raced = Bus::new(own.committer().clone(), reader);
    for bus in [&raced, &own] {
        let answer = bus.execute_for::<Subscription>(recipient, stream, &meta(), switch(recipient, Scope::All)).await;
        assert!(matches!(answer, Err(Refused::Erased)), "{answer:?}");
    }
    let kept = own.load::<Subscription>(stream).await.unwrap();
    assert_eq!((kept.sequence, kept.state.switches.get(&Scope::All)), (1, None));
}
