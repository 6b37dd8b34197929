//! What the profile decides: where the log, the keys, what is owed and the read models are. The one
//! place that names their adapters; the rest of the engine is the same for both profiles.

mod cluster;
mod embedded;

pub use cluster::{ClusterError, ClusterSettings, Joining, KEYS, LOG, MOVED, SharedLog};

use super::engine::EngineError;
use commands::consumer::{LogRows, PgRows, Rows};
use commands::database::Readers;
use commands::log::raw::RawReader;
use commands::log::{Committer, KeyStore, LogReader, LogWriter};
use commands::replicas::Epoch;
use projections::store::ReadModels;
use sqlx::PgPool;
use std::sync::Arc;
use workers::pending::PendingRows;
use workers::timers::TimerRows;

/// The stores of one profile, opened.
pub struct Stores {
    /// Recipients' keys.
    pub keys: Arc<KeyStore>,
    /// Appends to the log.
    pub writer: Box<dyn LogWriter>,
    /// Reads the log.
    pub log: Arc<dyn LogReader>,
    /// Reads the log as it is stored.
    pub raw: Arc<dyn RawReader>,
    /// What is owed.
    pub pending: PendingRows,
    /// Read models.
    pub read_models: ReadModels,
    /// Where other processes may append to this log too.
    pub shared: Option<SharedLog>,
    /// Where consumers' rows beside the log are changed.
    pub beside: Beside,
}

/// Where rows beside the log are changed.
#[derive(Debug, Clone)]
pub enum Beside {
    /// In the log's own transactions.
    Log(Readers),
    /// In transactions of their own: the head of the log need not be held for them.
    Postgres(PgPool),
}

impl Beside {
    /// Rows of consumers that live beside the log, for who runs them under this epoch.
    pub fn rows(&self, committer: &Committer, epoch: Epoch) -> Arc<dyn Rows> {
        match self {
            Self::Log(readers) => Arc::new(LogRows::new(committer.clone(), readers.clone())),
            Self::Postgres(pool) => Arc::new(PgRows::new(pool.clone()).under(epoch)),
        }
    }

    /// Reads the timers, which are such rows.
    pub fn timers(&self) -> TimerRows {
        match self {
            Self::Log(readers) => TimerRows::File(readers.clone()),
            Self::Postgres(pool) => TimerRows::Postgres(pool.clone()),
        }
    }
}

impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stores")
    }
}

/// What the opening of a profile may end with.
type Opened = Result<Stores, EngineError>;
