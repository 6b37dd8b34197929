//! The key store: one key for each recipient, wrapped by the master key, in a database of its
//! own. It is outside the log and its backups, because destroying a key must destroy every copy
//! of what it sealed.

mod postgres;
mod sqlite;
#[cfg(test)]
mod tests;

pub use postgres::PostgresKeys;
pub use sqlite::SqliteKeys;

use super::sealing::MasterKey;
use crate::database::DatabaseError;
use crate::ports::Random;
use crate::recent::Recent;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;
use zeroize::Zeroizing;

/// A recipient's key.
pub type SubjectKey = Arc<Zeroizing<[u8; 32]>>;

/// Keys kept in memory.
const CACHED: usize = 100_000;

/// Why the key store refused.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The store refuses.
    #[error("the key store cannot be used")]
    Store(#[from] DatabaseError),
    /// A key cannot be unwrapped: the master key is not the one it was wrapped with.
    #[error("a key cannot be unwrapped; is this the master key that the data was made with?")]
    Unwrap,
    /// The journal of the key store cannot be copied into its file.
    #[error("the key store cannot be opened, because another process reads from it for long; end that")]
    Read,
    /// A key is deleted, but somebody who reads the store keeps it in the journal.
    #[error("an erased key is still in the journal of the key store, because another process reads it; end that and erase again")]
    Held,
    /// The store is a server's database, which has its own tools for this.
    #[error("keys in Postgres are backed up by Postgres' own tools; see docs/deploy")]
    NotHere,
}

/// Port to where wrapped keys are kept. It may block: it is asked on threads that wait for files.
pub trait KeyRows: Send + Sync + 'static {
    /// The wrapped keys of those subjects that have one.
    fn find(&self, subjects: &[Uuid]) -> Result<Vec<(Uuid, Vec<u8>)>, KeyError>;
    /// The wrapped keys after a subject, in their order: for copying all of them.
    fn after(&self, subject: Option<Uuid>, most: usize) -> Result<Vec<(Uuid, Vec<u8>)>, KeyError>;
    /// Adds keys durably. A subject that has one keeps it.
    fn add(&self, keys: &[(Uuid, Vec<u8>)]) -> Result<(), KeyError>;
    /// Destroys the key of a subject, in every copy that the store has. Idempotent.
    fn erase(&self, subject: Uuid) -> Result<(), KeyError>;
    /// Copies the store into a file, consistently, while it is in use.
    fn backup(&self, to: &Path) -> Result<(), KeyError>;
}

/// See the module. With a store on a server it may wait for a network: not on a runtime's threads.
pub struct KeyStore {
    rows: Box<dyn KeyRows>,
    state: Mutex<State>,
    /// Held from reading a row until it is kept, and while one is erased: so that no erasure falls
    /// between the two.
    reading: Mutex<()>,
    master: MasterKey,
    random: Arc<dyn Random>,
}

struct State {
    cache: Recent<Uuid, SubjectKey>,
    /// Erased, perhaps by another replica whose deletion is still to come.
    erased: Recent<Uuid, ()>,
}

impl std::fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyStore")
    }
}

impl KeyStore {
    /// Opens or creates the file.
    pub fn open(path: &Path, master: MasterKey, random: Arc<dyn Random>) -> Result<Self, KeyError> {
        Ok(Self::over(Box::new(SqliteKeys::open(path)?), master, random))
    }

    /// Over a store.
    pub fn over(rows: Box<dyn KeyRows>, master: MasterKey, random: Arc<dyn Random>) -> Self {
        let state = State { cache: Recent::new(CACHED), erased: Recent::new(CACHED) };
        Self { rows, state: Mutex::new(state), reading: Mutex::new(()), master, random }
    }

    /// The key of a subject, if there is one.
    pub fn find(&self, subject: Uuid) -> Result<Option<SubjectKey>, KeyError> {
        if let Some(known) = self.state().known(subject) {
            return Ok(known);
        }
        Ok(self.read(&[subject])?.remove(&subject))
    }

