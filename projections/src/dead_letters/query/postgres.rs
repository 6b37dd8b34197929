//! The questions in the words of Postgres.

use super::{Columns, DeadLetterRow, unsigned};
use crate::store::ReadError;
use sqlx::PgPool;

const ALL: &str = "SELECT position, number, id, delivery, code, unknown, attempts, at FROM dead_letters WHERE position > $1 ORDER BY position LIMIT $2";
const OF_CODE: &str =
    "SELECT position, number, id, delivery, code, unknown, attempts, at FROM dead_letters WHERE position > $1 AND code = $3 ORDER BY position LIMIT $2";
const BY_CODE: &str = "SELECT code, count(*) FROM dead_letters GROUP BY code ORDER BY code";

pub(super) async fn list(pool: PgPool, after: i64, first: i64, code: Option<String>) -> Result<Vec<DeadLetterRow>, ReadError> {
    let query = sqlx::query_as(if code.is_some() { OF_CODE } else { ALL }).bind(after).bind(first);
    let query = match code {
        Some(code) => query.bind(code),
        None => query,
    };
    let rows: Vec<Columns> = query.fetch_all(&pool).await?;
    rows.into_iter().map(DeadLetterRow::of).collect()
}

pub(super) async fn counts(pool: PgPool) -> Result<Vec<(String, u64)>, ReadError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(BY_CODE).fetch_all(&pool).await?;
    Ok(rows.into_iter().map(|(code, count)| (code, unsigned(count))).collect())
}
