//! A consumer's rows in a schema of Postgres, with its checkpoint.

use super::changes::Changes;
use super::rows::{Changing, Rows, RowsError};
use super::sets::Sets;
use crate::database::DatabaseError;
use crate::failpoint;
use crate::log::Position;
use crate::replicas::Epoch;
use sqlx::PgPool;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Longest wait for a transaction. One that is given up may have taken place: who goes on asks first
/// ([`Rows::begin`]), and that waits for whatever still holds the checkpoint's row.
const WITHIN: Duration = Duration::from_secs(30);

/// See the module. Clones share the pool.
///
/// Every change carries the epoch of the turn under which it is made, and begins with the checkpoint:
/// one under an older epoch than the checkpoint's finds no row to change, and a newer one waits for it.
#[derive(Debug, Clone)]
pub struct PgRows {
    pool: PgPool,
    sets: Arc<Mutex<Sets>>,
    epoch: Epoch,
}

const BEGIN: &str = "INSERT INTO checkpoints (consumer, position, epoch) VALUES ($1, 0, $2)
    ON CONFLICT (consumer) DO UPDATE SET epoch = excluded.epoch WHERE checkpoints.epoch <= excluded.epoch RETURNING position";
const MOVE: &str = "INSERT INTO checkpoints (consumer, position, epoch) VALUES ($1, $2, $3)
    ON CONFLICT (consumer) DO UPDATE SET position = excluded.position WHERE checkpoints.epoch = excluded.epoch";

impl PgRows {
    /// In the schema that the pool's connections see, which is migrated.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, sets: Arc::default(), epoch: 0 }
    }

    /// The same rows, changed under this epoch.
    #[must_use]
    pub fn under(&self, epoch: Epoch) -> Self {
        Self { epoch, ..self.clone() }
    }

    /// The pool, for reading.
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }
}

impl From<sqlx::Error> for RowsError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

async fn within<T>(asking: impl Future<Output = Result<T, RowsError>>) -> Result<T, RowsError> {
    tokio::time::timeout(WITHIN, asking).await.unwrap_or_else(|_| Err(DatabaseError::NoAnswer.into()))
}

impl Rows for PgRows {
    fn checkpoint(&self, consumer: &'static str) -> Changing<'_, Position> {
        Box::pin(within(async move {
            let found: Option<i64> =
                sqlx::query_scalar("SELECT position FROM checkpoints WHERE consumer = $1").bind(consumer).fetch_optional(&self.pool).await?;
            Ok(found.map_or(0, i64::unsigned_abs))
        }))
    }

    fn parked(&self, consumer: &'static str) -> Changing<'_, Vec<u64>> {
        Box::pin(within(async move {
            let found: Vec<i64> = sqlx::query_scalar("SELECT DISTINCT stream FROM parked WHERE consumer = $1").bind(consumer).fetch_all(&self.pool).await?;
            Ok(found.into_iter().map(i64::unsigned_abs).collect())
        }))
    }

    fn begin(&self, consumer: &'static str) -> Changing<'_, Position> {
        Box::pin(within(async move {
            let found: Option<i64> = sqlx::query_scalar(BEGIN).bind(consumer).bind(self.epoch.cast_signed()).fetch_optional(&self.pool).await?;
            found.map(i64::unsigned_abs).ok_or(RowsError::Fenced)
        }))
    }

    fn is_shared(&self) -> bool {
        self.epoch > 0
    }

    fn apply(&self, consumer: &'static str, changes: Changes, checkpoint: Position) -> Changing<'_, ()> {
        Box::pin(within(async move {
            let mut sets = self.sets.lock().await;
            let mut transaction = self.pool.begin().await?;
            let moved = sqlx::query(MOVE).bind(consumer).bind(checkpoint.cast_signed()).bind(self.epoch.cast_signed()).execute(&mut *transaction).await?;
            if moved.rows_affected() == 0 && !failpoint::planted("fence-ignored") {
                return Err(RowsError::Fenced);
            }
            sets.execute(&mut transaction, &changes).await?;
            Ok(transaction.commit().await?)
        }))
    }
}
