//! One row a notification: what became of it, and whether its recipient has seen it.
//!
//! A row is keyed by the number of the notification's stream, so that the table grows at its end
//! and an event that names nothing but its stream finds its row. Content is not in it: whoever
//! shows a notification reads its `Requested` event from the log by `requested_position`. So the
//! rows of an erased recipient stay: nothing in them is personal, and the counts stay right.

mod fold;
mod project;
mod query;
mod row;
mod status;
#[cfg(test)]
mod tests;
mod totals;

pub use project::NotificationsProjection;
pub use query::{ArchivedFilter, HistoryFilter, HistoryPage, Notifications, Order, RequestedIn, Search, SearchPage};
pub use row::{DeliveryRow, NotificationRow};
pub use status::{DeliveryStatus, NotificationStatus};
pub use totals::Totals;

use crate::registry::{CHECKPOINTS, CHECKPOINTS_POSTGRES, EPOCHS_POSTGRES, PostgresTables, Registration};

/// The consumer's name.
pub const NAME: &str = "notifications";

/// See the module.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    migrations: &[
        CHECKPOINTS,
        include_str!("../../../migrations/sqlite/0001_notifications.sql"),
        include_str!("../../../migrations/sqlite/0002_history.sql"),
        include_str!("../../../migrations/sqlite/0003_template.sql"),
    ],
    indexes: include_str!("../../../migrations/sqlite/notifications_indexes.sql"),
    deferral: Some(query::DEFERRAL),
    postgres: PostgresTables {
        migrations: &[
            CHECKPOINTS_POSTGRES,
            include_str!("../../../migrations/postgres/0001_notifications.sql"),
            EPOCHS_POSTGRES,
            include_str!("../../../migrations/postgres/0003_room_for_changes.sql"),
            include_str!("../../../migrations/postgres/0004_template.sql"),
        ],
        indexes: include_str!("../../../migrations/postgres/notifications_indexes.sql"),
    },
    consumer: || Box::new(NotificationsProjection),
};
