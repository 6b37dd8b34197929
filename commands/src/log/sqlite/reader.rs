//! Reading the log back over read-only connections.

use super::directory::{self, StreamDirectory};
use super::types;
use crate::database::Readers;
use crate::log::append::LogError;
use crate::log::reader::{LogReader, Reading};
use crate::log::recorded::{Bare, Metadata, Position, Recorded, Sequence, StreamNo};
use crate::log::sealing::Sealer;
use crate::log::stored::{EventType, Stored};
use domain::StreamId;
use domain::values::Millis;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// See the module. Clones share the pool.
#[derive(Clone, Debug)]
pub struct SqliteReader {
    readers: Readers,
    sealer: Sealer,
    types: Arc<RwLock<Arc<HashMap<i64, EventType>>>>,
    directory: Option<Arc<StreamDirectory>>,
}

const COLUMNS: &str = "SELECT e.position, e.stream, e.sequence, e.type, e.payload, e.sealed, s.kind, s.id FROM events e JOIN streams s ON s.number = e.stream";

impl SqliteReader {
    /// Over the log's file, whoever writes it.
    pub fn new(readers: Readers, sealer: Sealer) -> Self {
        Self { readers, sealer, types: Arc::default(), directory: None }
    }

    /// Beside the writer in the same process: finds new streams where that one keeps them, in
    /// place of looking them through.
    #[must_use]
    pub fn beside(self, directory: Arc<StreamDirectory>) -> Self {
        Self { directory: Some(directory), ..self }
    }

    /// The pool, for reading other tables of the same file.
    pub const fn readers(&self) -> &Readers {
        &self.readers
    }

    pub(super) fn type_of(&self, connection: &Connection, number: i64) -> Result<Option<EventType>, LogError> {
        let known = Arc::clone(&self.types.read().unwrap_or_else(PoisonError::into_inner));
        if let Some(found) = known.get(&number) {
            return Ok(Some(found.clone()));
        }
        let fresh = types::load(connection)?;
        let found = fresh.get(&number).cloned();
        *self.types.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(found)
    }

    fn number_of(&self, connection: &Connection, stream: StreamId) -> Result<Option<StreamNo>, LogError> {
        match &self.directory {
            Some(directory) => directory.find(connection, stream),
            None => directory::find_without(connection, stream),
        }
    }

    fn decode(&self, connection: &Connection, row: &Row<'_>, open: bool, commits: &mut Commits) -> Result<Arc<Recorded>, LogError> {
        let (Bare { position, stream, sequence, fact }, number) = self.bare(connection, row, open)?;
        let (at, metadata) = commits.of(connection, position)?;
        Ok(Arc::new(Recorded { position, stream, number, sequence, at, fact, metadata }))
    }

    fn bare(&self, connection: &Connection, row: &Row<'_>, open: bool) -> Result<(Bare, StreamNo), LogError> {
        let mut stored = Stored {
            position: unsigned(row.get(0)?),
            number: unsigned(row.get(1)?),
            sequence: unsigned(row.get(2)?),
            kind: row.get(6)?,
            id: row.get(7)?,
            payload: &[],
            sealed: None,
        };
        stored.payload = row.get_ref(4)?.as_bytes().map_err(|error| stored.poison(error.to_string()))?;
        stored.sealed = row.get_ref(5)?.as_blob_or_null().map_err(|error| stored.poison(error.to_string()))?;
        let of = self.type_of(connection, row.get(3)?)?;
        let (stream, fact) = stored.read(of.as_ref(), open.then_some(&self.sealer))?;
        Ok((Bare { position: stored.position, stream, sequence: stored.sequence, fact }, stored.number))
    }
}

/// Commits of the events being read; the last one is kept, since neighbours share it.
#[derive(Default)]
struct Commits {
    current: Option<(Position, Position, Millis, Arc<Metadata>)>,
}

