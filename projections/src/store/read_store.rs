//! The port to where a read model's generations are: files of one process, or schemas of Postgres
//! that several share. What each is asked for its rows is in the folders of the read models.
//!
//! An enum, since there are two and both are known; a trait object was rejected, for it would have
//! to erase every future and every query's type.

use super::error::RebuildError;
use super::files::{self, FileGeneration};
use super::generation::{Generation, Kind};
use super::postgres::{PgStore, PgSwitch, Rebuilding};
use crate::registry::Registration;
use commands::database::DatabaseError;
use commands::log::Position;
use commands::ports::Clock;
use std::path::PathBuf;

/// See the module.
#[derive(Debug)]
pub(super) enum ReadStore {
    /// In this folder.
    Files(PathBuf),
    /// In schemas.
    Postgres(Box<PgStore>),
}

impl ReadStore {
    /// Whether other processes may use it too.
    pub(super) const fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Says to all processes that this one rebuilds the read model; nothing, if another one does.
    pub(super) async fn rebuilding(&self, model: &str) -> Result<Option<Alone>, DatabaseError> {
        match self {
            // The data folder's lock says it.
            Self::Files(_) => Ok(Some(Alone::Files)),
            Self::Postgres(store) => Ok(store.rebuilding(model).await?.map(Alone::Postgres)),
        }
    }

    /// The generation that serves, if it is another than this one: in a folder never, which nobody
    /// else may use.
    pub(super) async fn moved(&self, registration: &Registration, from: u64) -> Result<Option<Generation>, DatabaseError> {
        let Self::Postgres(store) = self else { return Ok(None) };
        if store.serving(registration.name).await? == from {
            return Ok(None);
        }
        let (number, generation) = store.open(registration, false).await?;
        Ok(Some(Generation::new(number, Kind::Postgres(Box::new(generation)))))
    }

    /// An empty generation, without indexes, to be dropped with its rows unless it gets to serve.
    pub(super) async fn create(&self, registration: &Registration, old: u64) -> Result<Generation, RebuildError> {
        match self {
            Self::Files(folder) => {
                let number = old + 1;
                files::remove(&files::database(folder, registration.name, number))?;
                Ok(Generation::new(number, Kind::File(FileGeneration::open(folder, registration, number, false)?)))
            }
            Self::Postgres(store) => {
                let (number, generation) = store.create(registration).await?;
                Ok(Generation::new(number, Kind::Postgres(Box::new(generation))))
            }
        }
    }

    /// Begins to let another generation serve: the old one's consumer gets no further.
    pub(super) async fn begin_switch(&self, model: &'static str, old: &Generation) -> Result<Switch, RebuildError> {
        Ok(match self {
            // Its consumer is this process's, which holds it still.
            Self::Files(folder) => Switch::Files { folder: folder.clone(), model, reached: old.progress().position() },
            Self::Postgres(store) => Switch::Postgres(store.begin_switch(model, old.number()).await?),
        })
    }
}

/// This process alone rebuilds a read model.
#[derive(Debug)]
pub(super) enum Alone {
    Files,
    Postgres(Rebuilding),
}

impl Alone {
    /// Returns if that is not certain any more.
    pub(super) async fn lost(&mut self, clock: &dyn Clock) -> DatabaseError {
        match self {
            Self::Files => std::future::pending().await,
            Self::Postgres(rebuilding) => rebuilding.lost(clock).await,
        }
    }

    /// Lets others.
    pub(super) async fn release(self) {
        match self {
            Self::Files => {}
            Self::Postgres(rebuilding) => rebuilding.release().await,
        }
    }
}

/// A switch that has begun. Dropped without a commit, it leaves everything as it was.
#[derive(Debug)]
pub(super) enum Switch {
    Files { folder: PathBuf, model: &'static str, reached: Position },
    Postgres(PgSwitch),
}

impl Switch {
    /// Where the old generation stands.
    pub(super) const fn reached(&self) -> Position {
        match self {
            Self::Files { reached, .. } => *reached,
            Self::Postgres(switch) => switch.reached,
        }
    }

    /// Lets the new generation serve; its rows stay from now on.
    pub(super) async fn commit(self, fresh: &Generation) -> Result<(), RebuildError> {
        match self {
            Self::Files { folder, model, .. } => {
                files::serve(&folder, model, fresh.number())?;
                fresh.keep(true);
                Ok(())
            }
            Self::Postgres(switch) => {
                // Before: without an answer nobody knows whether it serves. If it does not, the next
                // opening drops it.
                fresh.keep(true);
                switch.commit(fresh.number()).await.map_err(RebuildError::Unanswered)
            }
        }
    }
}
