//! Templates as they are found: by the words of their key, name, tags, description and texts.
//!
//! Guarantee: both stores find the same, in the same order, in every script. Each word that is looked for is a
//! substring of the lower case, made here; so one syllable of Korean finds as a whole word does. Rejected: SQLite's
//! FTS5 and Postgres' trigrams, which fold letters differently, do not find one or two characters, and pay off with
//! many more rows than anybody has templates (10,000 are looked through in some ten milliseconds).

mod experiments;
mod project;
mod query;
#[cfg(test)]
mod tests;
mod words;

pub use experiments::{Experiments, VariantRow};
pub use project::TemplatesProjection;
pub use query::{Found, TemplateRow, Templates};

use crate::registry::{CHECKPOINTS, CHECKPOINTS_POSTGRES, EPOCHS_POSTGRES, PostgresTables, Registration};

/// The consumer's name.
pub const NAME: &str = "templates";

/// See the module.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    migrations: &[CHECKPOINTS, include_str!("../../../migrations/sqlite/0001_templates.sql"), include_str!("../../../migrations/sqlite/0002_experiments.sql")],
    indexes: "",
    deferral: None,
    postgres: PostgresTables {
        migrations: &[
            CHECKPOINTS_POSTGRES,
            include_str!("../../../migrations/postgres/0001_templates.sql"),
            EPOCHS_POSTGRES,
            include_str!("../../../migrations/postgres/0003_experiments.sql"),
        ],
        indexes: "",
    },
    consumer: || Box::new(TemplatesProjection),
};
