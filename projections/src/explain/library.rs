//! The streams that the decisions of a notification name, read from the log.
//!
//! A stream is read once however many notifications name it. Personal parts stay sealed. What a
//! recipient was told lately is read from its end only, as deciding does.

use super::facts::told_lately;
use commands::accept::{category_stream, digest_stream, frequency_stream, recipient_stream, subscription_stream};
use commands::log::{LogError, LogReader, Position, Recorded, Sequence};
use domain::aggregate::Aggregate;
use domain::digest::DigestEvent;
use domain::frequency::{FrequencyEvent, MAX_EVENTS};
use domain::notification::{Notification, NotificationEvent, Suppressed};
use domain::recipient::RecipientEvent;
use domain::values::{CategoryKey, DigestId, FactVersions, NotificationId, Origin, RecipientId, Rule, ScheduleId};
use domain::{AggregateKind, Fact, StreamId};
use std::collections::HashMap;
use std::sync::Arc;

/// Places under a limit whose owner is looked up for a sender who asks; older ones count as others'.
const MOST_DATED: usize = 32;

/// See the module.
#[derive(Debug, Default)]
pub struct Library {
    streams: HashMap<StreamId, Kept>,
    all_senders: bool,
}

#[derive(Debug, Default)]
struct Kept {
    after: Sequence,
    events: Vec<Arc<Recorded>>,
}

/// A notification's own events, each with the envelope that it came in.
pub fn own_events(events: &[Arc<Recorded>]) -> impl Iterator<Item = (&Recorded, &NotificationEvent)> {
    events.iter().filter_map(|recorded| match &recorded.fact {
        Fact::Notification(event) => Some((recorded.as_ref(), event)),
        _ => None,
    })
}

pub(super) const fn notification_stream(id: NotificationId) -> StreamId {
    StreamId::new(AggregateKind::Notification, id.0)
}

pub(super) const fn schedule_stream(id: ScheduleId) -> StreamId {
    StreamId::new(AggregateKind::Schedule, id.0)
}

impl Library {
    /// Empty. Whether who asks may know of every sender's notifications; else they hear of no other's than
    /// of the sender's whose notification is explained.
    pub fn new(all_senders: bool) -> Self {
        Self { all_senders, ..Self::default() }
    }

    /// Reads what is needed to explain a notification of these events.
    pub async fn learn(&mut self, log: &dyn LogReader, events: &[Arc<Recorded>]) -> Result<(), LogError> {
        for (stream, after) in wanted(events) {
            self.read(log, stream, after).await?;
        }
        for other in self.summaries(events).into_iter().chain(self.duplicated(events)).chain(self.beside(events)) {
            self.read(log, notification_stream(other), 0).await?;
        }
        Ok(())
    }

    /// Reads what is to be said about a recipient, and of a category.
    pub async fn learn_recipient(&mut self, log: &dyn LogReader, recipient: RecipientId, category: Option<&CategoryKey>) -> Result<(), LogError> {
        self.read(log, recipient_stream(recipient), 0).await?;
        self.read(log, subscription_stream(recipient), 0).await?;
        if let Some(category) = category {
            self.read(log, category_stream(category), 0).await?;
        }
        Ok(())
    }

    async fn read(&mut self, log: &dyn LogReader, stream: StreamId, after: Sequence) -> Result<(), LogError> {
        if self.streams.get(&stream).is_none_or(|kept| kept.after > after) {
            let events = log.read_stream(stream, after, false).await?;
            self.streams.insert(stream, Kept { after, events });
        }
        Ok(())
    }

    /// Of these events, for tests.
    #[cfg(test)]
    pub(super) fn of(events: &[Arc<Recorded>]) -> Self {
        let mut library = Self::new(true);
        for event in events {
            library.streams.entry(event.stream).or_default().events.push(Arc::clone(event));
        }
        library
    }

    /// As a sender may read it, for tests.
    #[cfg(test)]
    pub(super) fn for_a_sender(self) -> Self {
        Self { all_senders: false, ..self }
    }

    /// All of a stream that was read.
    pub(super) fn all(&self, stream: StreamId) -> &[Arc<Recorded>] {
        self.streams.get(&stream).map_or(&[], |kept| kept.events.as_slice())
    }

    /// A stream as a decision saw it that had read it up to a sequence.
    pub(super) fn upto(&self, stream: StreamId, sequence: Sequence) -> &[Arc<Recorded>] {
        let all = self.all(stream);
        all.get(..all.partition_point(|event| event.sequence <= sequence)).unwrap_or_default()
    }

    /// A stream as it was at a position of the log.
    pub(super) fn before(&self, stream: StreamId, position: Position) -> &[Arc<Recorded>] {
        let all = self.all(stream);
        all.get(..all.partition_point(|event| event.position < position)).unwrap_or_default()
    }

    /// Whether a recipient is erased now.
    pub(super) fn is_erased(&self, recipient: RecipientId) -> bool {
        self.all(recipient_stream(recipient)).iter().any(|event| matches!(event.fact, Fact::Recipient(RecipientEvent::Erased(_))))
    }

    /// The summaries of the digests that collected it.
    fn summaries(&self, events: &[Arc<Recorded>]) -> Vec<NotificationId> {
        let collected = own_events(events).filter_map(|(_, event)| match event {
            NotificationEvent::Digested(digested) => Some((digested.digest, digested.window)),
            _ => None,
        });
        collected.filter_map(|(digest, window)| self.summary(digest, window)).collect()
    }

