//! What senders ask about schedules; in the words of each store in [`sqlite`] and [`postgres`].

mod postgres;
mod sqlite;

use super::project::{ACTIVE, PAUSED};
use crate::store::{Projection, ReadError};
use commands::log::Position;
use domain::schedule::Standing;
use domain::values::{CategoryKey, Millis, RecipientId, ScheduleId, SenderKey};
use std::sync::Arc;
use uuid::Uuid;

/// A schedule, without what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRow {
    /// Its id.
    pub id: ScheduleId,
    /// For whom.
    pub recipient: RecipientId,
    /// Who asks.
    pub sender: SenderKey,
    /// Which kind.
    pub category: CategoryKey,
    /// Asked with a sandbox key.
    pub sandbox: bool,
    /// Whether it fires.
    pub standing: Standing,
    /// The next run (ms since the epoch).
    pub next: Option<Millis>,
    /// Of its definition; the cursor.
    pub defined_position: Position,
}

/// Which schedules are wanted; what is absent makes no difference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScheduleFilter {
    /// For whom.
    pub recipient: Option<RecipientId>,
    /// Who asks.
    pub sender: Option<SenderKey>,
    /// Asked with a sandbox key, or not.
    pub sandbox: Option<bool>,
}

/// The columns of a row as both stores give them, in order.
macro_rules! columns {
    () => {
        "id, recipient, sender, category, sandbox, standing, next, defined_position"
    };
}
use columns;
type Columns = ([u8; 16], [u8; 16], String, String, i64, i64, Option<Millis>, i64);

const UNREADABLE: ReadError = ReadError::Unreadable { model: super::NAME };

impl ScheduleRow {
    fn of((id, recipient, sender, category, sandbox, standing, next, position): Columns) -> Result<Self, ReadError> {
        Ok(Self {
            id: ScheduleId(Uuid::from_bytes(id)),
            recipient: RecipientId(Uuid::from_bytes(recipient)),
            sender: SenderKey::new(&sender).map_err(|_| UNREADABLE)?,
            category: CategoryKey::new(&category).map_err(|_| UNREADABLE)?,
            sandbox: sandbox != 0,
            standing: match u8::try_from(standing) {
                Ok(ACTIVE) => Standing::Active,
                Ok(PAUSED) => Standing::Paused,
                _ => Standing::Ended,
            },
            next,
            defined_position: u64::try_from(position).unwrap_or(0),
        })
    }
}

/// Queries over the serving generation. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Schedules {
    projection: Arc<Projection>,
}

impl Schedules {
    /// Over the read model of this name.
    pub const fn new(projection: Arc<Projection>) -> Self {
        Self { projection }
    }

    /// The read model, for waiting until it has come far enough.
    pub const fn projection(&self) -> &Arc<Projection> {
        &self.projection
    }

    /// Schedules defined after a position, in the order of their definition.
    pub async fn list(&self, filter: ScheduleFilter, after: Position, first: usize) -> Result<Vec<ScheduleRow>, ReadError> {
        let (after, first, copy) = (signed(after), signed(first as u64), filter.clone());
        self.projection
            .read(move |connection| sqlite::list(connection, &filter, after, first), move |pool| postgres::list(pool, copy.clone(), after, first))
            .await
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
