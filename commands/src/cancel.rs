//! Taking a notification back, as far as no provider was called for it yet. A call under way cannot be undone; it is
//! said which are, and nothing is tried again after them.
//!
//! Who waited for a place under a limit gives it back in the same commit.
//!
//! What a digest collected is taken out of its window in the same commit: there is no moment at which a
//! summary tells of something that was taken back, or forgets what was not.

use crate::accept::{Facts, digest_stream, frequency_stream, stream_of};
use crate::bus::{Bus, Refused};
use crate::log::{CommitOutcome, Metadata, Position, StreamAppend};
use domain::Fact;
use domain::aggregate::Aggregate;
use domain::digest::DigestCommand;
use domain::notification::{Cancelled, DeliveryState, Notification, NotificationCommand, NotificationEvent, NotificationRefusal};
use domain::values::{DeliveryNo, NotificationId};
use std::sync::Arc;

/// Times that it is tried against others' changes of the same streams.
const ATTEMPTS: usize = 16;

/// What was still stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stopped {
    /// From here on queries show it.
    pub position: Position,
    /// It waited as a whole, or lay in a digest, and has no delivery.
    pub whole: bool,
    /// The later step of its plan that will not be taken.
    pub step: Option<u8>,
    /// Deliveries for which nobody was called, or whose calls came to nothing.
    pub deliveries: Vec<DeliveryNo>,
    /// Deliveries whose call was under way: it may arrive, and is the last.
    pub under_way: Vec<DeliveryNo>,
    /// Deliveries that their provider had taken.
    pub sent: Vec<DeliveryNo>,
}

impl Stopped {
    /// Whether it came too late for everything.
    pub const fn is_nothing(&self) -> bool {
        !self.whole && self.step.is_none() && self.deliveries.is_empty()
    }

    fn of(before: &Notification, events: &[NotificationEvent], position: Position) -> Self {
        let numbers = |is: fn(DeliveryState) -> bool| before.deliveries.iter().filter(|one| is(one.state)).map(|one| one.number).collect();
        let under_way = numbers(|state| state == DeliveryState::InFlight);
        let mut stopped = Self { position, under_way, sent: numbers(DeliveryState::is_taken), ..Self::default() };
        for event in events {
            match event {
                NotificationEvent::Cancelled(Cancelled { delivery: None }) => stopped.whole = true,
                NotificationEvent::Cancelled(Cancelled { delivery: Some(delivery) }) => stopped.deliveries.push(*delivery),
                NotificationEvent::StepSkipped(skipped) => stopped.step = Some(skipped.step),
                _ => {}
            }
        }
        stopped
    }
}

