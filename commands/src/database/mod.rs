//! SQLite: connections, migrations, backup, and the execution of consumers' changes; Postgres in
//! [`postgres`].
//!
//! One connection a file writes and checkpoints; readers are opened read-only. `FULL` where a
//! commit is a promise (log, keys), `NORMAL` where everything can be rebuilt (read models).

mod absent;
mod deferred;
mod migrations;
pub mod postgres;
mod readers;
mod rolling_merge;
mod threads;

pub use absent::Absent;
pub use deferred::{Deferral, DeferredIndex, IndexKey};
pub use migrations::{DELIVERY_LOG, KEYS, Migrations, migrate};
pub use readers::Readers;
pub use rolling_merge::{RollingMerge, Slice};
pub use threads::Threads;

use crate::failpoint;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Why a database could not be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// SQLite refuses.
    #[error("the database refuses: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Postgres refuses, or cannot be reached.
    #[error("the database refuses or cannot be reached: {0}")]
    Postgres(#[from] sqlx::Error),
    /// Postgres takes too long.
    #[error("the database does not answer in time")]
    NoAnswer,
    /// The thread that used it died.
    #[error("a read or write of the database was broken off: {0}")]
    BrokenOff(String),
    /// Written by a newer version of bongsu.
    #[error("the database is of version {found}, this build knows up to {known}; use the newer bongsu")]
    Newer {
        /// Version found.
        found: usize,
        /// Version known.
        known: usize,
    },
}

/// Opens the one connection that writes a file, durably.
pub fn open_writer(path: &Path) -> Result<Connection, DatabaseError> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous(path))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    settle(&connection)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// `FULL`, unless the power-loss test has planted less for this file.
fn synchronous(path: &Path) -> &'static str {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    ["NORMAL", "OFF"].into_iter().find(|less| failpoint::planted(&format!("{name}-{}", less.to_lowercase()))).unwrap_or("FULL")
}

/// Opens a connection that only reads and never checkpoints.
pub fn open_reader(path: &Path) -> Result<Connection, DatabaseError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -2_048)?;
    settle(&connection)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// What holds for every connection. Without plan stability SQLite would compile a statement anew
/// whenever another value is bound to it: that was one fifteenth of all the CPU.
fn settle(connection: &Connection) -> Result<(), DatabaseError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(())
}

/// Copies the whole journal into the file, synced; whether nobody hindered it. What a killed
/// process did not sync, or a failed fsync left, can be read back from the system's cache without
/// being on the disk, and a second fsync of the same pages may succeed without having written them
/// (<https://lwn.net/Articles/752063/>); written anew, to another file, they are there or it fails.
pub fn copy_journal(connection: &Connection) -> Result<bool, DatabaseError> {
    let hindered: bool = connection.query_row("PRAGMA wal_checkpoint(FULL)", [], |row| row.get(0))?;
    Ok(!hindered)
}

/// Copies a database into a new file, consistently, while it is in use.
pub fn backup(connection: &Connection, to: &Path) -> Result<(), DatabaseError> {
    let mut target = Connection::open(to)?;
    let backup = rusqlite::backup::Backup::new(connection, &mut target)?;
    while backup.step(4_096)? == rusqlite::backup::StepResult::More {}
    Ok(())
}
