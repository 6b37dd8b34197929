//! The question in the words of SQLite.

use super::{Asked, Found, SEARCH};
use crate::store::ReadError;
use rusqlite::{Connection, params};

pub(super) fn search(connection: &Connection, asked: &Asked) -> Result<Vec<Found>, ReadError> {
    let [a, b, c, d, e, f] = &asked.patterns;
    let mut statement = connection.prepare_cached(SEARCH)?;
    let mut rows = statement.query(params![a, b, c, d, e, f, asked.rank, asked.key])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Found::of(row.try_into()?)?);
    }
    Ok(found)
}
