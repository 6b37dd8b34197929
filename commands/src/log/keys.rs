//! The key store: one key for each recipient, wrapped by the master key, in a database of its
//! own. It is outside the log and its backups, because destroying a key must destroy every copy
//! of what it sealed.

use super::sealing::MasterKey;
use crate::database;
use crate::ports::Random;
use crate::recent::Recent;
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// A recipient's key.
pub type SubjectKey = Arc<Zeroizing<[u8; 32]>>;

/// Keys kept in memory.
const CACHED: usize = 100_000;

/// Why the key store refused.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The store refuses.
    #[error("the key store cannot be used")]
    Store(#[from] rusqlite::Error),
    /// The file could not be opened or migrated.
    #[error("the key store cannot be opened: {0}")]
    Open(#[from] database::DatabaseError),
    /// A key cannot be unwrapped: the master key is not the one it was wrapped with.
    #[error("a key cannot be unwrapped; is this the master key that the data folder was made with?")]
    Unwrap,
    /// The journal of the key store cannot be copied into its file.
    #[error("the key store cannot be opened, because another process reads from it for long; end that")]
    Read,
    /// A key is deleted, but somebody who reads the store keeps it in the journal.
    #[error("an erased key is still in the journal of the key store, because another process reads it; end that and erase again")]
    Held,
}

/// See the module.
pub struct KeyStore {
    connection: Mutex<Connection>,
    cache: Mutex<Recent<Uuid, SubjectKey>>,
    master: MasterKey,
    random: Arc<dyn Random>,
}

impl std::fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyStore")
    }
}

impl KeyStore {
    /// Opens or creates the file.
    pub fn open(path: &Path, master: MasterKey, random: Arc<dyn Random>) -> Result<Self, KeyError> {
        let mut connection = database::open_writer(path)?;
        // A deleted key is overwritten, not just unlinked.
        connection.pragma_update(None, "secure_delete", "ON")?;
        database::migrate(&mut connection, database::KEYS)?;
        // A process that was killed, or whose fsync failed, may have left a key in the journal that
        // can be read and is not on the disk; what it seals would be synced without it.
        if !database::copy_journal(&connection)? {
            return Err(KeyError::Read);
        }
        Ok(Self { connection: Mutex::new(connection), cache: Mutex::new(Recent::new(CACHED)), master, random })
    }

    /// The key of a subject, if there is one.
    pub fn find(&self, subject: Uuid) -> Result<Option<SubjectKey>, KeyError> {
        if let Some(key) = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&subject) {
            return Ok(Some(Arc::clone(key)));
        }
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let wrapped: Option<Vec<u8>> = connection
            .prepare_cached("SELECT wrapped FROM keys WHERE subject = ?1")?
            .query_row([subject.as_bytes().as_slice()], |row| row.get(0))
            .optional()?;
        let Some(wrapped) = wrapped else {
            return Ok(None);
        };
        let key: SubjectKey = Arc::new(self.master.unwrap_key(subject, &wrapped).ok_or(KeyError::Unwrap)?);
        // Under the connection's lock, so that an erasure cannot fall between reading and keeping.
        self.keep(subject, Arc::clone(&key));
        Ok(Some(key))
    }

    /// The key of a subject, made durable first where it is new.
    pub fn find_or_create(&self, subject: Uuid) -> Result<SubjectKey, KeyError> {
        if let Some(key) = self.find(subject)? {
            return Ok(key);
        }
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut fresh = Zeroizing::new([0; 32]);
        self.random.fill(fresh.as_mut());
        let mut nonce = [0; 12];
        self.random.fill(&mut nonce);
        let wrapped = self.master.wrap_key(subject, nonce, &fresh).ok_or(KeyError::Unwrap)?;
        let inserted = connection.execute("INSERT OR IGNORE INTO keys (subject, wrapped) VALUES (?1, ?2)", params![subject.as_bytes().as_slice(), wrapped])?;
        drop(connection);
        if inserted == 1 {
            let key: SubjectKey = Arc::new(fresh);
            self.keep(subject, Arc::clone(&key));
            return Ok(key);
        }
        self.find(subject)?.ok_or(KeyError::Unwrap)
    }

    /// Destroys the key of a subject, in the file and its journal. Idempotent: where a reader holds
    /// the journal for longer than a connection waits, this is [`KeyError::Held`], and again does it.
    pub fn erase(&self, subject: Uuid) -> Result<(), KeyError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection.execute("DELETE FROM keys WHERE subject = ?1", [subject.as_bytes().as_slice()])?;
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).remove(&subject);
        // That it was hindered is an answer here, no error; SQLite has waited for readers by then.
        let hindered: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if hindered { Err(KeyError::Held) } else { Ok(()) }
    }

    /// Copies the store into a file, consistently, while it is in use.
    pub fn backup(&self, to: &Path) -> Result<(), KeyError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(database::backup(&connection, to)?)
    }

    fn keep(&self, subject: Uuid, key: SubjectKey) {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).insert(subject, key);
    }
}
