//! The questions in the words of SQLite.

use super::{DeadLetterRow, unsigned};
use crate::store::ReadError;
use rusqlite::{Connection, params};

const ALL: &str = "SELECT position, number, id, delivery, code, unknown, attempts, at FROM dead_letters WHERE position > ?1 ORDER BY position LIMIT ?2";
const OF_CODE: &str =
    "SELECT position, number, id, delivery, code, unknown, attempts, at FROM dead_letters WHERE position > ?1 AND code = ?3 ORDER BY position LIMIT ?2";
const BY_CODE: &str = "SELECT code, count(*) FROM dead_letters GROUP BY code ORDER BY code";

pub(super) fn list(connection: &Connection, after: i64, first: i64, code: Option<String>) -> Result<Vec<DeadLetterRow>, ReadError> {
    let mut statement = connection.prepare_cached(if code.is_some() { OF_CODE } else { ALL })?;
    let mut rows = match code {
        Some(code) => statement.query(params![after, first, code])?,
        None => statement.query(params![after, first])?,
    };
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(DeadLetterRow::of(row.try_into()?)?);
    }
    Ok(found)
}

pub(super) fn counts(connection: &Connection) -> Result<Vec<(String, u64)>, ReadError> {
    let mut statement = connection.prepare_cached(BY_CODE)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, unsigned(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
