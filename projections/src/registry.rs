//! All read models. Adding one is its folder, its migration and its entry here; a test compares
//! the list with the folders.

#[cfg(test)]
mod tests;

use crate::{dead_letters, directory, notifications, schedules, suppressions, templates};
use commands::consumer::Consumer;
use commands::database::postgres::PgMigrations;
use commands::database::{Deferral, Migrations};

/// A read model as the rest of the program sees it.
#[derive(Clone, Copy)]
pub struct Registration {
    /// Its name, its consumer's name and the beginning of its file's name. Never changed.
    pub name: &'static str,
    /// Its tables; the first migration is always the checkpoints'.
    pub migrations: Migrations,
    /// Its indexes, where they are worth making last in a rebuild: SQL that may be executed again.
    pub indexes: &'static str,
    /// Its index that is written late, if it has one; `indexes` enters whatever is not.
    pub deferral: Option<Deferral>,
    /// The same in Postgres.
    pub postgres: PostgresTables,
    /// Makes its consumer.
    pub consumer: fn() -> Box<dyn Consumer + Sync>,
}

/// A read model's tables in Postgres, which enters rows into its indexes by itself.
#[derive(Clone, Copy)]
pub struct PostgresTables {
    /// Its tables; the first migration is always the checkpoints'.
    pub migrations: PgMigrations,
    /// Its indexes that are worth making last in a rebuild: SQL that may be executed again.
    pub indexes: &'static str,
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Registration").field(&self.name).finish()
    }
}

/// Every read model.
pub fn all() -> Vec<Registration> {
    vec![
        dead_letters::REGISTRATION,
        directory::REGISTRATION,
        notifications::REGISTRATION,
        schedules::REGISTRATION,
        suppressions::REGISTRATION,
        templates::REGISTRATION,
    ]
}

/// The registration of a name.
pub fn find(name: &str) -> Option<Registration> {
    all().into_iter().find(|registration| registration.name == name)
}

/// Where a consumer stands: the first migration of every read model.
pub const CHECKPOINTS: &str = include_str!("../../migrations/sqlite/0001_checkpoints.sql");
/// The same in Postgres.
pub const CHECKPOINTS_POSTGRES: &str = include_str!("../../migrations/postgres/0001_checkpoints.sql");
/// Under which turn they were moved.
pub const EPOCHS_POSTGRES: &str = include_str!("../../migrations/postgres/0002_epochs.sql");
