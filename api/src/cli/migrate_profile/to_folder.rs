//! From Postgres to a data folder.

use super::copying::{self, Keys};
use super::database::Source;
use super::to_postgres::prove;
use super::{MigrateProfile, Moved, shown};
use crate::app::data_dir::{DataDir, write_private};
use crate::app::stores::ClusterError;
use crate::cli::backup::empty;
use crate::cli::exit::{CliError, Exit};
use crate::cli::folder::{closed, closed_postgres};
use crate::cli::output::Output;
use crate::config::Secret;
use commands::log::raw::RawReader;
use commands::log::sqlite::SqliteRawWriter;
use commands::log::{KeyStore, LogReader, PostgresKeys, SqliteKeys};
use commands::ports::{Clock, SystemClock, SystemRandom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The log's name while it is not whole.
const UNFINISHED: &str = "log.moving.db";

pub(super) async fn run(command: &MigrateProfile, url: &Secret, folder: &Path, out: Output) -> Result<(), CliError> {
    let clock = SystemClock::default();
    let (place, keys_place) = (MigrateProfile::log_place(url)?, command.keys_place(url)?);
    let unfinished = left_by_us(folder)?;
    let holding = Source::hold(&place).await?;
    if holding.moved && !unfinished {
        return Err(CliError::new(Exit::Conflict, ClusterError::Moved));
    }
    let master = command.master_key(folder)?;
    if master.fingerprint() != holding.fingerprint {
        return Err(CliError::usage(
            "this is not the master key that the database was sealed with; name the right one with --master-key-file, or set BONGSU_MASTER_KEY",
        ));
    }
    let source = closed_postgres(&place)?;
    let source_keys: Keys = Arc::new(PostgresKeys::new(&keys_place)?);
    let store = KeyStore::over(Box::new(PostgresKeys::new(&keys_place)?), master, Arc::new(SystemRandom));
    prove(store, &source_keys).await?;
    let head = source.head().await?;
    let (_, count) = copying::same_keys(Arc::clone(&source_keys), Arc::clone(&source_keys)).await?;
    let mut moved = Moved { from: place.shown(), to: shown(folder), moved: false, events: head, keys: count, resumed_at: 0, sha256: None, took_ms: 0 };
    if command.check {
        return moved.tell("stop the servers, and the same command without --check", out);
    }

    let data = DataDir::lock(folder)?;
    let log = data.root().join(UNFINISHED);
    moved.resumed_at = resume(&source, &log, unfinished, out).await?;
    copying::log(&source, Box::new(SqliteRawWriter::open(&log)?), head).await?;
    let compared = match copying::compare(&source, &closed(&log)?, head).await {
        Ok(compared) => compared,
        Err(error) => {
            remove(&log);
            return Err(CliError::failure(format!("{error}; it was thrown away, and nothing else was changed. Run the command again")));
        }
    };
    // Keys may have been destroyed since an interrupted run copied them: they are copied anew.
    remove(&data.keys());
    let keys: Keys = Arc::new(SqliteKeys::open(&data.keys())?);
    copying::keys(Arc::clone(&source_keys), Arc::clone(&keys)).await?;
    let (same, count) = copying::same_keys(source_keys, keys).await?;
    if !same {
        return Err(CliError::failure("the keys differ from what was copied; nothing was changed. Run the command again"));
    }
    if let Some(file) = &command.master_key_file {
        let key = std::fs::read_to_string(file).map_err(|error| CliError::usage(format!("the master key file cannot be read: {error}")))?;
        write_private(&data.master_key_file(), key.trim())?;
    }
    whole(&log)?;

    holding.mark_moved().await?;
    let named = std::fs::rename(&log, data.log()).and_then(|()| std::fs::File::open(data.root())?.sync_all());
    named.map_err(|error| CliError::failure(format!("the copy is whole, and could not be given its name: {error}; run the command again")))?;
    moved.moved = true;
    (moved.events, moved.keys, moved.sha256) = (compared.events, count, Some(compared.sha256));
    moved.took_ms = u64::try_from(clock.monotonic().as_millis()).unwrap_or(u64::MAX);
    moved.tell(
        &format!(
            "storage.profile = \"embedded\" (the default), bongsu audit --data {0}, then bongsu serve --data {0}. \
             Once all is well, the schemas bongsu, bongsu_keys and bongsu_view_... can be dropped from the database",
            folder.display()
        ),
        out,
    )
}

/// Whether an interrupted run has left something in a folder that is empty otherwise.
fn left_by_us(folder: &Path) -> Result<bool, CliError> {
    let names = |path: &Path| -> Vec<String> {
        std::fs::read_dir(path).map(|all| all.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()).unwrap_or_default()
    };
    let found = names(folder);
    let unfinished = found.iter().any(|name| name == UNFINISHED);
    let ours = |name: &String| match name.as_str() {
        "bongsu.lock" => true,
        "views" => names(&folder.join("views")).is_empty(),
        "master.key" => unfinished,
        name => unfinished && (name.starts_with(UNFINISHED) || name.starts_with("keys.db")),
    };
    if !found.iter().all(ours) {
        empty(folder)?;
    }
    Ok(unfinished)
}

/// Where an interrupted run is gone on with. One that does not fit is thrown away.
async fn resume(source: &impl RawReader, log: &Path, unfinished: bool, out: Output) -> Result<u64, CliError> {
    if !unfinished {
        return Ok(0);
    }
    let left = closed(log)?;
    // One that has no tables yet is as good as none.
    let end = left.head().await.unwrap_or(0);
    if end > 0 && copying::goes_on(source, &left, end).await? {
        out.note(format_args!("An interrupted run is gone on with, at position {end}."));
        return Ok(end);
    }
    remove(log);
    Ok(0)
}

/// Brings the journal into the file, which is the whole log then, whatever it is called.
fn whole(log: &Path) -> Result<(), CliError> {
    let connection = commands::database::open_writer(log)?;
    let hindered: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if hindered {
        return Err(CliError::failure(format!("{} is in use by another process; end that, and run the command again", log.display())));
    }
    drop(connection);
    for end in ["-wal", "-shm"] {
        // It is empty now, or gone.
        let _ = std::fs::remove_file(beside(log, end));
    }
    std::fs::File::open(log).and_then(|file| file.sync_all()).map_err(CliError::failure)
}

fn remove(database: &Path) {
    for end in ["", "-wal", "-shm"] {
        // What was never made is not there.
        let _ = std::fs::remove_file(beside(database, end));
    }
}

fn beside(database: &Path, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", database.display()))
}
