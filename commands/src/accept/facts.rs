//! The facts that a decision needs, from caches that the committer keeps up to date.
//!
//! What a commit expects may be stale in a cache: the append tells. Suppressed addresses are not
//! expected, since a bounce may cross a call that is under way in any case; so that cache keeps
//! nothing that was loaded while any address changed.

use super::gathered::{Gathered, address_stream, category_stream, recipient_stream, subscription_stream, template_stream};
use super::turns::Turns;
use crate::bus::{Bus, Cached, FactOf, Refused, StateCache};
use crate::log::{AfterCommit, Bare, LogError, Recorded};
use crate::recent::Recent;
use domain::address::AddressOwnership;
use domain::aggregate::Aggregate;
use domain::category::{Category, CategoryEvent};
use domain::digest::{Digest, DigestEvent};
use domain::frequency::{Frequency, MAX_EVENTS};
use domain::recipient::Recipient;
use domain::sender::Sender;
use domain::subscription::Subscription;
use domain::template::Template;
use domain::values::{AddressId, CategoryKey, RecipientId, SenderKey, TemplateKey};
use domain::{AggregateKind, Fact, StreamId};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Events of a digest's end that are read for its last window; more and more, until it is found.
const ENDS: [usize; 3] = [256, 8_192, usize::MAX];

/// Older versions of categories that are kept.
const OLD_VERSIONS: usize = 1_000;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub struct FactsSettings {
    /// Recipients, and as many subscriptions.
    pub recipients: usize,
    /// Categories, and as many senders.
    pub categories: usize,
    /// Addresses, of which only is kept whether anything may go there.
    pub addresses: usize,
    /// Recipients' counts; only categories with limits or a dedup window ask for them.
    pub frequencies: usize,
    /// Digests.
    pub digests: usize,
    /// Templates, each with what is sent and what was written last.
    pub templates: usize,
}

