//! `[postgres]`: the database of the cluster profile.

use super::section::{Reader, section};
use super::storage::{Profile, Storage};
use super::value::Secret;

section! {
    /// The database of the profile `cluster`.
    Postgres at "postgres" {
        /// Where it is: `postgres://user:password@host:5432/database?sslmode=verify-full`. Needed by
        /// the profile `cluster`; the user must be allowed to create schemas in the database.
        url: Option<Secret>,
        /// Where recipients' keys are, if not in the same database: with a database of their own,
        /// backups of the log hold no key, and what was erased stays unreadable in them.
        keys_url: Option<Secret>,
        /// Connections for reading the log and what is owed.
        connections: usize = "8",
        /// Start even though the server's settings may lose what was accepted (`fsync = off`,
        /// `full_page_writes = off`, `synchronous_commit = off`). For tests only.
        allow_unsafe_settings: bool = "false",
    }
}

impl Postgres {
    fn check(&self, reader: &mut Reader<'_>) {
        reader.require((1..=256).contains(&self.connections), "postgres.connections", "must be between 1 and 256");
    }

    /// What only the two sections together say.
    pub(super) fn check_with(&self, storage: &Storage, reader: &mut Reader<'_>) {
        let named = storage.profile == Profile::Embedded || self.url.is_some();
        reader.require(named, "postgres.url", "is needed by the profile `cluster` (storage.profile)");
    }
}
