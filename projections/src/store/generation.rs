//! One build of a read model: its rows, its place in the log, and its end.

use super::error::{BackupError, ReadError};
use super::files::FileGeneration;
use super::postgres::PgGeneration;
use commands::consumer::{Progress, Rows};
use commands::database::DatabaseError;
use commands::replicas::Epoch;
use std::path::Path;
use std::sync::Arc;

/// A read model's rows as of one build. Who holds it can read it, even after another has taken
/// its place in this process.
#[derive(Debug)]
pub struct Generation {
    number: u64,
    progress: Progress,
    kind: Kind,
}

/// Where its rows are.
#[derive(Debug)]
pub(crate) enum Kind {
    File(FileGeneration),
    Postgres(Box<PgGeneration>),
}

impl Generation {
    pub(super) fn new(number: u64, kind: Kind) -> Self {
        Self { number, progress: Progress::default(), kind }
    }

    /// Makes the indexes. Takes seconds for millions of rows.
    pub(crate) async fn complete(&self) -> Result<(), DatabaseError> {
        match &self.kind {
            Kind::File(generation) => generation.complete().await,
            Kind::Postgres(generation) => generation.complete().await,
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

    /// Copies the file, consistently, while it is in use.
    pub fn backup(&self, to: &Path) -> Result<(), BackupError> {
        match &self.kind {
            Kind::File(generation) => Ok(generation.rows().backup(to)?),
            Kind::Postgres(_) => Err(BackupError::InPostgres),
        }
    }

    /// Bytes on disk: of the file, or of the tables with their indexes.
    pub async fn bytes(&self) -> Result<u64, ReadError> {
        match &self.kind {
            Kind::File(generation) => Ok(generation.bytes()),
            Kind::Postgres(generation) => generation.bytes().await,
        }
    }

    pub(crate) const fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(crate) fn rows(&self) -> Arc<dyn Rows> {
        self.rows_under(0)
    }

    /// Its rows, for who runs its consumer under this epoch.
    pub(crate) fn rows_under(&self, epoch: Epoch) -> Arc<dyn Rows> {
        match &self.kind {
            Kind::File(generation) => Arc::new(generation.rows().clone()),
            Kind::Postgres(generation) => Arc::new(generation.rows().under(epoch)),
        }
    }

    /// Whether its rows stay when nobody holds it any more.
    pub(super) fn keep(&self, keep: bool) {
        match &self.kind {
            Kind::File(generation) => generation.keep(keep),
            Kind::Postgres(generation) => generation.keep(keep),
        }
    }
}