impl Default for FactsSettings {
    fn default() -> Self {
        Self { recipients: 50_000, categories: 10_000, addresses: 100_000, frequencies: 10_000, digests: 10_000, templates: 200 }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Facts {
    recipients: StateCache<Recipient>,
    subscriptions: StateCache<Subscription>,
    categories: StateCache<Category>,
    /// Older versions, which nothing changes.
    versions: Mutex<Recent<(Uuid, u32), Arc<Category>>>,
    senders: StateCache<Sender>,
    addresses: StateCache<AddressOwnership>,
    frequencies: StateCache<Frequency>,
    digests: StateCache<Digest>,
    templates: StateCache<Template>,
    turns: Turns,
}

impl Facts {
    /// Empty.
    pub fn new(settings: FactsSettings) -> Self {
        Self {
            recipients: StateCache::new(settings.recipients),
            subscriptions: StateCache::new(settings.recipients),
            categories: StateCache::new(settings.categories),
            versions: Mutex::new(Recent::new(OLD_VERSIONS)),
            senders: StateCache::new(settings.categories),
            addresses: StateCache::new(settings.addresses),
            frequencies: StateCache::new(settings.frequencies),
            digests: StateCache::new(settings.digests),
            templates: StateCache::new(settings.templates),
            turns: Turns::default(),
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
            template: None,
            bound: false,
        })
    }

    /// The same, with the category as it was in a version: what waited is decided under the one that it was
    /// accepted under. 0 stands for requests from before versions were recorded: as it is now.
    pub async fn gather_as_of<R>(&self, bus: &Bus, recipient: RecipientId, category: &CategoryKey, version: u32) -> Result<Gathered, Refused<R>> {
        let mut gathered = self.gather(bus, recipient, category).await?;
        if version != 0 && u64::from(version) != gathered.category.sequence {
            gathered.category = Cached { state: self.category_at(bus, gathered.category_stream, version).await?, sequence: u64::from(version) };
            gathered.bound = true;
        }
        Ok(gathered)
    }

    async fn category_at(&self, bus: &Bus, stream: StreamId, version: u32) -> Result<Arc<Category>, LogError> {
        let key = (stream.id, version);
        if let Some(known) = self.versions.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let events = bus.log().read_stream(stream, 0, false).await?;
        // Each definition is a version.
        let upto = events.iter().filter(|event| event.sequence <= u64::from(version));
        let state = Arc::new(Category::replay(upto.filter_map(|event| CategoryEvent::of(&event.fact))));
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&state));
        Ok(state)
    }

    /// A sender; of default where nobody registered it.
    pub async fn sender<R>(&self, bus: &Bus, sender: &SenderKey) -> Result<Arc<Sender>, Refused<R>> {
        let stream = StreamId::of_key(AggregateKind::Sender, sender.as_str());
        Ok(cached(&self.senders, bus, stream).await?.state)
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
        for (stream, events) in load(bus, missing, true).await? {
            match stream.kind {
                AggregateKind::Recipient => fill(&self.recipients, stream, &events),
                AggregateKind::Subscription => fill(&self.subscriptions, stream, &events),
                _ => {}
            }
        }
        Ok(())
    }

    /// Those of some addresses to which nothing may go. What is not known is loaded in one read.
    pub async fn suppressed(&self, bus: &Bus, addresses: impl Iterator<Item = AddressId>) -> Result<HashSet<AddressId>, LogError> {
        let (mut suppressed, mut missing) = (HashSet::new(), HashSet::new());
        for address in addresses {
            match self.addresses.get(address.0) {
                Some(known) if known.state.suppressed.is_some() => drop(suppressed.insert(address)),
                Some(_) => {}
                None => drop(missing.insert(address_stream(address))),
            }
        }
        if missing.is_empty() {
            return Ok(suppressed);
        }
        let as_of = self.addresses.as_of();
        for (stream, events) in load(bus, missing, false).await? {
            let loaded: Cached<AddressOwnership> = folded(&events);
            if loaded.state.suppressed.is_some() {
                suppressed.insert(AddressId(stream.id));
            }
            self.addresses.fill_as_of(as_of, stream.id, loaded);
        }
        Ok(suppressed)
    }

    /// A template with its stream: what is sent, and who may.
    pub async fn template<R>(&self, bus: &Bus, key: &TemplateKey) -> Result<(StreamId, Cached<Template>), Refused<R>> {
        let stream = template_stream(key);
        Ok((stream, cached(&self.templates, bus, stream).await?))
    }

    /// What a recipient was told lately: the end of the stream, on which the state rests.
    pub(crate) async fn frequency(&self, bus: &Bus, stream: StreamId) -> Result<Cached<Frequency>, LogError> {
        if let Some(known) = self.frequencies.get(stream.id) {
            return Ok(known);
        }
        let loaded: Cached<Frequency> = folded(&bus.log().bare_tail(stream, MAX_EVENTS, false).await?);
        self.frequencies.fill(stream.id, loaded.clone());
        Ok(loaded)
    }

    /// A digest: its last window, which says all that its stream says.
    pub(crate) async fn digest(&self, bus: &Bus, stream: StreamId) -> Result<Cached<Digest>, LogError> {
        if let Some(known) = self.digests.get(stream.id) {
            return Ok(known);
        }
        let mut end = Vec::new();
        for last in ENDS {
            end = bus.log().bare_tail(stream, last, false).await?;
            let opened = end.iter().rposition(|event| matches!(event.fact, Fact::Digest(DigestEvent::DigestOpened(_))));
            if let Some(opened) = opened {
                end.drain(..opened);
                break;
            }
            if end.first().is_none_or(|first| first.sequence == 1) {
                break;
            }
        }
        let loaded: Cached<Digest> = folded(&end);
        self.digests.fill(stream.id, loaded.clone());
        Ok(loaded)
    }

    /// The lines in which one stands for streams that every decision appends to.
    pub(crate) const fn turns(&self) -> &Turns {
        &self.turns
    }

    /// Forgets what turned out stale.
    pub fn forget(&self, stream: StreamId) {
        match stream.kind {
            AggregateKind::Recipient => self.recipients.forget(stream.id),
            AggregateKind::Subscription => self.subscriptions.forget(stream.id),
            AggregateKind::Category => self.categories.forget(stream.id),
            AggregateKind::Address => self.addresses.forget(stream.id),
            AggregateKind::Frequency => self.frequencies.forget(stream.id),
            AggregateKind::Digest => self.digests.forget(stream.id),
            AggregateKind::Template => self.templates.forget(stream.id),
            AggregateKind::Sender => self.senders.forget(stream.id),
            AggregateKind::Notification | AggregateKind::ApiKey | AggregateKind::Schedule | AggregateKind::Quota => {}
        }
    }
}

/// The events of each stream, none where there is no such stream.
async fn load(bus: &Bus, streams: HashSet<StreamId>, open: bool) -> Result<HashMap<StreamId, Vec<Bare>>, LogError> {
    let mut found: HashMap<StreamId, Vec<Bare>> = streams.iter().map(|stream| (*stream, Vec::new())).collect();
    for event in bus.log().bare_streams(streams.into_iter().collect(), open).await? {
        found.entry(event.stream).or_default().push(event);
    }
    Ok(found)
}

/// The state that events tell, and the sequence of the last.
pub(crate) fn folded<A>(events: &[Bare]) -> Cached<A>
where
    A: domain::aggregate::Aggregate,
    A::Event: FactOf,
{
    let state = A::replay(events.iter().filter_map(|event| A::Event::of(&event.fact)));
    Cached { state: Arc::new(state), sequence: events.last().map_or(0, |event| event.sequence) }
}

fn fill<A>(cache: &StateCache<A>, stream: StreamId, events: &[Bare])
where
    A: domain::aggregate::Aggregate,
    A::Event: FactOf,
{
    cache.fill(stream.id, folded(events));
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
        Err(Refused::Refusal(_) | Refused::Erased | Refused::Contended) => return Err(Refused::Contended),
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
        self.senders.committed(events);
        self.addresses.committed(events);
        self.frequencies.committed(events);
        self.digests.committed(events);
        self.templates.committed(events);
    }
}
