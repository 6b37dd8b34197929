//! The stores that suites run on.

mod postgres;
mod sqlite;

pub use postgres::PostgresStore;
pub use sqlite::SqliteStore;

use commands::consumer::Rows;
use commands::log::raw::{RawReader, RawWriter};
use commands::log::{AfterCommit, Committer, Hashing, KeyStore, LogReader, MasterKey, Tail};
use commands::ports::{ManualClock, SeededRandom};
use std::sync::Arc;
use workers::pending::PendingRows;
use workers::timers::TimerRows;

/// What is asked of a log, by one process.
pub struct Replica {
    pub committer: Committer,
    pub reader: Arc<dyn LogReader>,
    pub raw: Arc<dyn RawReader>,
    pub tail: Arc<Tail>,
    pub keys: Arc<KeyStore>,
    /// Consumers' rows beside the log, and what is asked of them.
    pub beside: Arc<dyn Rows>,
    pub pending: PendingRows,
    pub timers: TimerRows,
}

/// An empty store that goes with this value.
pub trait Store: Sync {
    /// An empty one.
    fn new() -> impl Future<Output = Self> + Send;
    /// Opens it as one more process does; one that allows but one must have been left by the last.
    fn open(&self) -> impl Future<Output = Replica> + Send {
        self.open_with(Vec::new())
    }
    /// The same, and tells these of each commit before it is answered.
    fn open_with(&self, told: Vec<Arc<dyn AfterCommit>>) -> impl Future<Output = Replica> + Send;
    /// Everything that it has stored, to look for what must not be there.
    fn bytes(&self) -> impl Future<Output = Vec<u8>> + Send;
    /// Opens it to be filled from a copy.
    fn raw_writer(&self) -> impl Future<Output = Box<dyn RawWriter>> + Send;
    /// Every row of the tables that are the log itself, in order; equal logs in stores of one kind
    /// have equal ones.
    fn rows(&self) -> impl Future<Output = Vec<String>> + Send;
}

fn master() -> MasterKey {
    MasterKey::new([3; 32])
}

/// How the ids of what is in a store are made; the same in all of them.
pub fn hashing() -> Hashing {
    master().hashing()
}

fn random(seed: u64) -> Arc<SeededRandom> {
    Arc::new(SeededRandom::new(seed))
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(1_000))
}
