//! A generation in a file of its own.

use super::Files;
use crate::registry::Registration;
use commands::consumer::FileRows;
use commands::database::DatabaseError;
use std::path::Path;

/// See the module.
#[derive(Debug)]
pub(crate) struct FileGeneration {
    rows: FileRows,
    indexes: &'static str,
    // Dropped after `rows`, so that the database is closed before its files go.
    files: Files,
}

impl FileGeneration {
    /// Opens or creates it. One that is only being built gets its indexes when it
    /// [is complete](Self::complete).
    pub(in crate::store) fn open(folder: &Path, registration: &Registration, number: u64, keep: bool) -> Result<Self, DatabaseError> {
        let path = super::database(folder, registration.name, number);
        let rows = FileRows::open(&path, registration.migrations, registration.deferral)?;
        if keep {
            rows.index(registration.indexes)?;
        }
        Ok(Self { rows, indexes: registration.indexes, files: Files::new(path, keep) })
    }

    /// The consumer's side.
    pub(crate) const fn rows(&self) -> &FileRows {
        &self.rows
    }

    /// Makes the indexes.
    pub(crate) async fn complete(&self) -> Result<(), DatabaseError> {
        let (rows, indexes) = (self.rows.clone(), self.indexes);
        match tokio::task::spawn_blocking(move || rows.index(indexes)).await {
            Ok(result) => result,
            Err(failed) => Err(DatabaseError::BrokenOff(failed.to_string())),
        }
    }

    /// Bytes on disk, the journal not counted.
    pub(crate) fn bytes(&self) -> u64 {
        std::fs::metadata(self.files.path()).map_or(0, |found| found.len())
    }

    pub(crate) fn keep(&self, keep: bool) {
        self.files.keep(keep);
    }
}