/// Takes a notification back. Whoever asks twice is told the second time that nothing was stopped.
pub async fn cancel(bus: &Bus, facts: &Facts, metadata: &Arc<Metadata>, id: NotificationId) -> Result<Stopped, Refused<NotificationRefusal>> {
    let stream = stream_of(id);
    for _ in 0..ATTEMPTS {
        let loaded = bus.load::<Notification>(stream).await?;
        let lies_in = loaded.state.digested.map(|(digest, window)| (digest_stream(digest), window));
        let holds = loaded.state.holds_place().then(|| frequency_stream(loaded.state.recipient, loaded.state.sandbox));
        // A digest that collects much is appended to all the time, and so are places that many wait for.
        let _turn = facts.turns().take(lies_in.iter().map(|(stream, _)| *stream).chain(holds).collect()).await;
        let mut appends = Vec::with_capacity(3);
        if let Some((digest, window)) = lies_in {
            let remove = || DigestCommand::Remove { window, notification: id };
            let mut known = facts.digest(bus, digest).await?;
            let mut removed = known.state.decide(remove()).unwrap_or_default();
            if removed.is_empty() {
                // No append will tell that this was stale, as after another replica had collected it.
                facts.forget(digest);
                known = facts.digest(bus, digest).await?;
                removed = known.state.decide(remove()).unwrap_or_default();
            }
            if !removed.is_empty() {
                appends.push(StreamAppend { stream: digest, number: None, expected: known.sequence, events: removed.into_iter().map(Fact::from).collect() });
            }
        }
        let collected = !appends.is_empty();
        let events = loaded.state.decide(NotificationCommand::Cancel { collected }).map_err(Refused::Refusal)?;
        if events.is_empty() {
            return Ok(Stopped::of(&loaded.state, &[], bus.log().head().await?));
        }
        if let Some(stream) = holds {
            let mut known = facts.frequency(bus, stream).await?;
            if known.state.free(id).is_none() {
                // As above.
                facts.forget(stream);
                known = facts.frequency(bus, stream).await?;
            }
            let freed = known.state.free(id).map(Fact::from);
            appends.extend(freed.map(|freed| StreamAppend { stream, number: None, expected: known.sequence, events: vec![freed] }));
        }
        let own = events.iter().cloned().map(Fact::from).collect();
        appends.push(StreamAppend { stream, number: None, expected: loaded.sequence, events: own });
        match bus.commit_one(metadata, appends, Vec::new()).await? {
            CommitOutcome::Committed { position, .. } => return Ok(Stopped::of(&loaded.state, &events, position)),
            CommitOutcome::Conflict { stream } => facts.forget(stream),
        }
    }
    Err(Refused::Contended)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::{Stopped, cancel};
    use crate::accept::digest_stream;
    use crate::accept::tests::{fixture, meta, request};
    use crate::bus::Refused;
    use domain::digest::Digest;
    use domain::notification::{NotificationEvent, NotificationRefusal};
    use domain::values::{DigestSettings, DigestWindow, NotificationId};
    use std::sync::atomic::Ordering;

    #[tokio::test]
    async fn what_a_digest_collected_leaves_it_in_the_same_commit() {
        let fixture = fixture().await;
        fixture
            .category(|category| category.digest = Some(DigestSettings { window: DigestWindow::Fixed { millis: 60_000 }, max_items: 1, template: None }))
            .await;
        let (listed, counted) = (fixture.send(request(Some("a"), "x")).await.unwrap(), fixture.send(request(Some("b"), "y")).await.unwrap());
        let NotificationEvent::Digested(digested) = fixture.events(listed.id.0).await.pop().unwrap() else { panic!("not digested") };
        let stream = digest_stream(digested.digest);
        let take_back = |id| {
            let (bus, facts) = (fixture.bus.clone(), fixture.facts.clone());
            async move { cancel(&bus, &facts, &meta(), id).await.unwrap() }
        };
        let before = fixture.bus.log().head().await.unwrap();
        fixture.fails.store(true, Ordering::Release);
        assert!(cancel(&fixture.bus, &fixture.facts, &meta(), listed.id).await.is_err());
        fixture.fails.store(false, Ordering::Release);
        assert_eq!(fixture.bus.log().head().await.unwrap(), before, "a failure leaves nothing");
        for (id, left) in [(counted.id, (1, 0)), (listed.id, (0, 0))] {
            // From the log, and once more from the cache.
            fixture.facts.forget(stream);
            let stopped = take_back(id).await;
            assert!(stopped.whole && stopped.deliveries.is_empty(), "{stopped:?}");
            let digest = fixture.bus.load::<Digest>(stream).await.unwrap();
            assert_eq!(digest.state.open.as_ref().map(|open| (open.items.len(), open.more)), Some(left));
            assert!(take_back(id).await.is_nothing(), "once");
            assert_eq!(fixture.bus.load::<Digest>(stream).await.unwrap().sequence, digest.sequence);
        }
    }

    #[tokio::test]
    async fn deliveries_are_stopped_one_by_one() {
        let fixture = fixture().await;
        let accepted = fixture.send(request(Some("a"), "x")).await.unwrap();
        let stopped = cancel(&fixture.bus, &fixture.facts, &meta(), accepted.id).await.unwrap();
        assert_eq!(
            stopped,
            Stopped { position: stopped.position, deliveries: vec![1], sent: vec![0], ..Stopped::default() },
            "the one in the app was there at once"
        );
        let nobody = cancel(&fixture.bus, &fixture.facts, &meta(), NotificationId::default()).await;
        assert!(matches!(nobody, Err(Refused::Refusal(NotificationRefusal::NotFound))));
    }
}
