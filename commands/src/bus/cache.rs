//! States of recently used aggregates, kept up to date by the committer before their events
//! become visible to anybody.
//!
//! A stale entry does no harm: whoever decides on one names its sequence as an expectation, and
//! the append tells. So the cache needs no lock across a load.

use super::store::FactOf;
use crate::log::{AfterCommit, Recorded, Sequence};
use crate::recent::Recent;
use domain::aggregate::Aggregate;
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
}

impl<A: Aggregate> StateCache<A> {
    /// Keeps at most so many.
    pub fn new(most: usize) -> Self {
        Self { entries: Mutex::new(Recent::new(most)) }
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
            let entries = entries.get_or_insert_with(|| self.entries.lock().unwrap_or_else(PoisonError::into_inner));
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
