//! Parsed documents by their text.
//!
//! Guarantee: bounded by number, by length and by estimated memory; a flood of new texts evicts
//! only what was not used since the last round (second chance). Only documents that the schema
//! accepted are put in, so that garbage evicts nothing.
//!
//! Rejected: keeping validation results too. Whether a document is valid also depends on its
//! variables' values (argument types, and complexities computed from them), so a kept verdict
//! would be unsound for just those documents that matter. Besides, async-graphql offers no place
//! for it but an extension, and any extension puts a boxed future around each field: for a small
//! mutation that cost 2.5 µs where all of strict validation costs 4.3 µs and parsing 12 µs
//! (unoptimised build, so only the proportions count).

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Document;

const SHARDS: usize = 16;
/// Bytes of parsed documents in one shard, by estimate: 16 MiB in all.
const SHARD_WEIGHT: usize = 1024 * 1024;

/// A sharded second-chance cache.
#[derive(Debug)]
pub struct DocumentCache {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    shard_entries: usize,
    query_bytes: usize,
}

#[derive(Debug, Default)]
struct Shard {
    entries: HashMap<Arc<str>, Entry>,
    /// Every key of `entries` once, oldest first.
    order: VecDeque<Arc<str>>,
    weight: usize,
}

#[derive(Debug)]
struct Entry {
    document: Arc<Document>,
    used: AtomicBool,
}

impl DocumentCache {
    /// Keeps at most about `documents`, none with a text longer than `query_bytes`.
    pub fn new(documents: usize, query_bytes: usize) -> Self {
        Self { shards: Default::default(), hasher: RandomState::new(), shard_entries: documents.div_ceil(SHARDS), query_bytes }
    }

    /// The document of this text, if it is kept.
    pub fn get(&self, query: &str) -> Option<Arc<Document>> {
        if query.len() > self.query_bytes {
            return None;
        }
        let shard = self.shard(query);
        let entry = shard.entries.get(query)?;
        entry.used.store(true, Ordering::Relaxed);
        Some(Arc::clone(&entry.document))
    }

    /// Keeps a document, unless it is too big.
    pub fn insert(&self, query: &str, document: &Arc<Document>) {
        if query.len() > self.query_bytes || document.weight > SHARD_WEIGHT / 4 || self.shard_entries == 0 {
            return;
        }
        let mut shard = self.shard(query);
        if shard.entries.contains_key(query) {
            return;
        }
        while shard.entries.len() >= self.shard_entries || shard.weight + document.weight > SHARD_WEIGHT {
            if !shard.evict() {
                return;
            }
        }
        let key: Arc<str> = Arc::from(query);
        shard.weight += document.weight;
        shard.order.push_back(Arc::clone(&key));
        let document = Arc::clone(document);
        let used = AtomicBool::new(false);
        shard.entries.insert(key, Entry { document, used });
    }

    /// How many documents are kept.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).entries.len()).sum()
    }

    /// True when none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, query: &str) -> MutexGuard<'_, Shard> {
        let hash = self.hasher.hash_one(query);
        lock(&self.shards[hash as usize % SHARDS])
    }
}

impl Shard {
    /// Drops the oldest entry that was not used since it was last looked at.
    fn evict(&mut self) -> bool {
        while let Some(key) = self.order.pop_front() {
            let Some(entry) = self.entries.get(&key) else {
                continue;
            };
            if entry.used.swap(false, Ordering::Relaxed) {
                self.order.push_back(key);
                continue;
            }
            self.weight -= entry.document.weight;
            self.entries.remove(&key);
            return true;
        }
        false
    }
}

/// A shard is consistent after each statement, so a poisoned lock may be used.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
