//! The handle of one read model: which generation serves, who waits for it, who feeds it.

use super::error::{OpenError, ReadError};
use super::files::{self, FileGeneration};
use super::generation::{Generation, Kind};
use super::parked;
use super::postgres::PgStore;
use super::read_store::ReadStore;
use crate::registry::Registration;
use commands::database::{DatabaseError, IndexKey};
use commands::log::Position;
use rusqlite::Connection;
use sqlx::PgPool;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{Mutex, watch};

/// See the module.
#[derive(Debug)]
pub struct Projection {
    pub(super) registration: Registration,
    pub(super) store: ReadStore,
    pub(super) serving: watch::Sender<Arc<Generation>>,
    /// A rebuild about to switch holds the consumer still.
    pub(super) held: watch::Sender<bool>,
    /// The consumer is at work.
    pub(super) running: watch::Sender<bool>,
    pub(super) rebuilding: Mutex<()>,
    /// Held while `serving` is replaced.
    pub(super) switching: Mutex<()>,
}

impl Projection {
    /// Opens the generation that serves, or creates the first.
    pub fn open(folder: &Path, registration: Registration) -> Result<Self, OpenError> {
        let number = files::serving(folder, registration.name)?;
        files::sweep(folder, registration.name, number)?;
        let generation = FileGeneration::open(folder, &registration, number, true).map_err(|error| OpenError::File { name: registration.name, error })?;
        Ok(Self::over(ReadStore::Files(folder.to_owned()), registration, Generation::new(number, Kind::File(generation))))
    }

    /// Opens the generation that serves in Postgres, or creates the first.
    pub(crate) async fn open_postgres(store: PgStore, registration: Registration) -> Result<Self, OpenError> {
        let refused = |error| OpenError::Postgres { name: registration.name, error };
        let (number, generation) = store.open(&registration, true).await.map_err(refused)?;
        let opened = Self::over(ReadStore::Postgres(Box::new(store)), registration, Generation::new(number, Kind::Postgres(Box::new(generation))));
        let position = opened.checkpoint().await.map_err(|error| refused(DatabaseError::BrokenOff(error.to_string())))?;
        opened.serving().progress().learn(position);
        Ok(opened)
    }

    fn over(store: ReadStore, registration: Registration, serving: Generation) -> Self {
        Self {
            registration,
            store,
            serving: watch::Sender::new(Arc::new(serving)),
            held: watch::Sender::new(false),
            running: watch::Sender::new(false),
            rebuilding: Mutex::new(()),
            switching: Mutex::new(()),
        }
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
        match serving.rows().checkpoint(self.name()).await.map_err(ReadError::from) {
            Err(ReadError::Gone { .. }) => {
                self.follow_switch().await?;
                Ok(self.serving().rows().checkpoint(self.name()).await?)
            }
            answer => answer,
        }
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

    /// Runs a read on the serving generation, in the words of its store: on a connection to its
    /// file, where it may block, or over a pool of its schema.
    pub(crate) async fn read<T, F>(
        &self,
        file: impl FnOnce(&Connection) -> Result<T, ReadError> + Send + 'static,
        postgres: impl Fn(PgPool) -> F + Send + Sync,
    ) -> Result<T, ReadError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ReadError>> + Send,
    {
        // Held until the read has ended: its rows stay as long.
        let serving = self.serving();
        match serving.kind() {
            Kind::File(generation) => generation.rows().readers().read(file).await,
            Kind::Postgres(generation) => match generation.read(&postgres).await {
                Err(gone @ ReadError::Gone { .. }) => self.read_again(serving.number(), gone, postgres).await,
                answer => answer,
            },
        }
    }

    /// As [`Self::read`], in one snapshot; of a file with the numbers of all rows of a key that its
    /// deferred index may lack in it.
    pub(crate) async fn read_by_key<T, F>(
        &self,
        key: IndexKey,
        file: impl FnOnce(&Connection, &[u64]) -> Result<T, ReadError> + Send + 'static,
        postgres: impl Fn(PgPool) -> F + Send + Sync,
    ) -> Result<T, ReadError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ReadError>> + Send,
    {
        let serving = self.serving();
        if let Kind::File(generation) = serving.kind() {
            return generation.rows().read_by_key(key, file).await;
        }
        self.read(move |connection| file(connection, &[]), postgres).await
    }

    /// Once more, where another process has let another generation serve and this one was dropped.
    async fn read_again<T, F>(&self, gone: u64, error: ReadError, postgres: impl Fn(PgPool) -> F + Send + Sync) -> Result<T, ReadError>
    where
        F: Future<Output = Result<T, ReadError>> + Send,
    {
        self.follow_switch().await?;
        let serving = self.serving();
        match serving.kind() {
            Kind::Postgres(generation) if serving.number() != gone => generation.read(postgres).await,
            _ => Err(error),
        }
    }

    /// Events that its consumer could not take in: position, stream, reason. They need a repair
    /// and a rebuild.
    pub async fn parked(&self) -> Result<Vec<(Position, u64, String)>, ReadError> {
        let name = self.name();
        self.read(move |connection| parked::sqlite(connection, name), move |pool| parked::postgres(pool, name)).await
    }
}
