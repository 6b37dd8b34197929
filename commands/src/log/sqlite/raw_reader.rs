//! Reading the log as it is stored. One read transaction a page, so that the end of the newest
//! commit is known: it is the head, which moves by whole transactions only.

use super::reader::{SqliteReader, signed, unsigned};
use crate::log::append::LogError;
use crate::log::raw::{RawCommit, RawEvent, RawReader};
use crate::log::reader::Reading;
use crate::log::recorded::Position;
use domain::{AggregateKind, StreamId};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;
use uuid::Uuid;

const EVENTS: &str = "SELECT e.position, e.stream, e.sequence, e.type, e.payload, e.sealed, s.kind, s.id \
     FROM events e JOIN streams s ON s.number = e.stream WHERE e.position > ?1 ORDER BY e.position LIMIT ?2";
const COMMIT: &str = "SELECT position, at, metadata FROM commits WHERE position <= ?1 ORDER BY position DESC LIMIT 1";
const NEXT_COMMIT: &str = "SELECT position FROM commits WHERE position > ?1 ORDER BY position LIMIT 1";
const HEAD: &str = "SELECT coalesce(max(position), 0) FROM events";

impl RawReader for SqliteReader {
    fn read_raw(&self, after: Position, limit: usize) -> Reading<'_, Vec<RawEvent>> {
        let reader = self.clone();
        Box::pin(self.readers().read(move |connection| {
            let transaction = connection.unchecked_transaction()?;
            let head = unsigned(transaction.query_row(HEAD, [], |row| row.get(0))?);
            let mut statement = transaction.prepare_cached(EVENTS)?;
            let mut rows = statement.query(params![signed(after), signed(limit as u64)])?;
            let mut page: Vec<RawEvent> = Vec::new();
            while let Some(row) = rows.next()? {
                let position = unsigned(row.get(0)?);
                let commit = match page.last() {
                    Some(before) if position <= before.commit.last => Arc::clone(&before.commit),
                    _ => commit_of(&transaction, position, head)?,
                };
                page.push(event(&reader, &transaction, row, position, commit)?);
            }
            Ok(page)
        }))
    }
}

fn event(reader: &SqliteReader, connection: &Connection, row: &Row<'_>, position: Position, commit: Arc<RawCommit>) -> Result<RawEvent, LogError> {
    let stream = unsigned(row.get(1)?);
    let Some(kind) = reader.type_of(connection, row.get(3)?)? else {
        return Err(LogError::Poison { position, stream, reason: "its type is not in the dictionary".to_owned() });
    };
    let number: u8 = row.get(6)?;
    let Some(aggregate) = AggregateKind::from_number(number) else {
        return Err(LogError::Newer { position, reason: format!("aggregate kind {number} at position {position}") });
    };
    let id: [u8; 16] = row.get(7)?;
    Ok(RawEvent {
        position,
        stream: StreamId::new(aggregate, Uuid::from_bytes(id)),
        sequence: unsigned(row.get(2)?),
        name: kind.name,
        version: kind.version,
        payload: row.get(4)?,
        sealed: row.get(5)?,
        commit,
    })
}

fn commit_of(connection: &Connection, position: Position, head: Position) -> Result<Arc<RawCommit>, LogError> {
    let found: Option<(i64, i64, String)> =
        connection.prepare_cached(COMMIT)?.query_row([signed(position)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let Some((first, at, metadata)) = found else {
        return Err(LogError::Unavailable { reason: format!("position {position} belongs to no commit") });
    };
    let next: Option<i64> = connection.prepare_cached(NEXT_COMMIT)?.query_row([signed(position)], |row| row.get(0)).optional()?;
    Ok(Arc::new(RawCommit { first: unsigned(first), last: next.map_or(head, |next| unsigned(next) - 1), at, metadata }))
}
