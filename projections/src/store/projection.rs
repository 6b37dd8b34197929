//! The handle of one read model: which generation serves, who waits for it, who feeds it.

use super::error::{OpenError, ReadError};
use super::files;
use super::generation::Generation;
use crate::registry::Registration;
use commands::database::IndexKey;
use commands::log::Position;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Mutex, watch};

/// See the module.
#[derive(Debug)]
pub struct Projection {
    pub(super) registration: Registration,
    pub(super) folder: PathBuf,
    pub(super) serving: watch::Sender<Arc<Generation>>,
    /// A rebuild about to switch holds the consumer still.
    pub(super) held: watch::Sender<bool>,
    /// The consumer is at work.
    pub(super) running: watch::Sender<bool>,
    pub(super) rebuilding: Mutex<()>,
}

impl Projection {
    /// Opens the generation that serves, or creates the first.
    pub fn open(folder: &Path, registration: Registration) -> Result<Self, OpenError> {
        let number = files::serving(folder, registration.name)?;
        files::sweep(folder, registration.name, number)?;
        let generation = Generation::open(folder, &registration, number, true).map_err(|error| OpenError::File { name: registration.name, error })?;
        Ok(Self {
            registration,
            folder: folder.to_owned(),
            serving: watch::Sender::new(Arc::new(generation)),
            held: watch::Sender::new(false),
            running: watch::Sender::new(false),
            rebuilding: Mutex::new(()),
        })
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.registration.name
    }

    /// The generation that serves now.
    pub fn serving(&self) -> Arc<Generation> {
        Arc::clone(&self.serving.borrow())
    }

    /// How far it has come: the last event whose effect is visible.
    pub fn position(&self) -> Position {
        self.serving().progress().position()
    }

    /// Its checkpoint as stored, whether or not its consumer runs.
    pub async fn checkpoint(&self) -> Result<Position, ReadError> {
        let serving = self.serving();
        serving.rows().checkpoint(self.name()).await.map_err(|error| ReadError::Unavailable { reason: error.to_string() })
    }

    /// Waits until reads see this position; a switch of generations does not disturb it.
    pub async fn reached(&self, position: Position) {
        let mut switched = self.serving.subscribe();
        loop {
            let serving = Arc::clone(&switched.borrow_and_update());
            tokio::select! {
                () = serving.progress().reached(position) => return,
                changed = switched.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Runs a read on the serving generation, where it may block.
    pub async fn read<T: Send + 'static>(&self, read: impl FnOnce(&Connection) -> Result<T, ReadError> + Send + 'static) -> Result<T, ReadError> {
        // Held until the read has ended: its file stays as long.
        let serving = self.serving();
        serving.readers().read(read).await
    }

    /// Runs a read in one snapshot of the serving generation, with the numbers of all rows of a
    /// key that its deferred index may lack in it.
    pub async fn read_by_key<T: Send + 'static>(
        &self,
        key: IndexKey,
        read: impl FnOnce(&Connection, &[u64]) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        self.serving().read_by_key(key, read).await
    }

    /// Events that its consumer could not take in: position, stream, reason. They need a repair
    /// and a rebuild.
    pub async fn parked(&self) -> Result<Vec<(Position, u64, String)>, ReadError> {
        let name = self.name();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached("SELECT position, stream, error FROM parked WHERE consumer = ?1 ORDER BY position")?;
            let rows = statement.query_map([name], |row| {
                let position: i64 = row.get(0)?;
                let stream: i64 = row.get(1)?;
                Ok((u64::try_from(position).unwrap_or(0), u64::try_from(stream).unwrap_or(0), row.get(2)?))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}
