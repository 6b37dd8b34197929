//! Experiments of templates: how many were assigned each variant, opened it, followed a link, or unsubscribed by it.
//!
//! People are counted, not notifications: the same person told twice is one. Only what is part of an experiment
//! has a row, so that everything else costs nothing.

mod project;
mod query;
#[cfg(test)]
mod tests;

pub use project::ExperimentsProjection;
pub use query::{Experiments, VariantRow};

use crate::registry::{CHECKPOINTS, CHECKPOINTS_POSTGRES, EPOCHS_POSTGRES, PostgresTables, Registration};

/// The consumer's name.
pub const NAME: &str = "experiments";

/// See the module.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    migrations: &[CHECKPOINTS, include_str!("../../../migrations/sqlite/0001_experiments.sql")],
    indexes: "",
    deferral: None,
    postgres: PostgresTables {
        migrations: &[CHECKPOINTS_POSTGRES, include_str!("../../../migrations/postgres/0001_experiments.sql"), EPOCHS_POSTGRES],
        indexes: "",
    },
    consumer: || Box::new(ExperimentsProjection),
};
