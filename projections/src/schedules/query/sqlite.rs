//! The question in the words of SQLite.

use super::{ScheduleFilter, ScheduleRow, columns};
use crate::store::ReadError;
use domain::values::SenderKey;
use rusqlite::{Connection, params};

macro_rules! list {
    ($of:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM schedules WHERE defined_position > ?1 AND ",
            $of,
            " AND (?4 IS NULL OR sender = ?4) AND (?5 IS NULL OR sandbox = ?5) ORDER BY defined_position LIMIT ?2"
        )
    };
}
// Apart, so that the one of a recipient finds its index.
const ALL: &str = list!("?3 IS NULL");
const OF_RECIPIENT: &str = list!("recipient = ?3");

pub(super) fn list(connection: &Connection, filter: &ScheduleFilter, after: i64, first: i64) -> Result<Vec<ScheduleRow>, ReadError> {
    let mut statement = connection.prepare_cached(if filter.recipient.is_some() { OF_RECIPIENT } else { ALL })?;
    let (recipient, sender) = (filter.recipient.map(|id| id.0.into_bytes()), filter.sender.as_ref().map(SenderKey::as_str));
    let mut rows = statement.query(params![after, first, recipient, sender, filter.sandbox.map(i64::from)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(ScheduleRow::of(row.try_into()?)?);
    }
    Ok(found)
}
