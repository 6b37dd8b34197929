//! The event log: streams with optimistic concurrency in one total order.
//!
//! - [`LogWriter`] is the port to the store that appends whole batches, each in one transaction.
//! - [`LogReader`] is the port for reading back.
//! - [`raw`] holds the ports for copying a log whole, byte by byte.
//! - [`Committer`] puts the commands of many callers into one transaction (group commit).
//! - [`Tail`] keeps the newest events in memory for those who follow.
//! - [`Sealer`] encrypts personal parts with a key per recipient.
//!
//! Positions have no gaps and their order is the order of commits, so nothing ever becomes
//! visible below what a reader has already read.

mod append;
mod attempts;
mod committer;
mod erasure;
mod keys;
mod need;
pub mod postgres;
pub mod raw;
mod reader;
mod recorded;
mod sealing;
pub mod sqlite;
mod stored;
mod tail;

pub use append::{Batch, Commit, CommitOutcome, Events, LogError, LogWriter, RowChanges, StreamAppend};
pub use committer::{AfterCommit, Committer, CommitterSettings, Lane, Linger};
pub use erasure::{ForgetErased, erase_keys_of_erased};
pub use keys::{KeyError, KeyRows, KeyStore, PostgresKeys, SqliteKeys};
pub use need::Need;
pub use reader::{LogReader, Reading};
pub use recorded::{Bare, Metadata, Position, Recorded, Sequence, StreamNo};
pub use sealing::{Hashing, MasterKey, SealError, Sealer};
pub use tail::{Needed, Page, Tail, Told};
