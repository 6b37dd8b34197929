//! The questions in SQLite.

use super::{Row, known, row};
use commands::database::Readers;
use commands::log::LogError;
use domain::values::Millis;
use rusqlite::params;

pub(super) async fn due(readers: &Readers, now: Millis, after: (Millis, i64, &'static str), most: i64) -> Result<Vec<Row>, LogError> {
    readers
        .read(move |connection| {
            let mut statement = connection.prepare_cached(concat!(
                "SELECT due, stream, name, kind, id FROM stream_timers WHERE due <= ?1 AND ",
                known!(),
                " AND (due, stream, name) > (?2, ?3, ?4) ORDER BY due, stream, name LIMIT ?5"
            ))?;
            let found = statement.query_map(params![now, after.0, after.1, after.2, most], |found| {
                Ok(row(found.get(0)?, found.get(1)?, &found.get::<_, String>(2)?, found.get(3)?, found.get(4)?))
            })?;
            Ok(found.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?)
        })
        .await
}

pub(super) async fn next(readers: &Readers, now: Millis) -> Result<Option<Millis>, LogError> {
    readers
        .read(move |connection| {
            Ok(connection
                .prepare_cached(concat!("SELECT min(due) FROM stream_timers WHERE due > ?1 AND ", known!()))?
                .query_row([now], |found| found.get(0))?)
        })
        .await
}

pub(super) async fn count(readers: &Readers, now: Millis) -> Result<u64, LogError> {
    readers
        .read(move |connection| {
            let count: i64 = connection
                .prepare_cached(concat!("SELECT count(*) FROM (SELECT 1 FROM stream_timers WHERE due <= ?1 AND ", known!(), " LIMIT 10000) AS due"))?
                .query_row([now], |found| found.get(0))?;
            Ok(count.unsigned_abs())
        })
        .await
}
