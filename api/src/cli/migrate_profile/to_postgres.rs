//! From a data folder to Postgres.

use super::copying::{self, Keys};
use super::database::Target;
use super::{MigrateProfile, Moved, shown};
use crate::app::data_dir::DataDir;
use crate::cli::exit::{CliError, Exit};
use crate::cli::folder::{closed, closed_postgres};
use crate::cli::output::Output;
use crate::config::Secret;
use commands::log::postgres::PostgresRawWriter;
use commands::log::raw::{RawReader, RawWriter};
use commands::log::{KeyStore, LogReader, PostgresKeys, SqliteKeys};
use commands::ports::{Clock, SystemClock, SystemRandom};
use std::path::Path;
use std::sync::Arc;
use tokio::task::spawn_blocking;

pub(super) async fn run(command: &MigrateProfile, folder: &Path, url: &Secret, out: Output) -> Result<(), CliError> {
    let clock = SystemClock::default();
    DataDir::existing(folder)?;
    let data = DataDir::lock(folder)?;
    let master = command.master_key(folder)?;
    let source = closed(&data.log())?;
    let source_keys: Keys = Arc::new(SqliteKeys::open(&data.keys())?);
    prove(KeyStore::open(&data.keys(), master.clone(), Arc::new(SystemRandom))?, &source_keys).await?;
    let head = source.head().await?;

    let mut target = Target::open(MigrateProfile::log_place(url)?, command.keys_place(url)?, &master.fingerprint()).await?;
    if target.unfinished.is_none() {
        data.not_moved()?;
    }
    let (_, count) = copying::same_keys(Arc::clone(&source_keys), Arc::clone(&source_keys)).await?;
    let resumed_at = resume(&source, &mut target, command.check, out).await?;
    let mut moved = Moved { from: shown(folder), to: target.shown(), moved: false, events: head, keys: count, resumed_at, sha256: None, took_ms: 0 };
    if command.check {
        return moved.tell("stop the server if it runs, and the same command without --check", out);
    }

    target.prepare(&master.fingerprint()).await?;
    let place = target.log_unfinished.clone();
    let opening = spawn_blocking(move || PostgresRawWriter::open(&place).map(|writer| Box::new(writer) as Box<dyn RawWriter>));
    copying::log(&source, opening.await.map_err(CliError::failure)??, head).await?;
    let copy = closed_postgres(&target.log_unfinished)?;
    let compared = match copying::compare(&source, &copy, head).await {
        Ok(compared) => compared,
        Err(error) => {
            target.discard().await?;
            return Err(CliError::failure(format!("{error}; it was thrown away, and nothing else was changed. Run the command again")));
        }
    };
    target.replicas_after(compared.replica).await?;
    let keys = copy_keys(&target, &source_keys).await?;

    data.mark_moved(&target.shown())?;
    if let Err(error) = target.publish().await {
        return Err(CliError::new(error.exit, format!("{error}. The copy is whole and has not got its name yet: run the command again")));
    }
    moved.moved = true;
    (moved.events, moved.keys, moved.sha256) = (compared.events, keys, Some(compared.sha256));
    moved.took_ms = u64::try_from(clock.monotonic().as_millis()).unwrap_or(u64::MAX);
    moved.tell(
        &format!(
            "storage.profile = \"cluster\" and postgres.url, the master key of {0} for every replica (BONGSU_MASTER_KEY, or storage.master_key_file), \
             bongsu check, then bongsu serve. Once all is well, log.db, keys.db and views/ in {0} can go; keep master.key",
            folder.display()
        ),
        out,
    )
}

/// Where an interrupted run is gone on with. One that does not fit is thrown away.
async fn resume(source: &impl RawReader, target: &mut Target, check: bool, out: Output) -> Result<u64, CliError> {
    let Some(end) = target.unfinished else { return Ok(0) };
    let left = closed_postgres(&target.log_unfinished)?;
    if copying::goes_on(source, &left, end).await? {
        out.note(format_args!("An interrupted run is gone on with, at position {end}."));
        return Ok(end);
    }
    out.note("What an interrupted run has left does not fit this log; it begins anew.");
    if !check {
        target.discard().await?;
    }
    Ok(0)
}

/// The master key is the one that these keys were wrapped with: one is unwrapped to see.
pub(super) async fn prove(store: KeyStore, keys: &Keys) -> Result<(), CliError> {
    let keys = Arc::clone(keys);
    let proof = move || match keys.after(None, 1)?.first() {
        Some((subject, _)) => store.find(*subject).map(drop),
        None => Ok(()),
    };
    Ok(spawn_blocking(proof).await.map_err(CliError::failure)??)
}

async fn copy_keys(target: &Target, source: &Keys) -> Result<u64, CliError> {
    let place = if target.keys_there { target.keys() } else { &target.keys_unfinished };
    let copy: Keys = Arc::new(PostgresKeys::new(place)?);
    if !target.keys_there {
        copying::keys(Arc::clone(source), Arc::clone(&copy)).await?;
    }
    let (same, count) = copying::same_keys(Arc::clone(source), copy).await?;
    match (same, target.keys_there) {
        (true, _) => Ok(count),
        (false, false) => Err(CliError::failure("the keys differ from what was copied; nothing was changed. Run the command again")),
        (false, true) => Err(CliError::new(
            Exit::Conflict,
            "the schema bongsu_keys of the target holds other keys than the data folder; nothing was changed. Drop it if nobody needs it, and run the command again",
        )),
    }
}
