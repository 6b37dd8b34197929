//! States of recently used aggregates, kept up to date by the committer before their events
//! become visible to anybody.
//!
//! A stale entry does no harm: whoever decides on one names its sequence as an expectation, and
//! the append tells. So the cache needs no lock across a load.

use super::store::FactOf;
use crate::log::{AfterCommit, Recorded, Sequence};
use crate::recent::Recent;
use domain::aggregate::Aggregate;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// A state with the sequence it stands at.
#[derive(Debug)]
pub struct Cached<A> {
    /// The state.
    pub state: Arc<A>,
    /// Events folded into it.
    pub sequence: Sequence,
}

impl<A> Clone for Cached<A> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state), sequence: self.sequence }
    }
}

/// See the module.
#[derive(Debug)]
pub struct StateCache<A> {
    entries: Mutex<Recent<Uuid, Cached<A>>>,
    /// Commits that held events of the kind.
    commits: AtomicU64,
}

/// Taken before a load: what was loaded is as new as the commits that were known then.
#[derive(Debug, Clone, Copy)]
pub struct AsOf(u64);

impl<A: Aggregate> StateCache<A> {
    /// Keeps at most so many.
    pub fn new(most: usize) -> Self {
        Self { entries: Mutex::new(Recent::new(most)), commits: AtomicU64::new(0) }
    }

    /// To be taken before a load that [`fill_as_of`](Self::fill_as_of) is to keep.
    pub fn as_of(&self) -> AsOf {
        AsOf(self.commits.load(Ordering::Acquire))
    }

    /// Keeps what was loaded, unless anything of the kind was committed meanwhile: for facts that no
    /// append expects, so that nobody would notice a stale one.
    pub fn fill_as_of(&self, as_of: AsOf, id: Uuid, loaded: Cached<A>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if self.commits.load(Ordering::Acquire) == as_of.0 {
            entries.insert(id, loaded);
        }
    }

    /// The entry of an instance.
    pub fn get(&self, id: Uuid) -> Option<Cached<A>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).get(&id).map(|entry| entry.clone())
    }

    /// Keeps what was loaded, unless something newer is there.
    pub fn fill(&self, id: Uuid, loaded: Cached<A>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.get(&id).is_some_and(|known| known.sequence >= loaded.sequence) {
            return;
        }
        entries.insert(id, loaded);
    }

    /// Forgets an instance that turned out stale.
    pub fn forget(&self, id: Uuid) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

impl<A> AfterCommit for StateCache<A>
where
    A: Aggregate,
    A::Event: FactOf,
{
    fn committed(&self, events: &[Arc<Recorded>]) {
        let mut entries = None;
        for event in events {
            let Some(body) = A::Event::of(&event.fact) else {
                continue;
            };
            let entries = entries.get_or_insert_with(|| {
                let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
                self.commits.fetch_add(1, Ordering::AcqRel);
                entries
            });
            let Some(entry) = entries.get(&event.stream.id) else {
                continue;
            };
            if entry.sequence + 1 == event.sequence {
                Arc::make_mut(&mut entry.state).evolve(body);
                entry.sequence = event.sequence;
            } else if entry.sequence < event.sequence {
                entries.remove(&event.stream.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cached, StateCache};
    use crate::log::{AfterCommit as _, Metadata, Recorded};
    use domain::address::{AddressEvent, AddressOwnership, AddressSuppressed, SuppressionReason};
    use domain::values::AddressId;
    use domain::{AggregateKind, Fact, StreamId};
    use std::sync::Arc;
    use uuid::Uuid;

    fn absent() -> Cached<AddressOwnership> {
        Cached { state: Arc::default(), sequence: 0 }
    }

    fn suppressed(address: Uuid) -> Arc<Recorded> {
        let event = AddressSuppressed { address: AddressId(address), reason: SuppressionReason::Stop, note: None };
        Arc::new(Recorded {
            position: 1,
            stream: StreamId::new(AggregateKind::Address, address),
            number: 1,
            sequence: 1,
            at: 0,
            fact: Fact::Address(AddressEvent::AddressSuppressed(event)),
            metadata: Arc::new(Metadata::of("test")),
        })
    }

    #[test]
    fn what_was_loaded_before_a_commit_is_not_kept_after_it() {
        let (cache, address, other) = (StateCache::new(8), Uuid::from_u128(1), Uuid::from_u128(2));
        let as_of = cache.as_of();
        cache.committed(&[suppressed(address)]);
        // Loaded by then, perhaps without what was committed.
        cache.fill_as_of(as_of, address, absent());
        assert!(cache.get(address).is_none());
        cache.fill_as_of(cache.as_of(), other, absent());
        assert_eq!(cache.get(other).map(|known| known.sequence), Some(0));
        cache.committed(&[suppressed(other)]);
        assert_eq!(cache.get(other).and_then(|known| known.state.suppressed), Some(SuppressionReason::Stop), "and is kept up to date");
    }
}
