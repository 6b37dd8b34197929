//! Wrapped keys in a SQLite file of their own.

use super::{KeyError, KeyRows};
use crate::database::{self, DatabaseError};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// See the module.
#[derive(Debug)]
pub struct SqliteKeys {
    pub(super) connection: Mutex<Connection>,
}

impl SqliteKeys {
    /// Opens or creates the file.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        let mut connection = database::open_writer(path)?;
        // A deleted key is overwritten, not just unlinked.
        connection.pragma_update(None, "secure_delete", "ON")?;
        database::migrate(&mut connection, database::KEYS)?;
        // A process that was killed, or whose fsync failed, may have left a key in the journal that
        // can be read and is not on the disk; what it seals would be synced without it.
        if !database::copy_journal(&connection)? {
            return Err(KeyError::Read);
        }
        Ok(Self { connection: Mutex::new(connection) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<rusqlite::Error> for KeyError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(DatabaseError::Sqlite(error))
    }
}

impl KeyRows for SqliteKeys {
    fn find(&self, subjects: &[Uuid]) -> Result<Vec<(Uuid, Vec<u8>)>, KeyError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT wrapped FROM keys WHERE subject = ?1")?;
        let mut found = Vec::with_capacity(subjects.len());
        for subject in subjects {
            let wrapped: Option<Vec<u8>> = statement.query_row([subject.as_bytes().as_slice()], |row| row.get(0)).optional()?;
            found.extend(wrapped.map(|wrapped| (*subject, wrapped)));
        }
        Ok(found)
    }

    fn after(&self, subject: Option<Uuid>, most: usize) -> Result<Vec<(Uuid, Vec<u8>)>, KeyError> {
        let connection = self.connection();
        // Every subject is longer than nothing, and so comes after it.
        let after = subject.map_or_else(Vec::new, |subject| subject.as_bytes().to_vec());
        let mut statement = connection.prepare_cached("SELECT subject, wrapped FROM keys WHERE subject > ?1 ORDER BY subject LIMIT ?2")?;
        let row = |row: &rusqlite::Row<'_>| Ok((Uuid::from_bytes(row.get(0)?), row.get(1)?));
        let found = statement.query_map(params![after, i64::try_from(most).unwrap_or(i64::MAX)], row)?.collect::<Result<_, _>>()?;
        Ok(found)
    }

    fn add(&self, keys: &[(Uuid, Vec<u8>)]) -> Result<(), KeyError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let mut statement = transaction.prepare_cached("INSERT OR IGNORE INTO keys (subject, wrapped) VALUES (?1, ?2)")?;
        for (subject, wrapped) in keys {
            statement.execute(params![subject.as_bytes().as_slice(), wrapped])?;
        }
        drop(statement);
        Ok(transaction.commit()?)
    }

    fn erase(&self, subject: Uuid) -> Result<(), KeyError> {
        let connection = self.connection();
        connection.execute("DELETE FROM keys WHERE subject = ?1", [subject.as_bytes().as_slice()])?;
        // That it was hindered is an answer here, no error; SQLite has waited for readers by then.
        let hindered: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if hindered { Err(KeyError::Held) } else { Ok(()) }
    }

    fn backup(&self, to: &Path) -> Result<(), KeyError> {
        Ok(database::backup(&self.connection(), to)?)
    }
}
