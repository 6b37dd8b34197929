//! What administrators have set up: categories, senders and API keys.
//!
//! The server loads all of it at its start, for authentication and for the checks at the door.
//! Keys are here as the log has them: a public prefix and a keyed hash, never the key.

mod project;
mod query;
#[cfg(test)]
mod tests;

pub use project::DirectoryProjection;
pub use query::{ApiKeyRow, CategoryRow, Directory, SenderRow};

use crate::registry::{CHECKPOINTS, CHECKPOINTS_POSTGRES, EPOCHS_POSTGRES, PostgresTables, Registration};

/// The consumer's name.
pub const NAME: &str = "directory";

/// See the module.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    migrations: &[CHECKPOINTS, include_str!("../../../migrations/sqlite/0001_directory.sql")],
    indexes: "",
    deferral: None,
    postgres: PostgresTables {
        migrations: &[CHECKPOINTS_POSTGRES, include_str!("../../../migrations/postgres/0001_directory.sql"), EPOCHS_POSTGRES],
        indexes: "",
    },
    consumer: || Box::new(DirectoryProjection),
};
