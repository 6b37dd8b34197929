//! The questions in Postgres.

use super::{Row, known, row};
use commands::log::LogError;
use domain::values::Millis;
use sqlx::PgPool;

pub(super) async fn due(pool: &PgPool, now: Millis, after: (Millis, i64, &'static str), most: i64) -> Result<Vec<Row>, LogError> {
    let found: Vec<(i64, i64, String, i64, Vec<u8>)> = sqlx::query_as(concat!(
        "SELECT due, stream, name, kind, id FROM stream_timers WHERE due <= $1 AND ",
        known!(),
        " AND (due, stream, name) > ($2, $3, $4) ORDER BY due, stream, name LIMIT $5"
    ))
    .bind(now)
    .bind(after.0)
    .bind(after.1)
    .bind(after.2)
    .bind(most)
    .fetch_all(pool)
    .await?;
    let known = |(due, number, name, kind, id): (i64, i64, String, i64, Vec<u8>)| row(due, number, &name, kind, id.try_into().ok()?);
    Ok(found.into_iter().filter_map(known).collect())
}

pub(super) async fn next(pool: &PgPool, now: Millis) -> Result<Option<Millis>, LogError> {
    Ok(sqlx::query_scalar(concat!("SELECT min(due) FROM stream_timers WHERE due > $1 AND ", known!())).bind(now).fetch_one(pool).await?)
}

pub(super) async fn count(pool: &PgPool, now: Millis) -> Result<u64, LogError> {
    let count: i64 = sqlx::query_scalar(concat!("SELECT count(*) FROM (SELECT 1 FROM stream_timers WHERE due <= $1 AND ", known!(), " LIMIT 10000) AS due"))
        .bind(now)
        .fetch_one(pool)
        .await?;
    Ok(count.unsigned_abs())
}
