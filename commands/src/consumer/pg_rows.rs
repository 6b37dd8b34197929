//! A consumer's rows in a schema of Postgres, with its checkpoint.

use super::changes::Changes;
use super::rows::{Changing, Rows, RowsError, SET_CHECKPOINT};
use super::sets::Sets;
use crate::database::DatabaseError;
use crate::log::Position;
use sqlx::PgPool;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Longest wait for a transaction. One that is given up is tried again, and leaves the same rows.
const WITHIN: Duration = Duration::from_secs(30);

/// See the module. Clones share the pool.
#[derive(Debug, Clone)]
pub struct PgRows {
    pool: PgPool,
    sets: Arc<Mutex<Sets>>,
}

impl PgRows {
    /// In the schema that the pool's connections see, which is migrated.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, sets: Arc::default() }
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

    fn apply(&self, consumer: &'static str, mut changes: Changes, checkpoint: Position) -> Changing<'_, ()> {
        changes.push(&SET_CHECKPOINT, vec![consumer.into(), checkpoint.into()]);
        Box::pin(within(async move {
            let mut sets = self.sets.lock().await;
            let mut transaction = self.pool.begin().await?;
            sets.execute(&mut transaction, &changes).await?;
            Ok(transaction.commit().await?)
        }))
    }
}
