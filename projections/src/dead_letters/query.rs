//! What an operator asks about dead letters.

use crate::store::{Projection, ReadError};
use commands::log::{Position, StreamNo};
use domain::values::{DeliveryNo, Millis, NotificationId};
use rusqlite::params;
use std::sync::Arc;
use uuid::Uuid;

/// A delivery that awaits a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterRow {
    /// Of its `DeadLettered` event; the cursor.
    pub position: Position,
    /// The notification's stream number.
    pub number: StreamNo,
    /// The notification.
    pub id: NotificationId,
    /// The delivery within it.
    pub delivery: DeliveryNo,
    /// The provider's last answer as a short stable code.
    pub code: String,
    /// The last outcome was unknown: it may have been delivered.
    pub unknown: bool,
    /// Attempts that were made.
    pub attempts: u32,
    /// When it was given up (ms since the epoch).
    pub at: Millis,
}

const ALL: &str = "SELECT position, number, id, delivery, code, unknown, attempts, at FROM dead_letters WHERE position > ?1 ORDER BY position LIMIT ?2";
const OF_CODE: &str =
    "SELECT position, number, id, delivery, code, unknown, attempts, at FROM dead_letters WHERE position > ?1 AND code = ?3 ORDER BY position LIMIT ?2";
const BY_CODE: &str = "SELECT code, count(*) FROM dead_letters GROUP BY code ORDER BY code";

/// Queries over the serving generation. Clones are cheap.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    projection: Arc<Projection>,
}

impl DeadLetters {
    /// Over the read model of this name.
    pub const fn new(projection: Arc<Projection>) -> Self {
        Self { projection }
    }

    /// The read model, for waiting until it has come far enough.
    pub const fn projection(&self) -> &Arc<Projection> {
        &self.projection
    }

    /// Dead letters after a position, oldest first; those of one code where one is given.
    pub async fn list(&self, after: Position, first: usize, code: Option<String>) -> Result<Vec<DeadLetterRow>, ReadError> {
        self.projection
            .read(move |connection| {
                let after = signed(after);
                let first = signed(first as u64);
                let mut statement = connection.prepare_cached(if code.is_some() { OF_CODE } else { ALL })?;
                let rows = match code {
                    Some(code) => statement.query_map(params![after, first, code], row)?,
                    None => statement.query_map(params![after, first], row)?,
                };
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// How many there are of each code, in the order of the codes.
    pub async fn counts(&self) -> Result<Vec<(String, u64)>, ReadError> {
        self.projection
            .read(|connection| {
                let mut statement = connection.prepare_cached(BY_CODE)?;
                let rows = statement.query_map([], |row| Ok((row.get(0)?, unsigned(row.get::<_, i64>(1)?))))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<DeadLetterRow> {
    Ok(DeadLetterRow {
        position: unsigned(row.get(0)?),
        number: unsigned(row.get(1)?),
        id: NotificationId(Uuid::from_bytes(row.get(2)?)),
        delivery: row.get(3)?,
        code: row.get(4)?,
        unknown: row.get(5)?,
        attempts: row.get(6)?,
        at: row.get(7)?,
    })
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
