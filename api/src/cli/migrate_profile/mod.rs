//! `bongsu migrate-profile`: an installation from a data folder to Postgres, or back.
//!
//! What is moved is what cannot be made anew: the log byte by byte, the recipients' keys as they are
//! wrapped, and which master key wrapped them. Read models, the table of what is owed and timers are
//! not: their consumers start at the first event again.
//!
//! The target is filled under another name and gets its own when everything in it was compared with
//! the source. So one that is half filled is never taken for an installation, and a run that was
//! interrupted is gone on with by the next one. Right before that the source is marked: whatever
//! happens then, no two servers send the same. One transaction for all of it was rejected: an
//! interrupted run would begin anew.

mod copying;
mod database;
mod to_folder;
mod to_postgres;

use super::exit::CliError;
use super::folder::secret;
use super::output::Output;
use crate::app::data_dir::{find_master_key, master_key_variable};
use crate::config::Secret;
use clap::Args;
use commands::database::postgres::PgPlace;
use commands::log::MasterKey;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Moves an installation from a data folder to Postgres (profile cluster), or from there to a data
/// folder (profile embedded).
///
/// Stop the servers first. The log is copied byte by byte, so that positions, times and ids stay;
/// the recipients' keys stay wrapped by the same master key. Queries, what is owed and timers are
/// made anew from the log at the first start. The target must be empty. In the end everything is
/// compared, and the source is marked, so that no server starts on it by mistake.
///
/// When it was interrupted, the same command goes on where it stopped.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  BONGSU_MIGRATE_TO=postgres://bongsu:...@db:5432/bongsu bongsu migrate-profile --from ./bongsu-data --check
  BONGSU_MIGRATE_TO=postgres://bongsu:...@db:5432/bongsu bongsu migrate-profile --from ./bongsu-data
  BONGSU_MIGRATE_FROM=postgres://bongsu:...@db:5432/bongsu bongsu migrate-profile --to ./back --master-key-file ./master.key

Next: storage.profile and postgres.url in the configuration, bongsu check, then bongsu serve")]
pub struct MigrateProfile {
    /// Where it is: a data folder, or the URL of a database; one with a password is better put into
    /// the variable, since others on the machine can see flags.
    #[arg(long, value_name = "DIR|URL", env = "BONGSU_MIGRATE_FROM", hide_env_values = true, value_parser = secret)]
    pub from: Secret,
    /// Where it shall be: the other one of the two.
    #[arg(long, value_name = "DIR|URL", env = "BONGSU_MIGRATE_TO", hide_env_values = true, value_parser = secret)]
    pub to: Secret,
    /// URL of the keys' database, where it is another than the log's: `postgres.keys_url`.
    #[arg(long, value_name = "URL", env = "BONGSU_POSTGRES__KEYS_URL", hide_env_values = true, value_parser = secret)]
    pub postgres_keys: Option<Secret>,
    /// File with the master key, where it is not in the data folder. It is copied into a new one.
    #[arg(long, value_name = "PATH", env = "BONGSU_STORAGE__MASTER_KEY_FILE")]
    pub master_key_file: Option<PathBuf>,
    /// Only look whether it could be done; nothing is changed.
    #[arg(long)]
    pub check: bool,
}

/// The object of `--json`.
#[derive(Debug, Serialize)]
struct Moved {
    from: String,
    to: String,
    /// False where it was only looked.
    moved: bool,
    events: u64,
    keys: u64,
    /// Position at which an interrupted run is gone on with; 0 where there was none.
    resumed_at: u64,
    /// Of all events on both sides; nothing where it was only looked.
    sha256: Option<String>,
    took_ms: u64,
}

/// Which way.
enum Way {
    ToPostgres { folder: PathBuf, url: Secret },
    ToFolder { url: Secret, folder: PathBuf },
}

impl MigrateProfile {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        match self.way()? {
            Way::ToPostgres { folder, url } => to_postgres::run(&self, &folder, &url, out).await,
            Way::ToFolder { url, folder } => to_folder::run(&self, &url, &folder, out).await,
        }
    }

    fn way(&self) -> Result<Way, CliError> {
        match (is_url(&self.from), is_url(&self.to)) {
            (false, true) => Ok(Way::ToPostgres { folder: PathBuf::from(self.from.expose()), url: self.to.clone() }),
            (true, false) => Ok(Way::ToFolder { url: self.from.clone(), folder: PathBuf::from(self.to.expose()) }),
            (true, true) => Err(CliError::usage("both are databases; one of --from and --to must be a data folder. Postgres' own tools copy databases")),
            (false, false) => Err(CliError::usage(
                "both are folders; one of --from and --to must be a database, such as postgres://bongsu:...@host:5432/bongsu. `bongsu backup` copies folders",
            )),
        }
    }

    fn log_place(url: &Secret) -> Result<PgPlace, CliError> {
        Ok(PgPlace::new(url.expose(), crate::app::stores::LOG)?)
    }

    fn keys_place(&self, url: &Secret) -> Result<PgPlace, CliError> {
        Ok(PgPlace::new(self.postgres_keys.as_ref().unwrap_or(url).expose(), crate::app::stores::KEYS)?)
    }

    /// The master key: from the variable, the named file, or the folder.
    fn master_key(&self, folder: &Path) -> Result<MasterKey, CliError> {
        let found = find_master_key(folder, master_key_variable().as_deref(), self.master_key_file.as_deref())?;
        found.ok_or_else(|| {
            CliError::usage(
                "the master key is needed, to see that it is the one that the keys are wrapped with; \
                 name its file with --master-key-file, or set BONGSU_MASTER_KEY",
            )
        })
    }
}

fn is_url(place: &Secret) -> bool {
    ["postgres://", "postgresql://"].iter().any(|scheme| place.expose().starts_with(scheme))
}

impl Moved {
    fn tell(&self, next: &str, out: Output) -> Result<(), CliError> {
        if out.json {
            return out.json_value(self);
        }
        let Self { from, to, events, keys, .. } = self;
        match &self.sha256 {
            Some(sha256) => out.line(format_args!(
                "Moved {events} events and {keys} keys from {from} to {to} in {:.1} s; compared on both sides, sha256 {sha256}.",
                self.took_ms as f64 / 1_000.0
            ))?,
            None => out.line(format_args!("{events} events and {keys} keys of {from} can be moved to {to}."))?,
        }
        out.note(format_args!("\nNext: {next}"));
        Ok(())
    }
}

fn shown(folder: &Path) -> String {
    folder.display().to_string()
}
