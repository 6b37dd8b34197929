//! The question in the words of Postgres.

use super::{ScheduleFilter, ScheduleRow, columns};
use crate::store::ReadError;
use domain::values::SenderKey;
use sqlx::PgPool;

macro_rules! list {
    ($of:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM schedules WHERE defined_position > $1 AND ",
            $of,
            " AND ($4::text IS NULL OR sender = $4) AND ($5::bigint IS NULL OR sandbox = $5) ORDER BY defined_position LIMIT $2"
        )
    };
}
// Apart, so that the one of a recipient finds its index.
const ALL: &str = list!("$3::bytea IS NULL");
const OF_RECIPIENT: &str = list!("recipient = $3::bytea");

pub(super) async fn list(pool: PgPool, filter: ScheduleFilter, after: i64, first: i64) -> Result<Vec<ScheduleRow>, ReadError> {
    let query = sqlx::query_as(if filter.recipient.is_some() { OF_RECIPIENT } else { ALL })
        .bind(after)
        .bind(first)
        .bind(filter.recipient.map(|id| id.0.into_bytes()))
        .bind(filter.sender.as_ref().map(SenderKey::as_str))
        .bind(filter.sandbox.map(i64::from));
    query.fetch_all(&pool).await?.into_iter().map(ScheduleRow::of).collect()
}
