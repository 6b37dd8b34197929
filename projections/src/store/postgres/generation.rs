//! A generation in a schema of its own.

use super::schemas::Schema;
use crate::store::error::ReadError;
use commands::consumer::PgRows;
use commands::database::DatabaseError;
use sqlx::{Executor, PgPool};
use std::future::Future;
use std::time::Duration;

/// Connections of one process to one generation: its consumer's, and its readers'.
pub(in crate::store) const CONNECTIONS: u32 = 4;
/// Longest wait for the answer to a read.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub(crate) struct PgGeneration {
    pub(super) rows: PgRows,
    pub(super) indexes: &'static str,
    pub(super) schema: Schema,
}

impl PgGeneration {
    /// The consumer's side.
    pub(crate) const fn rows(&self) -> &PgRows {
        &self.rows
    }

    /// Makes the indexes.
    pub(crate) async fn complete(&self) -> Result<(), DatabaseError> {
        if !self.indexes.is_empty() {
            self.rows.pool().execute(self.indexes).await?;
        }
        Ok(())
    }

    /// Asks it, for a limited time.
    pub(crate) async fn read<T, F>(&self, ask: impl FnOnce(PgPool) -> F) -> Result<T, ReadError>
    where
        F: Future<Output = Result<T, ReadError>>,
    {
        match tokio::time::timeout(READ_WITHIN, ask(self.rows.pool().clone())).await {
            Ok(answer) => answer,
            Err(_) => Err(DatabaseError::NoAnswer.into()),
        }
    }

    /// Bytes on disk, with indexes.
    pub(crate) async fn bytes(&self) -> Result<u64, ReadError> {
        self.read(|pool| async move {
            let sum = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace";
            let bytes: i64 = sqlx::query_scalar(sum).fetch_one(&pool).await?;
            Ok(bytes.unsigned_abs())
        })
        .await
    }

    pub(crate) fn keep(&self, keep: bool) {
        self.schema.keep(keep);
    }
}
