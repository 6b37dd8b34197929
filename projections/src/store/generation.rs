//! One build of a read model: its file, its place in the log, and its end.

use super::error::ReadError;
use super::files::{self, Files};
use crate::registry::Registration;
use commands::consumer::{FileRows, Progress, Rows};
use commands::database::{DatabaseError, IndexKey, Readers};
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;

/// A read model's rows as of one build. Who holds it can read it, even after another has taken
/// its place.
#[derive(Debug)]
pub struct Generation {
    number: u64,
    rows: FileRows,
    indexes: &'static str,
    progress: Progress,
    // Dropped after `rows`, so that the database is closed before its files go.
    files: Files,
}

impl Generation {
    /// Opens or creates it. One that is only being built gets its indexes when it
    /// [is complete](Self::complete).
    pub(super) fn open(folder: &Path, registration: &Registration, number: u64, keep: bool) -> Result<Self, DatabaseError> {
        let path = files::database(folder, registration.name, number);
        let rows = FileRows::open(&path, registration.migrations, registration.deferral)?;
        if keep {
            rows.index(registration.indexes)?;
        }
        Ok(Self { number, rows, indexes: registration.indexes, progress: Progress::default(), files: Files::new(path, keep) })
    }

    /// Makes the indexes. Takes seconds for millions of rows.
    pub(crate) async fn complete(&self) -> Result<(), DatabaseError> {
        let (rows, indexes) = (self.rows.clone(), self.indexes);
        match tokio::task::spawn_blocking(move || rows.index(indexes)).await {
            Ok(result) => result,
            Err(failed) => Err(DatabaseError::BrokenOff(failed.to_string())),
        }
    }

    /// Its number, from 1.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// How far it has come, as soon as its consumer runs.
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Connections for reading. Keep the generation while they are in use.
    pub const fn readers(&self) -> &Readers {
        self.rows.readers()
    }

    /// Copies the file, consistently, while it is in use.
    pub fn backup(&self, to: &Path) -> Result<(), DatabaseError> {
        self.rows.backup(to)
    }

    /// Bytes on disk, the journal not counted.
    pub fn bytes(&self) -> u64 {
        std::fs::metadata(self.files.path()).map_or(0, |found| found.len())
    }

    /// Runs a read with the numbers of all rows of a key that the deferred index may lack.
    pub(super) async fn read_by_key<T: Send + 'static>(
        &self,
        key: IndexKey,
        read: impl FnOnce(&Connection, &[u64]) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        self.rows.read_by_key(key, read).await
    }

    pub(crate) fn rows(&self) -> Arc<dyn Rows> {
        Arc::new(self.rows.clone())
    }

    pub(super) fn keep(&self, keep: bool) {
        self.files.keep(keep);
    }
}
