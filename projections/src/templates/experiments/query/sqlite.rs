//! The question in the words of SQLite.

use super::{RESULTS, VariantRow};
use crate::store::ReadError;
use rusqlite::Connection;

pub(super) fn results(connection: &Connection, template: &str) -> Result<Vec<VariantRow>, ReadError> {
    let mut statement = connection.prepare_cached(RESULTS)?;
    let mut rows = statement.query([template])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(VariantRow::of(row.try_into()?));
    }
    Ok(found)
}
