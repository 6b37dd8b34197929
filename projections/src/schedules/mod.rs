//! Schedules: whose they are and whether they fire. What they ask for is read from the log: content is
//! sealed there, and the next runs follow from the terms and the recipient's zone.

mod project;
mod query;
#[cfg(test)]
mod tests;

pub use project::SchedulesProjection;
pub use query::{ScheduleFilter, ScheduleRow, Schedules};

use crate::registry::{CHECKPOINTS, CHECKPOINTS_POSTGRES, EPOCHS_POSTGRES, PostgresTables, Registration};

/// The consumer's name.
pub const NAME: &str = "schedules";

/// See the module.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    migrations: &[CHECKPOINTS, include_str!("../../../migrations/sqlite/0001_schedules.sql")],
    indexes: "",
    deferral: None,
    postgres: PostgresTables {
        migrations: &[CHECKPOINTS_POSTGRES, include_str!("../../../migrations/postgres/0001_schedules.sql"), EPOCHS_POSTGRES],
        indexes: "",
    },
    consumer: || Box::new(SchedulesProjection),
};
