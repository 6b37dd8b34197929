//! The question in the words of SQLite.

use super::{SuppressedRow, holder};
use crate::store::ReadError;
use rusqlite::{Connection, params};

const LIST: &str = "SELECT address, reason, note, at, position FROM suppressed WHERE position > ?1 AND (?3 IS NULL OR reason = ?3) ORDER BY position LIMIT ?2";
const HOLDERS: &str = "SELECT recipient, channel FROM holders WHERE address = ?1 ORDER BY recipient";

pub(super) fn list(connection: &Connection, reason: Option<&str>, after: i64, first: i64) -> Result<Vec<SuppressedRow>, ReadError> {
    let mut statement = connection.prepare_cached(LIST)?;
    let mut rows = statement.query(params![after, first, reason])?;
    let mut holders = connection.prepare_cached(HOLDERS)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut suppressed = SuppressedRow::of(row.try_into()?)?;
        let mut of_address = holders.query([suppressed.address.0.into_bytes()])?;
        while let Some(row) = of_address.next()? {
            suppressed.holders.push(holder(row.get(0)?, row.get(1)?)?);
        }
        found.push(suppressed);
    }
    Ok(found)
}
