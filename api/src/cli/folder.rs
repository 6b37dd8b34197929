//! Commands that read a data folder, whether a server runs on it or not.

use super::exit::CliError;
use crate::app::data_dir::{DataDir, MASTER_KEY_VARIABLE, master_key_variable};
use clap::Args;
use commands::database::Readers;
use commands::log::sqlite::SqliteReader;
use commands::log::{KeyStore, MasterKey, Sealer};
use commands::ports::SystemRandom;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which data folder.
#[derive(Debug, Clone, Args)]
pub struct Folder {
    /// Data folder.
    #[arg(long, value_name = "DIR", env = "BONGSU_STORAGE__DATA_DIR", default_value = "./bongsu-data")]
    pub data: PathBuf,
}

impl Folder {
    /// The folder, which must exist.
    pub fn existing(&self) -> Result<DataDir, CliError> {
        Ok(DataDir::existing(&self.data)?)
    }

    /// Its log with personal parts closed.
    pub fn log(&self) -> Result<SqliteReader, CliError> {
        Ok(closed(&self.existing()?.log())?)
    }

    /// Its log; `open` asks for the master key.
    pub fn log_opened(&self, open: bool) -> Result<SqliteReader, CliError> {
        if !open {
            return self.log();
        }
        let folder = self.existing()?;
        let master = folder
            .find_master_key(master_key_variable().as_deref(), configured_key().as_deref())?
            .ok_or_else(|| CliError::failure(format!("personal parts need the master key, and the folder has none; set {MASTER_KEY_VARIABLE}")))?;
        let keys = KeyStore::open(&folder.keys(), master, Arc::new(SystemRandom))?;
        Ok(SqliteReader::new(Readers::new(folder.log(), 4), Sealer::new(Arc::new(keys), Arc::new(SystemRandom))))
    }
}

/// The file named by `storage.master_key_file` in the environment.
pub fn configured_key() -> Option<PathBuf> {
    std::env::var_os("BONGSU_STORAGE__MASTER_KEY_FILE").map(PathBuf::from)
}

/// A log whose personal parts stay closed: its key store is empty and lives in memory.
pub fn closed(log: &Path) -> Result<SqliteReader, commands::log::KeyError> {
    let keys = KeyStore::open(Path::new(":memory:"), MasterKey::new([0; 32]), Arc::new(SystemRandom))?;
    Ok(SqliteReader::new(Readers::new(log.to_owned(), 4), Sealer::new(Arc::new(keys), Arc::new(SystemRandom))))
}
