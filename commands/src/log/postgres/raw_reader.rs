//! Reading the log as it is stored, for its mirror. One snapshot a page, so that the end of the
//! newest commit is known: it is the head, which moves by whole transactions only.

use super::reader::PostgresReader;
use super::rows::{Row, read_after};
use super::{signed, unsigned};
use crate::log::append::LogError;
use crate::log::raw::{RawCommit, RawEvent, RawReader};
use crate::log::reader::Reading;
use crate::log::recorded::Position;
use domain::{AggregateKind, StreamId};
use sqlx::{Connection, Executor, PgConnection};
use std::sync::Arc;

/// The commits of events between two positions, and the one after them.
const COMMITS: &str = "SELECT position, at, metadata FROM commits
    WHERE position >= (SELECT max(position) FROM commits WHERE position <= $1)
    AND position <= coalesce((SELECT min(position) FROM commits WHERE position > $2), $2) ORDER BY position";

impl RawReader for PostgresReader {
    fn read_raw(&self, after: Position, limit: usize) -> Reading<'_, Vec<RawEvent>> {
        Box::pin(async move {
            let mut connection = self.pool().acquire().await?;
            let mut transaction = connection.begin().await?;
            transaction.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
            let page = self.raw_page(&mut transaction, after, limit).await;
            transaction.rollback().await?;
            page
        })
    }
}

impl PostgresReader {
    async fn raw_page(&self, connection: &mut PgConnection, after: Position, limit: usize) -> Result<Vec<RawEvent>, LogError> {
        let head: i64 = sqlx::query_scalar("SELECT position FROM log_head").fetch_one(&mut *connection).await?;
        let rows = read_after(connection, after, limit).await?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(Vec::new());
        };
        let commits = commits(connection, first.position, last.position, unsigned(head)).await?;
        self.decoder().learn(connection, &rows).await?;
        rows.into_iter().map(|row| self.raw_event(row, &commits)).collect()
    }

    fn raw_event(&self, row: Row, commits: &[Arc<RawCommit>]) -> Result<RawEvent, LogError> {
        let position = row.position;
        let Some(of) = self.decoder().type_of(row.of) else {
            return Err(LogError::Poison { position, stream: row.number, reason: "its type is not in the dictionary".to_owned() });
        };
        let Some(aggregate) = AggregateKind::from_number(row.kind) else {
            return Err(LogError::Newer { position: row.position, reason: format!("aggregate kind {} at position {position}", row.kind) });
        };
        let index = commits.partition_point(|commit| commit.first <= position);
        let commit = index.checked_sub(1).and_then(|index| commits.get(index));
        let commit = commit.ok_or_else(|| LogError::Unavailable { reason: format!("position {position} belongs to no commit") })?;
        Ok(RawEvent {
            position,
            stream: StreamId::new(aggregate, row.id),
            sequence: row.sequence,
            name: of.name,
            version: of.version,
            payload: row.payload,
            sealed: row.sealed,
            commit: Arc::clone(commit),
        })
    }
}

async fn commits(connection: &mut PgConnection, first: Position, last: Position, head: Position) -> Result<Vec<Arc<RawCommit>>, LogError> {
    let rows: Vec<(i64, i64, String)> = sqlx::query_as(COMMITS).bind(signed(first)).bind(signed(last)).fetch_all(connection).await?;
    let ends: Vec<Position> = rows.iter().skip(1).map(|(position, ..)| unsigned(*position) - 1).chain([head]).collect();
    let commit = |((first, at, metadata), last)| Arc::new(RawCommit { first: unsigned(first), last, at, metadata });
    Ok(rows.into_iter().zip(ends).map(commit).collect())
}
