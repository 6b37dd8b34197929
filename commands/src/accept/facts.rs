//! The facts that a decision needs, from caches that the committer keeps up to date.

use crate::bus::{Bus, Cached, FactOf, Refused, StateCache};
use crate::log::{AfterCommit, Bare, LogError, Recorded, Sequence};
use domain::category::Category;
use domain::recipient::Recipient;
use domain::subscription::Subscription;
use domain::values::{CategoryKey, FactVersions, RecipientId};
use domain::{AggregateKind, StreamId};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub struct FactsSettings {
    /// Recipients, and as many subscriptions.
    pub recipients: usize,
    /// Categories.
    pub categories: usize,
}

impl Default for FactsSettings {
    fn default() -> Self {
        Self { recipients: 50_000, categories: 10_000 }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Facts {
    recipients: StateCache<Recipient>,
    subscriptions: StateCache<Subscription>,
    categories: StateCache<Category>,
}

/// Facts about one recipient and one category, each with its sequence.
#[derive(Debug, Clone)]
pub struct Gathered {
    recipient_stream: StreamId,
    category_stream: StreamId,
    /// The recipient.
    pub recipient: Cached<Recipient>,
    /// Its subscription.
    pub subscription: Cached<Subscription>,
    /// The category.
    pub category: Cached<Category>,
}

impl Default for Gathered {
    fn default() -> Self {
        let recipient = RecipientId::default();
        Self {
            recipient_stream: recipient_stream(recipient),
            category_stream: category_stream(&CategoryKey::default()),
            recipient: Cached { state: Arc::default(), sequence: 0 },
            subscription: Cached { state: Arc::default(), sequence: 0 },
            category: Cached { state: Arc::default(), sequence: 0 },
        }
    }
}

/// A recipient's stream.
pub const fn recipient_stream(recipient: RecipientId) -> StreamId {
    StreamId::new(AggregateKind::Recipient, recipient.0)
}

/// A recipient's subscription's stream.
pub const fn subscription_stream(recipient: RecipientId) -> StreamId {
    StreamId::new(AggregateKind::Subscription, recipient.0)
}

/// A category's stream.
pub fn category_stream(key: &CategoryKey) -> StreamId {
    StreamId::of_key(AggregateKind::Category, key.as_str())
}

impl Gathered {
    /// The sequences that the decision was made on, for its event.
    pub fn versions(&self) -> FactVersions {
        FactVersions { recipient: self.recipient.sequence, subscription: self.subscription.sequence, category: self.category.sequence, frequency: 0 }
    }

    /// The same as expectations of the append.
    pub fn expectations(&self) -> Vec<(StreamId, Sequence)> {
        vec![
            (self.recipient_stream, self.recipient.sequence),
            (StreamId::new(AggregateKind::Subscription, self.recipient_stream.id), self.subscription.sequence),
            (self.category_stream, self.category.sequence),
        ]
    }
}

impl Facts {
    /// Empty.
    pub fn new(settings: FactsSettings) -> Self {
        Self {
            recipients: StateCache::new(settings.recipients),
            subscriptions: StateCache::new(settings.recipients),
            categories: StateCache::new(settings.categories),
        }
    }

    /// Facts about a recipient and a category.
    pub async fn gather<R>(&self, bus: &Bus, recipient: RecipientId, category: &CategoryKey) -> Result<Gathered, Refused<R>> {
        let recipient_stream = recipient_stream(recipient);
        let category_stream = category_stream(category);
        Ok(Gathered {
            recipient_stream,
            category_stream,
            recipient: cached(&self.recipients, bus, recipient_stream).await?,
            subscription: cached(&self.subscriptions, bus, subscription_stream(recipient)).await?,
            category: cached(&self.categories, bus, category_stream).await?,
        })
    }

    /// Loads in one read what is not known yet of many recipients; afterwards [`gather`](Self::gather) finds it.
    pub async fn prefetch(&self, bus: &Bus, recipients: impl Iterator<Item = RecipientId>) -> Result<(), LogError> {
        let mut missing = HashSet::new();
        for recipient in recipients {
            if self.recipients.get(recipient.0).is_none() {
                missing.insert(recipient_stream(recipient));
            }
            if self.subscriptions.get(recipient.0).is_none() {
                missing.insert(subscription_stream(recipient));
            }
        }
        // A single one comes as it always does.
        if missing.len() < 2 {
            return Ok(());
        }
        let mut found: HashMap<StreamId, Vec<Bare>> = missing.iter().map(|stream| (*stream, Vec::new())).collect();
        for event in bus.log().bare_streams(missing.into_iter().collect(), true).await? {
            found.entry(event.stream).or_default().push(event);
        }
        for (stream, events) in found {
            match stream.kind {
                AggregateKind::Recipient => fill(&self.recipients, stream, &events),
                AggregateKind::Subscription => fill(&self.subscriptions, stream, &events),
                _ => {}
            }
        }
        Ok(())
    }

    /// Forgets what turned out stale.
    pub fn forget(&self, stream: StreamId) {
        match stream.kind {
            AggregateKind::Recipient => self.recipients.forget(stream.id),
            AggregateKind::Subscription => self.subscriptions.forget(stream.id),
            AggregateKind::Category => self.categories.forget(stream.id),
            AggregateKind::Notification
            | AggregateKind::Sender
            | AggregateKind::ApiKey
            | AggregateKind::Address
            | AggregateKind::Frequency
            | AggregateKind::Digest
            | AggregateKind::Schedule => {}
        }
    }
}

fn fill<A>(cache: &StateCache<A>, stream: StreamId, events: &[Bare])
where
    A: domain::aggregate::Aggregate,
    A::Event: FactOf,
{
    let state = A::replay(events.iter().filter_map(|event| A::Event::of(&event.fact)));
    cache.fill(stream.id, Cached { state: Arc::new(state), sequence: events.last().map_or(0, |event| event.sequence) });
}

async fn cached<A, R>(cache: &StateCache<A>, bus: &Bus, stream: StreamId) -> Result<Cached<A>, Refused<R>>
where
    A: domain::aggregate::Aggregate,
    A::Event: FactOf,
{
    if let Some(known) = cache.get(stream.id) {
        return Ok(known);
    }
    let loaded = match bus.load::<A>(stream).await {
        Ok(loaded) => loaded,
        Err(Refused::Log(error)) => return Err(Refused::Log(error)),
        Err(Refused::Refusal(_) | Refused::Contended) => return Err(Refused::Contended),
    };
    cache.fill(stream.id, loaded.clone());
    Ok(loaded)
}

impl AfterCommit for Facts {
    fn committed(&self, events: &[Arc<Recorded>]) {
        // Notifications' events are the bulk; a glance tells whether there is anything else.
        if events.iter().all(|event| event.stream.kind == AggregateKind::Notification) {
            return;
        }
        self.recipients.committed(events);
        self.subscriptions.committed(events);
        self.categories.committed(events);
    }
}