impl Commits {
    fn of(&mut self, connection: &Connection, position: Position) -> Result<(Millis, Arc<Metadata>), LogError> {
        if let Some((from, until, at, metadata)) = &self.current
            && (*from..*until).contains(&position)
        {
            return Ok((*at, Arc::clone(metadata)));
        }
        let found: Option<(i64, Millis, String)> = connection
            .prepare_cached("SELECT position, at, metadata FROM commits WHERE position <= ?1 ORDER BY position DESC LIMIT 1")?
            .query_row([signed(position)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((from, at, metadata)) = found else {
            return Err(LogError::Unavailable { reason: format!("position {position} belongs to no commit") });
        };
        let until: Option<i64> = connection
            .prepare_cached("SELECT position FROM commits WHERE position > ?1 ORDER BY position LIMIT 1")?
            .query_row([signed(position)], |row| row.get(0))
            .optional()?;
        let metadata = Arc::new(serde_json::from_str(&metadata).map_err(|error| LogError::Unavailable { reason: error.to_string() })?);
        // An open end is not kept: the next commit may begin right behind this event.
        let until = until.map_or(position + 1, unsigned);
        self.current = Some((unsigned(from), until, at, Arc::clone(&metadata)));
        Ok((at, metadata))
    }
}

impl LogReader for SqliteReader {
    fn read_after(&self, after: Position, limit: usize, open: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        let reader = self.clone();
        Box::pin(self.readers.read(move |connection| {
            let mut commits = Commits::default();
            let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE e.position > ?1 ORDER BY e.position LIMIT ?2"))?;
            let mut rows = statement.query(params![signed(after), signed(limit as u64)])?;
            let mut page = Vec::new();
            while let Some(row) = rows.next()? {
                page.push(reader.decode(connection, row, open, &mut commits)?);
            }
            Ok(page)
        }))
    }

    fn read_stream(&self, stream: StreamId, after: Sequence, open: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        let reader = self.clone();
        Box::pin(self.readers.read(move |connection| {
            let Some(number) = reader.number_of(connection, stream)? else {
                return Ok(Vec::new());
            };
            let mut commits = Commits::default();
            let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE e.stream = ?1 AND e.sequence > ?2 ORDER BY e.sequence"))?;
            let mut rows = statement.query(params![signed(number), signed(after)])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                events.push(reader.decode(connection, row, open, &mut commits)?);
            }
            Ok(events)
        }))
    }

    fn read_at(&self, mut positions: Vec<Position>, open: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        let reader = self.clone();
        positions.sort_unstable();
        Box::pin(self.readers.read(move |connection| {
            let mut commits = Commits::default();
            let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE e.position = ?1"))?;
            let mut events = Vec::with_capacity(positions.len());
            for position in positions {
                let mut rows = statement.query([signed(position)])?;
                if let Some(row) = rows.next()? {
                    events.push(reader.decode(connection, row, open, &mut commits)?);
                }
            }
            Ok(events)
        }))
    }

    fn bare_at(&self, mut positions: Vec<Position>, open: bool) -> Reading<'_, Vec<Bare>> {
        let reader = self.clone();
        positions.sort_unstable();
        Box::pin(self.readers.read(move |connection| {
            let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE e.position = ?1"))?;
            let mut events = Vec::with_capacity(positions.len());
            for position in positions {
                let mut rows = statement.query([signed(position)])?;
                if let Some(row) = rows.next()? {
                    events.push(reader.bare(connection, row, open)?.0);
                }
            }
            Ok(events)
        }))
    }

    fn bare_streams(&self, streams: Vec<StreamId>, open: bool) -> Reading<'_, Vec<Bare>> {
        let reader = self.clone();
        Box::pin(self.readers.read(move |connection| {
            let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE e.stream = ?1 ORDER BY e.sequence"))?;
            let mut events = Vec::new();
            for stream in streams {
                let Some(number) = reader.number_of(connection, stream)? else { continue };
                let mut rows = statement.query([signed(number)])?;
                while let Some(row) = rows.next()? {
                    events.push(reader.bare(connection, row, open)?.0);
                }
            }
            Ok(events)
        }))
    }

    fn bare_tail(&self, stream: StreamId, last: usize, open: bool) -> Reading<'_, Vec<Bare>> {
        let reader = self.clone();
        Box::pin(self.readers.read(move |connection| {
            let Some(number) = reader.number_of(connection, stream)? else { return Ok(Vec::new()) };
            let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE e.stream = ?1 ORDER BY e.sequence DESC LIMIT ?2"))?;
            let mut rows = statement.query(params![signed(number), signed(last as u64)])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                events.push(reader.bare(connection, row, open)?.0);
            }
            events.reverse();
            Ok(events)
        }))
    }

    fn stream_number(&self, stream: StreamId) -> Reading<'_, Option<StreamNo>> {
        let reader = self.clone();
        Box::pin(self.readers.read(move |connection| reader.number_of(connection, stream)))
    }

    fn head(&self) -> Reading<'_, Position> {
        Box::pin(
            self.readers
                .read(|connection| Ok(connection.query_row("SELECT coalesce(max(position), 0) FROM events", [], |row| row.get::<_, i64>(0)).map(unsigned)?)),
        )
    }
}

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
