//! Read models where they are kept: a file for each and generation (docs/decisions/0002), or a schema
//! of Postgres that several processes share.
//!
//! [`ReadModels`] opens them all; a [`Projection`] runs the consumer of one, answers its reads,
//! and rebuilds it: into the next generation, from the log alone, while the present one serves.
//! Rebuilding within the one that serves was rejected: readers would see half a history.

mod error;
mod files;
mod follow;
mod generation;
mod parked;
mod postgres;
mod projection;
mod read_ahead;
mod read_store;
mod rebuild;
mod run;
#[cfg(test)]
mod tests;

pub use error::{BackupError, OpenError, ReadError, RebuildError};
pub use generation::Generation;
pub use projection::Projection;
pub use rebuild::{RebuildProgress, Rebuilt};
pub use run::Sources;

use crate::registry;
use commands::database::postgres::PgPlace;
use postgres::PgStore;
use std::path::Path;
use std::sync::Arc;

/// Every read model of a data folder, or of a database.
#[derive(Debug, Clone)]
pub struct ReadModels {
    all: Vec<Arc<Projection>>,
}

impl ReadModels {
    /// Opens or creates the files in a folder (`<data>/views`). The caller holds the data
    /// folder's lock: whatever no pointer names is an interrupted rebuild's, and is deleted.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        std::fs::create_dir_all(folder)?;
        let all = registry::all().into_iter().map(|registration| Projection::open(folder, registration).map(Arc::new)).collect::<Result<_, _>>()?;
        Ok(Self { all })
    }

    /// Opens or creates those in Postgres, beside the log: `place` is the log's schema, which is
    /// migrated (`PG_LOG`). Other processes may do the same at the same time.
    pub async fn open_postgres(place: PgPlace) -> Result<Self, OpenError> {
        let store = PgStore::from(place);
        let mut all = Vec::new();
        for registration in registry::all() {
            all.push(Arc::new(Projection::open_postgres(store.clone(), registration).await?));
        }
        Ok(Self { all })
    }

    /// Connections that those in Postgres use at most, while none is rebuilt.
    pub fn most_connections() -> u32 {
        let models = u32::try_from(registry::all().len()).unwrap_or(u32::MAX);
        postgres::TABLE_CONNECTIONS + models * postgres::GENERATION_CONNECTIONS
    }

    /// All of them.
    pub fn all(&self) -> &[Arc<Projection>] {
        &self.all
    }

    /// One by name.
    pub fn find(&self, name: &str) -> Option<&Arc<Projection>> {
        self.all.iter().find(|model| model.name() == name)
    }

    /// Queries over recipients' notifications.
    pub fn notifications(&self) -> Result<crate::notifications::Notifications, OpenError> {
        self.required(crate::notifications::NAME).map(crate::notifications::Notifications::new)
    }

    /// Queries over dead letters.
    pub fn dead_letters(&self) -> Result<crate::dead_letters::DeadLetters, OpenError> {
        self.required(crate::dead_letters::NAME).map(crate::dead_letters::DeadLetters::new)
    }

    /// Queries over what administrators have set up.
    pub fn directory(&self) -> Result<crate::directory::Directory, OpenError> {
        self.required(crate::directory::NAME).map(crate::directory::Directory::new)
    }

    /// Queries over schedules.
    pub fn schedules(&self) -> Result<crate::schedules::Schedules, OpenError> {
        self.required(crate::schedules::NAME).map(crate::schedules::Schedules::new)
    }

    /// Queries over experiments.
    pub fn experiments(&self) -> Result<crate::templates::Experiments, OpenError> {
        self.required(crate::templates::NAME).map(crate::templates::Experiments::new)
    }

    /// Queries over templates.
    pub fn templates(&self) -> Result<crate::templates::Templates, OpenError> {
        self.required(crate::templates::NAME).map(crate::templates::Templates::new)
    }

    /// Queries over the suppression list.
    pub fn suppressions(&self) -> Result<crate::suppressions::Suppressions, OpenError> {
        self.required(crate::suppressions::NAME).map(crate::suppressions::Suppressions::new)
    }

    fn required(&self, name: &'static str) -> Result<Arc<Projection>, OpenError> {
        self.find(name).cloned().ok_or(OpenError::NotRegistered { name })
    }
}
