//! `bongsu restore --from esdb://…`: a data folder from the mirror in KurrentDB.
//!
//! The log gets its name last, when it is whole: a folder that was left half made has none, and
//! whatever goes wrong before takes away what was made, so that the command can be repeated. Keys
//! are not in a mirror; they are copied from where they are kept, or done without, if that is said.

use super::{Restore, prove, verify};
use crate::app::data_dir::DataDir;
use crate::cli::backup::empty;
use crate::cli::exit::{CliError, Exit};
use crate::cli::folder::closed;
use crate::cli::output::{Output, Progress};
use commands::log::sqlite::SqliteRawWriter;
use commands::log::{KeyStore, erase_keys_of_erased};
use commands::ports::{SystemClock, SystemRandom};
use projections::feed::kurrentdb::{MirrorError, Missing, Rebuild, RebuildError, Rebuilt, Target};
use serde::Serialize;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The log's name while it is not whole.
const UNFINISHED: &str = "log.restoring.db";

/// The object of `--json`.
#[derive(Debug, Serialize)]
struct Restored {
    position: u64,
    mirror: String,
    /// With `--partial`: what could not be restored begins at `first`.
    missing: Option<Hole>,
    keys: bool,
    erased_again: u64,
}

#[derive(Debug, Serialize)]
struct Hole {
    first: u64,
    newest: u64,
}

pub(super) async fn run(command: Restore, connection: &str, out: Output) -> Result<(), CliError> {
    let target = Target::new(connection, &command.prefix).map_err(CliError::usage)?;
    let text = command.master_key_text()?;
    let keys = command.keys_file()?;
    empty(&command.data)?;
    let data = DataDir::lock(&command.data)?;
    let made = make(&command, &data, target.clone(), text.as_deref(), keys.as_deref()).await;
    let (rebuilt, erased_again) = match made {
        Ok(made) => made,
        Err(error) => {
            clear(&data);
            return Err(error);
        }
    };
    let missing = rebuilt.missing.map(|missing| Hole { first: missing.position, newest: missing.newest });
    let restored = Restored { position: rebuilt.position, mirror: target.place(), missing, keys: keys.is_some(), erased_again };
    if out.json {
        return out.json_value(&restored);
    }
    out.line(format_args!("Restored the log up to position {} from {}; {erased_again} erasures applied again.", restored.position, restored.mirror))?;
    if let Some(missing) = &restored.missing {
        out.note(format_args!("Position {} is missing in the mirror; what it holds behind that, up to {}, was left out.", missing.first, missing.newest));
    }
    if keys.is_none() {
        out.note("Nothing personal that is in the log can be read: there are no keys.");
    }
    out.note(format_args!("\nNext: bongsu audit --data {0}, then bongsu serve --data {0}", data.root().display()));
    Ok(())
}

/// Fills the folder; on an error something may be in it.
async fn make(command: &Restore, data: &DataDir, target: Target, master: Option<&str>, keys: Option<&Path>) -> Result<(Rebuilt, u64), CliError> {
    let unfinished = data.root().join(UNFINISHED);
    let writer = SqliteRawWriter::open(&unfinished)?;
    let mut progress = Progress::new("events", std::io::stderr().is_terminal());
    let rebuild = Rebuild::new(target, Arc::new(SystemClock::default()));
    let rebuilt = rebuild.run(writer, |position, newest| progress.at(position, newest, None)).await;
    progress.finish();
    let rebuilt = rebuilt.map_err(refused)?;
    if let Some(missing) = rebuilt.missing
        && !command.partial
    {
        return Err(incomplete(rebuilt.position, missing));
    }
    // The writer is gone, and with it the journal: the file is the whole log.
    std::fs::rename(&unfinished, data.log()).and_then(|()| std::fs::File::open(data.root())?.sync_all()).map_err(CliError::failure)?;
    command.copy_master_key(data)?;
    verify(data, rebuilt.position)?;
    let Some(source) = keys else { return Ok((rebuilt, 0)) };
    copy_keys(source, &data.keys()).map_err(|error| CliError::failure(format!("{} cannot be copied: {error}", source.display())))?;
    let master = data.find_master_key(master, None)?.ok_or_else(|| CliError::usage("there is no master key"))?;
    let keys = KeyStore::open(&data.keys(), master, Arc::new(SystemRandom))?;
    prove(data, &keys)?;
    // The copy of the keys may be older than the erasures in the log.
    let erased_again = erase_keys_of_erased(&closed(&data.log())?, &std::sync::Arc::new(keys), 0).await?;
    Ok((rebuilt, erased_again))
}

/// Copies a key store durably. That of an old data folder may have its newest keys in a journal
/// beside it; that of a backup has none, and may lie where nothing can be written.
fn copy_keys(source: &Path, target: &Path) -> Result<(), CliError> {
    let journal = PathBuf::from(format!("{}-wal", source.display()));
    if journal.metadata().is_ok_and(|journal| journal.len() > 0) {
        commands::database::backup(&commands::database::open_reader(source)?, target)?;
    } else {
        std::fs::copy(source, target).map_err(CliError::failure)?;
    }
    std::fs::File::open(target).and_then(|file| file.sync_all()).map_err(CliError::failure)
}

impl Restore {
    /// Where the keys are; none where they are to be done without.
    fn keys_file(&self) -> Result<Option<PathBuf>, CliError> {
        if self.without_keys {
            return Ok(None);
        }
        let Some(folder) = &self.keys else {
            return Err(CliError::usage(
                "a mirror holds no keys; name the folder of a copy of keys.db with --keys (keys/ of a backup, or an old data folder), \
                 or say --without-keys: then nothing personal that is in the log can be read again",
            ));
        };
        let file = folder.join("keys.db");
        if file.is_file() { Ok(Some(file)) } else { Err(CliError::not_found(format!("there is no keys.db in {}", folder.display()))) }
    }
}

fn refused(error: RebuildError) -> CliError {
    let exit = match &error {
        RebuildError::Mirror(MirrorError::Unreachable { .. }) => Exit::Unavailable,
        RebuildError::Empty { .. } => Exit::NotFound,
        _ => Exit::Failure,
    };
    CliError::new(exit, error)
}

fn incomplete(position: u64, missing: Missing) -> CliError {
    CliError::failure(format!(
        "the mirror is whole up to position {position} only: position {} is missing, although it goes up to {}. \
         Either the server stopped while it was copying, or events were deleted from the mirror. \
         --partial restores what is whole",
        missing.position, missing.newest
    ))
}

/// Takes away what this command made; the folder was empty.
fn clear(data: &DataDir) {
    let log = data.log();
    let names = |path: &Path| ["", "-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", path.display())));
    let files = [names(&data.root().join(UNFINISHED)), names(&log), names(&data.keys())].concat();
    for file in files.iter().chain([&data.master_key_file(), &data.root().join("bongsu.lock")]) {
        // What was never made is not there.
        let _ = std::fs::remove_file(file);
    }
    let _ = std::fs::remove_dir(data.views());
}
