//! `bongsu restore`: a data folder from a backup, or from a mirror.

mod mirror;
#[cfg(test)]
mod tests;

use super::backup::manifest::Manifest;
use super::backup::{empty, head};
use super::exit::CliError;
use super::folder::closed;
use super::output::Output;
use crate::app::data_dir::{DataDir, master_key_variable, write_private};
use clap::Args;
use commands::log::{KeyStore, erase_keys_of_erased};
use commands::ports::SystemRandom;
use projections::feed::kurrentdb::{DEFAULT_PREFIX, Target};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;

/// Makes a data folder from a backup, or from a mirror in KurrentDB.
///
/// Every file is compared with the backup's manifest, every event of a mirror with its id; whoever
/// was erased up to then is erased again. What was delivered afterwards is not known: deliveries
/// that were pending are made again.
///
/// A mirror holds the log and no keys: name the folder of a copy of keys.db with --keys. Without it
/// personal data stay sealed for ever.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu restore --from /backups/2026-01-31 --data ./restored --master-key-file ~/master.key
  BONGSU_MASTER_KEY=... bongsu restore --from /backups/2026-01-31 --data ./restored
  BONGSU_RESTORE_FROM=esdb://user:password@host:2113 bongsu restore --data ./restored --keys /backups/2026-01-31/keys --master-key-file ~/master.key

Next: bongsu audit --data ./restored, then bongsu serve --data ./restored")]
pub struct Restore {
    /// The backup, or the connection string of KurrentDB; one with a password is better put into
    /// the variable, since others on the machine can see flags.
    #[arg(long, value_name = "DIR|URL", env = "BONGSU_RESTORE_FROM", hide_env_values = true)]
    pub from: PathBuf,
    /// The data folder to make; it must be absent or empty.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Folder of keys.db, where it was kept apart [default: keys/ of the backup].
    #[arg(long, value_name = "DIR")]
    pub keys: Option<PathBuf>,
    /// File with the master key; it is copied into the data folder.
    #[arg(long, value_name = "PATH")]
    pub master_key_file: Option<PathBuf>,
    /// Of a mirror: `mirror.prefix` of the server that wrote it.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_PREFIX)]
    pub prefix: String,
    /// Of a mirror: restore although there is no copy of keys.db. Nothing personal that is in the
    /// log can be read again.
    #[arg(long, conflicts_with = "keys")]
    pub without_keys: bool,
    /// Of a mirror with a hole: restore what is whole before it.
    #[arg(long)]
    pub partial: bool,
}

/// The object of `--json`.
#[derive(Debug, Serialize)]
struct Restored {
    position: u64,
    created_at: String,
    files: usize,
    erased_again: u64,
}

impl Restore {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        if let Some(connection) = self.from.to_str().filter(|text| Target::is_connection(text)).map(str::to_owned) {
            return mirror::run(self, &connection, out).await;
        }
        if self.without_keys || self.partial {
            return Err(CliError::usage("--without-keys and --partial are for mirrors, and this is a backup: leave them out"));
        }
        let (data, manifest, keys) = {
            let this = self;
            tokio::task::spawn_blocking(move || this.copy()).await.map_err(CliError::failure)??
        };
        let log = closed(&data.log())?;
        let erased_again = erase_keys_of_erased(&log, &std::sync::Arc::new(keys), 0).await?;
        let restored = Restored { position: manifest.position, created_at: manifest.created_at, files: manifest.files.len(), erased_again };
        if out.json {
            return out.json_value(&restored);
        }
        out.line(format_args!(
            "Restored {} files as of {}, up to position {}; {} erasures applied again.",
            restored.files, restored.created_at, restored.position, restored.erased_again
        ))?;
        out.note(format_args!("\nNext: bongsu audit --data {0}, then bongsu serve --data {0}", data.root().display()));
        Ok(())
    }

    fn copy(self) -> Result<(DataDir, Manifest, KeyStore), CliError> {
        let manifest = Manifest::verified(&self.from, self.keys.as_deref())?;
        empty(&self.data)?;
        let text = self.master_key_text()?;
        let data = DataDir::lock(&self.data)?;
        for file in &manifest.files {
            // keys/ is a folder of backups only: in a data folder they lie beside the log.
            let target = data.root().join(file.name.strip_prefix("keys/").unwrap_or(&file.name));
            std::fs::copy(file.path(&self.from, self.keys.as_deref()), &target)
                .and_then(|_| std::fs::File::open(&target)?.sync_all())
                .map_err(|error| CliError::failure(format!("{} cannot be copied: {error}", file.name)))?;
        }
        self.copy_master_key(&data)?;
        verify(&data, manifest.position)?;
        let master = data.find_master_key(text.as_deref(), None)?.ok_or_else(|| CliError::usage("there is no master key"))?;
        let keys = KeyStore::open(&data.keys(), master, Arc::new(SystemRandom))?;
        prove(&data, &keys)?;
        Ok((data, manifest, keys))
    }

    /// The master key's variable; an error where the key is nowhere.
    fn master_key_text(&self) -> Result<Option<String>, CliError> {
        let text = master_key_variable();
        if text.is_none() && self.master_key_file.is_none() {
            return Err(CliError::usage(
                "the master key is needed, and neither backups nor mirrors hold it; name its file with --master-key-file, or set BONGSU_MASTER_KEY",
            ));
        }
        Ok(text)
    }

    fn copy_master_key(&self, data: &DataDir) -> Result<(), CliError> {
        if let Some(path) = &self.master_key_file {
            let key = std::fs::read_to_string(path).map_err(|error| CliError::usage(format!("the master key file cannot be read: {error}")))?;
            write_private(&data.master_key_file(), key.trim())?;
        }
        Ok(())
    }
}

/// The log is whole, and ends where the backup said.
fn verify(data: &DataDir, position: u64) -> Result<(), CliError> {
    let connection = commands::database::open_reader(&data.log())?;
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(CliError::failure(format!("the restored log is damaged: {verdict}; use another backup")));
    }
    let found = head(&connection)?;
    if found != position {
        return Err(CliError::failure(format!("the restored log ends at position {found}, the backup at {position}; use another backup")));
    }
    Ok(())
}

/// The master key is the one that these keys were wrapped with: one is unwrapped to see.
fn prove(data: &DataDir, keys: &KeyStore) -> Result<(), CliError> {
    use rusqlite::OptionalExtension;
    let connection = commands::database::open_reader(&data.keys())?;
    let any: Option<Vec<u8>> = connection.query_row("SELECT subject FROM keys LIMIT 1", [], |row| row.get(0)).optional()?;
    if let Some(subject) = any.and_then(|bytes| uuid::Uuid::from_slice(&bytes).ok()) {
        keys.find(subject)?;
    }
    Ok(())
}
