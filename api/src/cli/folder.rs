//! Commands that read a data folder or a database, whether a server runs on it or not.

use super::exit::CliError;
use crate::app::data_dir::{DataDir, MASTER_KEY_VARIABLE, find_master_key, master_key_variable};
use crate::app::stores;
use crate::config::Secret;
use clap::Args;
use commands::database::Readers;
use commands::database::postgres::PgPlace;
use commands::log::postgres::PostgresReader;
use commands::log::sqlite::SqliteReader;
use commands::log::{KeyStore, LogReader, MasterKey, PostgresKeys, Sealer};
use commands::ports::SystemRandom;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which data folder, or database.
#[derive(Debug, Clone, Args)]
pub struct Folder {
    /// Data folder.
    #[arg(long, value_name = "DIR", env = "BONGSU_STORAGE__DATA_DIR", default_value = "./bongsu-data")]
    pub data: PathBuf,
    /// URL of the database, of a log in Postgres (profile `cluster`).
    #[arg(long, value_name = "URL", env = "BONGSU_POSTGRES__URL", hide_env_values = true, value_parser = secret)]
    pub postgres: Option<Secret>,
    /// URL of the keys' database, where it is another.
    #[arg(long, value_name = "URL", env = "BONGSU_POSTGRES__KEYS_URL", hide_env_values = true, value_parser = secret)]
    pub postgres_keys: Option<Secret>,
}

pub(super) fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

impl Folder {
    /// The folder, which must exist.
    pub fn existing(&self) -> Result<DataDir, CliError> {
        Ok(DataDir::existing(&self.data)?)
    }

    /// Its log with personal parts closed.
    pub fn log(&self) -> Result<Arc<dyn LogReader>, CliError> {
        match &self.postgres {
            Some(url) => self.postgres_log(url, empty_keys()?),
            None => Ok(Arc::new(closed(&self.existing()?.log())?)),
        }
    }

    /// Its log; `open` asks for the master key.
    pub fn log_opened(&self, open: bool) -> Result<Arc<dyn LogReader>, CliError> {
        if !open {
            return self.log();
        }
        // With a database the folder need hold no more than the master key.
        let master = find_master_key(&self.data, master_key_variable().as_deref(), configured_key().as_deref())?;
        let missing = || CliError::failure(format!("personal parts need the master key, and the folder has none; set {MASTER_KEY_VARIABLE}"));
        match &self.postgres {
            Some(url) => {
                let master = master.ok_or_else(missing)?;
                let place = PgPlace::new(self.postgres_keys.as_ref().unwrap_or(url).expose(), stores::KEYS)?;
                self.postgres_log(url, KeyStore::over(Box::new(PostgresKeys::new(&place)?), master, Arc::new(SystemRandom)))
            }
            None => {
                let folder = self.existing()?;
                let keys = KeyStore::open(&folder.keys(), master.ok_or_else(missing)?, Arc::new(SystemRandom))?;
                Ok(Arc::new(SqliteReader::new(Readers::new(folder.log(), CONNECTIONS), sealer(keys))))
            }
        }
    }

    fn postgres_log(&self, url: &Secret, keys: KeyStore) -> Result<Arc<dyn LogReader>, CliError> {
        let pool = PgPlace::new(url.expose(), stores::LOG)?.pool(1);
        Ok(Arc::new(PostgresReader::new(pool, sealer(keys))))
    }
}

/// Connections that read at once.
const CONNECTIONS: usize = 4;

fn sealer(keys: KeyStore) -> Sealer {
    Sealer::new(Arc::new(keys), Arc::new(SystemRandom))
}

/// Keys of nobody, in memory: what they would open stays closed.
fn empty_keys() -> Result<KeyStore, commands::log::KeyError> {
    KeyStore::open(Path::new(":memory:"), MasterKey::new([0; 32]), Arc::new(SystemRandom))
}

/// The file named by `storage.master_key_file` in the environment.
pub fn configured_key() -> Option<PathBuf> {
    std::env::var_os("BONGSU_STORAGE__MASTER_KEY_FILE").map(PathBuf::from)
}

/// A log in Postgres whose personal parts stay closed.
pub fn closed_postgres(place: &PgPlace) -> Result<PostgresReader, commands::log::KeyError> {
    Ok(PostgresReader::new(place.pool(1), sealer(empty_keys()?)))
}

/// A log whose personal parts stay closed.
pub fn closed(log: &Path) -> Result<SqliteReader, commands::log::KeyError> {
    Ok(SqliteReader::new(Readers::new(log.to_owned(), CONNECTIONS), sealer(empty_keys()?)))
}
