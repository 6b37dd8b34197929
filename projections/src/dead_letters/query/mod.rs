//! What an operator asks about dead letters; in the words of each store in [`sqlite`] and [`postgres`].

mod postgres;
mod sqlite;

use crate::store::{Projection, ReadError};
use commands::log::{Position, StreamNo};
use domain::values::{DeliveryNo, Millis, NotificationId};
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

/// The columns of a row as both stores give them: position, number, id, delivery, code, unknown,
/// attempts, at.
type Columns = (i64, i64, [u8; 16], i64, String, i64, i64, Millis);

impl DeadLetterRow {
    fn of((position, number, id, delivery, code, unknown, attempts, at): Columns) -> Result<Self, ReadError> {
        Ok(Self {
            position: unsigned(position),
            number: unsigned(number),
            id: NotificationId(Uuid::from_bytes(id)),
            delivery: delivery.try_into().map_err(|_| UNREADABLE)?,
            code,
            unknown: unknown != 0,
            attempts: attempts.try_into().map_err(|_| UNREADABLE)?,
            at,
        })
    }
}

const UNREADABLE: ReadError = ReadError::Unreadable { model: super::NAME };

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
        let (after, first, wanted) = (signed(after), signed(first as u64), code.clone());
        self.projection.read(move |connection| sqlite::list(connection, after, first, wanted), |pool| postgres::list(pool, after, first, code.clone())).await
    }

    /// How many there are of each code, in the order of the codes.
    pub async fn counts(&self) -> Result<Vec<(String, u64)>, ReadError> {
        self.projection.read(sqlite::counts, postgres::counts).await
    }
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
