//! Decisions of one batch, each on what the ones before it will have appended.
//!
//! Items of a list to one recipient count places of the same stream. Decided side by side all but one
//! would lose; here each is decided on the state and the sequence that the one before leaves behind, and
//! their commits go into one batch in the same order. If one of them loses, those behind it do too, and
//! all are decided anew.

use super::facts::Facts;
use super::gathered::{Gathered, digest_stream, frequency_stream};
use crate::bus::{Bus, Cached, FactOf};
use crate::failpoint;
use crate::log::{Commit, LogError, StreamAppend};
use domain::aggregate::Aggregate;
use domain::digest::{AddItem, Digest, DigestCommand};
use domain::frequency::{Count, Frequency};
use domain::policy::deciding::{self, Ask, Decided, Decision};
use domain::values::{AddressId, Limit, Millis, NotificationId, Priority, RecipientId, SenderKey};
use domain::{Fact, StreamId};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// From where a chain takes what it does not know.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub bus: &'a Bus,
    pub facts: &'a Facts,
    /// Limits over all categories together.
    pub overall: &'a [Limit],
    /// Of the addresses that matter, those to which nothing may go.
    pub suppressed: &'a HashSet<AddressId>,
}

/// A question about one notification, with what an answer appends beside it.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub ask: Ask<'a>,
    pub notification: NotificationId,
    pub recipient: RecipientId,
    pub sender: &'a SenderKey,
    pub sandbox: bool,
}

impl Question<'_> {
    /// The stream of places that its answer rests on and may append to.
    fn frequency(&self, gathered: &Gathered, overall: &[Limit]) -> Option<StreamId> {
        let counts = self.ask.step.is_none() && deciding::counts(&gathered.category.state, overall, self.ask.priority);
        counts.then(|| frequency_stream(self.recipient, self.sandbox))
    }

    /// The digest that may collect it.
    fn digest(&self, gathered: &Gathered) -> Option<StreamId> {
        let collected = self.ask.step.is_none() && self.ask.priority != Priority::Critical && gathered.category.state.digest.is_some();
        self.ask.digest.filter(|_| collected).map(digest_stream)
    }

    /// The streams at which one stands in line before it is answered.
    pub(crate) fn streams(&self, gathered: &Gathered, overall: &[Limit]) -> impl Iterator<Item = StreamId> + use<> {
        self.frequency(gathered, overall).into_iter().chain(self.digest(gathered))
    }
}

/// A stream as the batch will leave it.
#[derive(Debug)]
pub(crate) struct Link<A: Aggregate> {
    state: Cached<A>,
    /// Folded into the state when somebody asks: the last one's are not.
    behind: Vec<A::Event>,
}

impl<A> Link<A>
where
    A: Aggregate,
    A::Event: FactOf + Into<Fact>,
{
    const fn new(state: Cached<A>) -> Self {
        Self { state, behind: Vec::new() }
    }

    /// The state.
    pub(crate) fn state(&mut self) -> &Arc<A> {
        if !self.behind.is_empty() {
            let state = Arc::make_mut(&mut self.state.state);
            self.behind.drain(..).for_each(|event| state.evolve(&event));
        }
        &self.state.state
    }

    /// Appends; nothing where there are no events.
    pub(crate) fn append(&mut self, stream: StreamId, events: Vec<A::Event>) -> Option<StreamAppend> {
        if events.is_empty() {
            return None;
        }
        let expected = self.state.sequence;
        self.state.sequence += events.len() as u64;
        self.behind.extend(events.iter().cloned());
        Some(StreamAppend { stream, number: None, expected, events: events.into_iter().map(Into::into).collect() })
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    frequencies: HashMap<StreamId, Link<Frequency>>,
    digests: HashMap<StreamId, Link<Digest>>,
}

impl Chain {
    /// A digest as the batch leaves it so far.
    pub(crate) async fn digest(&mut self, sources: &Sources<'_>, stream: StreamId) -> Result<&mut Link<Digest>, LogError> {
        match self.digests.entry(stream) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(Link::new(sources.facts.digest(sources.bus, stream).await?))),
        }
    }

    /// Puts a question on the facts, whatever is done with the answer.
    pub(crate) async fn consider<T>(
        &mut self,
        sources: &Sources<'_>,
        gathered: &Gathered,
        question: &Question<'_>,
        now: Millis,
        decide: impl FnOnce(&Ask<'_>, &deciding::Facts<'_>, Millis) -> T,
    ) -> Result<T, LogError> {
        let mut versions = gathered.versions();
        let collecting_window = match question.digest(gathered) {
            Some(stream) => self.digest(sources, stream).await?.state().collecting_window(),
            None => 0,
        };
        let frequency = match question.frequency(gathered, sources.overall) {
            Some(stream) => {
                let link = match self.frequencies.entry(stream) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(place) => place.insert(Link::new(sources.facts.frequency(sources.bus, stream).await?)),
                };
                versions.frequency = link.state.sequence;
                Some(Arc::clone(link.state()))
            }
            None => None,
        };
        let known = deciding::Facts {
            category: &gathered.category.state,
            recipient: &gathered.recipient.state,
            subscription: &gathered.subscription.state,
            frequency: frequency.as_deref(),
            overall: sources.overall,
            suppressed: &|address| sources.suppressed.contains(&address),
            collecting_window,
            versions,
        };
        Ok(decide(&question.ask, &known, now))
    }

    /// Adds to a commit what a decision counts and collects, and what it rests on.
    pub(crate) fn settle(&mut self, overall: &[Limit], gathered: &Gathered, question: &Question<'_>, decision: &Decision, now: Millis, commit: &mut Commit) {
        let notification = question.notification;
        if let Some(stream) = question.frequency(gathered, overall)
            && let Some(link) = self.frequencies.get_mut(&stream)
        {
            let counted = decision.count.and_then(|count| {
                let category = question.ask.category.clone();
                let count = Count { notification, category, asked_at: now, at: count.at, alone: count.alone, content: count.content };
                let events = link.state.state.decide(count).unwrap_or_default();
                link.append(stream, events)
            });
            match counted {
                _ if failpoint::planted("place-forgotten") => {}
                Some(append) => commit.appends.push(append),
                None => commit.expectations.push((stream, link.state.sequence)),
            }
        }
        if let Decided::Digest { digest, .. } = decision.outcome
            && let Some(settings) = gathered.category.state.digest.clone()
            && let Some(link) = self.digests.get_mut(&digest_stream(digest))
        {
            let add = AddItem {
                recipient: question.recipient,
                category: question.ask.category.clone(),
                sender: question.sender.clone(),
                sandbox: question.sandbox,
                notification,
                settings,
                zone: deciding::zone_of(&gathered.recipient.state),
                now,
            };
            let events = link.state().decide(DigestCommand::Add(Box::new(add))).unwrap_or_default();
            commit.appends.extend(link.append(digest_stream(digest), events));
        }
    }
}
