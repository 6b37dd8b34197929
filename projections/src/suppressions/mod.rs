//! The suppression list: addresses to which nothing goes, why, and who has them. Keyed ids, never addresses.

mod project;
mod query;
#[cfg(test)]
mod tests;

pub use project::SuppressionsProjection;
pub use query::{SuppressedRow, Suppressions};

use crate::registry::{CHECKPOINTS, CHECKPOINTS_POSTGRES, EPOCHS_POSTGRES, PostgresTables, Registration};

/// The consumer's name.
pub const NAME: &str = "suppressions";

/// See the module.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    migrations: &[CHECKPOINTS, include_str!("../../../migrations/sqlite/0001_suppressions.sql")],
    indexes: "",
    deferral: None,
    postgres: PostgresTables {
        migrations: &[CHECKPOINTS_POSTGRES, include_str!("../../../migrations/postgres/0001_suppressions.sql"), EPOCHS_POSTGRES],
        indexes: "",
    },
    consumer: || Box::new(SuppressionsProjection),
};
