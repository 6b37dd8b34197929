//! Deliveries whose retries are exhausted, until a person redrives or discards them.
//!
//! A row holds what the event gives. Channel, sender and category are in events of long before;
//! whoever shows a dead letter loads its notification from the log anyway.

mod project;
mod query;
#[cfg(test)]
mod tests;

pub use project::DeadLettersProjection;
pub use query::{DeadLetterRow, DeadLetters};

use crate::registry::{CHECKPOINTS, CHECKPOINTS_POSTGRES, EPOCHS_POSTGRES, PostgresTables, Registration};

/// The consumer's name.
pub const NAME: &str = "dead_letters";

/// See the module.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    migrations: &[CHECKPOINTS, include_str!("../../../migrations/sqlite/0001_dead_letters.sql")],
    indexes: "",
    deferral: None,
    postgres: PostgresTables {
        migrations: &[CHECKPOINTS_POSTGRES, include_str!("../../../migrations/postgres/0001_dead_letters.sql"), EPOCHS_POSTGRES],
        indexes: "",
    },
    consumer: || Box::new(DeadLettersProjection),
};