    /// The key of a subject, made durable first where it is new; none where the subject is known to be
    /// erased. A new key would not open what the destroyed one had sealed: it would make it look broken.
    pub fn find_or_create(&self, subject: Uuid) -> Result<Option<SubjectKey>, KeyError> {
        if let Some(known) = self.state().known(subject) {
            return Ok(known);
        }
        self.create(&[subject])?;
        self.find(subject)
    }

    /// Takes the keys of many subjects into memory at once, so that asking for each costs nothing.
    pub fn load(&self, subjects: impl IntoIterator<Item = Uuid>) -> Result<(), KeyError> {
        let unknown = self.unknown(subjects);
        if !unknown.is_empty() {
            self.read(&unknown)?;
        }
        Ok(())
    }

    /// As [`load`](Self::load), and makes durable keys for those that have none.
    pub fn load_or_create(&self, subjects: impl IntoIterator<Item = Uuid>) -> Result<(), KeyError> {
        let unknown = self.unknown(subjects);
        if unknown.is_empty() { Ok(()) } else { self.create(&unknown) }
    }

    /// Destroys the key of a subject, in the store and its journal. Idempotent: where a reader holds
    /// the journal for longer than a connection waits, this is [`KeyError::Held`], and again does it.
    pub fn erase(&self, subject: Uuid) -> Result<(), KeyError> {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget(subject);
        self.rows.erase(subject)
    }

    /// Uses the key of a subject no more: somebody erases it.
    pub fn forget(&self, subject: Uuid) {
        let mut state = self.state();
        state.erased.insert(subject, ());
        state.cache.remove(&subject);
    }

    /// Copies the store into a file, consistently, while it is in use.
    pub fn backup(&self, to: &Path) -> Result<(), KeyError> {
        self.rows.backup(to)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unknown(&self, subjects: impl IntoIterator<Item = Uuid>) -> Vec<Uuid> {
        let mut state = self.state();
        let mut unknown: Vec<Uuid> = subjects.into_iter().filter(|subject| state.known(*subject).is_none()).collect();
        drop(state);
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }

    /// Reads and keeps those that are there and not erased.
    fn read(&self, subjects: &[Uuid]) -> Result<HashMap<Uuid, SubjectKey>, KeyError> {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = HashMap::new();
        for (subject, wrapped) in self.rows.find(subjects)? {
            let key: SubjectKey = Arc::new(self.master.unwrap_key(subject, &wrapped).ok_or(KeyError::Unwrap)?);
            found.insert(subject, key);
        }
        let mut state = self.state();
        found.retain(|subject, _| state.erased.get(subject).is_none());
        for (subject, key) in &found {
            state.cache.insert(*subject, Arc::clone(key));
        }
        drop(state);
        Ok(found)
    }

    /// Makes keys for those that have none and are not erased, as far as is known here.
    fn create(&self, subjects: &[Uuid]) -> Result<(), KeyError> {
        let found = self.read(subjects)?;
        let mut fresh = Vec::new();
        for subject in subjects.iter().filter(|subject| !found.contains_key(subject)) {
            let mut key = Zeroizing::new([0; 32]);
            self.random.fill(key.as_mut());
            let mut nonce = [0; 12];
            self.random.fill(&mut nonce);
            fresh.push((*subject, self.master.wrap_key(*subject, nonce, &key).ok_or(KeyError::Unwrap)?));
        }
        if fresh.is_empty() {
            return Ok(());
        }
        // No erasure falls between looking and adding.
        let reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.state();
        fresh.retain(|(subject, _)| state.erased.get(subject).is_none());
        drop(state);
        self.rows.add(&fresh)?;
        drop(reading);
        // What counts is what is stored: another replica may have been first.
        let added: Vec<Uuid> = fresh.into_iter().map(|(subject, _)| subject).collect();
        self.read(&added)?;
        Ok(())
    }
}

impl State {
    /// Its key; that it has none, if it was erased; nothing where only the store knows.
    fn known(&mut self, subject: Uuid) -> Option<Option<SubjectKey>> {
        match self.cache.get(&subject) {
            Some(key) => Some(Some(Arc::clone(key))),
            None => self.erased.get(&subject).map(|()| None),
        }
    }
}