    /// Those that told the same before.
    fn duplicated(&self, events: &[Arc<Recorded>]) -> Vec<NotificationId> {
        let state = Notification::replay(own_events(events).map(|(_, event)| event));
        let stopped = own_events(events).filter_map(|(recorded, event)| match event {
            NotificationEvent::Suppressed(Suppressed { rule: Rule::DuplicateContent, facts, .. }) => Some((recorded.at, *facts)),
            _ => None,
        });
        let earlier = stopped.filter_map(|(at, facts)| {
            let frequency = self.upto(frequency_stream(state.recipient, state.sandbox), facts.frequency);
            let (_, told) = told_lately(frequency, self.upto(category_stream(&state.category), facts.category), &state.category, at)?;
            if let [one] = told.as_slice() { Some(one.notification) } else { None }
        });
        earlier.collect()
    }

    /// Where a sender asks: those whose places used a limit up, the newest of them, to see whose they are.
    fn beside(&self, events: &[Arc<Recorded>]) -> Vec<NotificationId> {
        if self.all_senders {
            return Vec::new();
        }
        let state = Notification::replay(own_events(events).map(|(_, event)| event));
        let limited = own_events(events).filter_map(|(_, event)| match event {
            NotificationEvent::Deferred(e) if e.rule == Rule::OverLimit => Some(e.facts.frequency),
            NotificationEvent::Suppressed(e) if e.rule == Rule::OverLimit => Some(e.facts.frequency),
            _ => None,
        });
        let Some(last) = limited.max() else { return Vec::new() };
        let counted = self.upto(frequency_stream(state.recipient, state.sandbox), last).iter().rev().filter_map(|event| match &event.fact {
            Fact::Frequency(FrequencyEvent::Counted(e)) if e.at.is_some() && e.category == state.category => Some(e.notification),
            _ => None,
        });
        counted.take(MOST_DATED).collect()
    }

    /// Whether who asks about a notification may hear of another.
    pub(super) fn may_name(&self, other: NotificationId, asked: &Notification) -> bool {
        let own = |event: &Arc<Recorded>| match &event.fact {
            Fact::Notification(NotificationEvent::Requested(e)) => e.sender == asked.sender && e.sandbox == asked.sandbox,
            _ => false,
        };
        self.all_senders || self.all(notification_stream(other)).first().is_some_and(own)
    }

    fn summary(&self, digest: DigestId, window: u32) -> Option<NotificationId> {
        self.all(digest_stream(digest)).iter().find_map(|event| match &event.fact {
            Fact::Digest(DigestEvent::DigestClosed(closed)) if closed.window == window => closed.summary,
            _ => None,
        })
    }
}

/// The streams to read, each after a sequence.
fn wanted(events: &[Arc<Recorded>]) -> Vec<(StreamId, Sequence)> {
    let mut wanted = Vec::new();
    let (mut recipient, mut sandbox) = (None, false);
    for (_, event) in own_events(events) {
        match event {
            NotificationEvent::Requested(requested) => {
                sandbox = requested.sandbox;
                recipient = Some(requested.recipient);
                wanted.push((recipient_stream(requested.recipient), 0));
                wanted.push((subscription_stream(requested.recipient), 0));
                wanted.push((category_stream(&requested.category), 0));
                match requested.origin {
                    Some(Origin::Schedule { schedule, .. }) => wanted.push((schedule_stream(schedule), 0)),
                    Some(Origin::Digest { digest, .. }) => wanted.push((digest_stream(digest), 0)),
                    None => {}
                }
            }
            NotificationEvent::Digested(digested) => wanted.push((digest_stream(digested.digest), 0)),
            NotificationEvent::Suppressed(Suppressed { rule: Rule::AddressSuppressed, address: Some(address), .. }) => {
                wanted.push((StreamId::new(AggregateKind::Address, address.0), 0));
            }
            _ => {}
        }
    }
    // Of a delivery that was queued before, only the delivery says which address it is.
    let stopped = own_events(events).filter_map(|(_, event)| match event {
        NotificationEvent::Suppressed(Suppressed { rule: Rule::AddressSuppressed, delivery: Some(number), .. }) => Some(*number),
        _ => None,
    });
    for number in stopped {
        wanted.extend(own_events(events).filter_map(|(_, event)| match event {
            NotificationEvent::Queued(queued) if queued.delivery == number => Some((StreamId::new(AggregateKind::Address, queued.address?.0), 0)),
            _ => None,
        }));
    }
    let counted = own_events(events).filter_map(|(_, event)| versions(event)).map(|facts| facts.frequency).filter(|sequence| *sequence > 0).min();
    if let (Some(recipient), Some(first)) = (recipient, counted) {
        wanted.push((frequency_stream(recipient, sandbox), first.saturating_sub(MAX_EVENTS as u64)));
    }
    wanted
}

/// The facts that an event of a notification rests on.
pub(super) const fn versions(event: &NotificationEvent) -> Option<FactVersions> {
    Some(match event {
        NotificationEvent::Queued(e) => e.facts,
        NotificationEvent::Suppressed(e) => e.facts,
        NotificationEvent::Deferred(e) => e.facts,
        NotificationEvent::Digested(e) => e.facts,
        NotificationEvent::StepTaken(e) => e.facts,
        NotificationEvent::Postponed(e) => e.facts,
        _ => return None,
    })
}
