//! Filling a log from a copy of another, row by row as they stood there.
//!
//! Numbers of streams, types and commits are not in the copy: they are given in order of arrival,
//! as [`SqliteWriter`](super::SqliteWriter) gave them, and so come out the same. That writer was
//! not taken for this: it decides positions, times and nonces itself.

use super::directory::StreamDirectory;
use super::reader::{signed, unsigned};
use crate::database;
use crate::log::append::LogError;
use crate::log::raw::{RawError, RawEvent, RawWriter, whole_commits};
use crate::log::recorded::{Position, StreamNo};
use domain::StreamId;
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::path::Path;

const COMMIT: &str = "INSERT INTO commits (position, at, metadata) VALUES (?1, ?2, ?3)";
const STREAM: &str = "INSERT INTO streams (number, kind, id) VALUES (?1, ?2, ?3)";
const EVENT: &str = "INSERT INTO events (position, stream, sequence, type, payload, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const NEW_TYPE: &str = "INSERT OR IGNORE INTO event_types (kind, name, version) VALUES (?1, ?2, ?3)";
const TYPE: &str = "SELECT id FROM event_types WHERE kind = ?1 AND name = ?2 AND version = ?3";
const SEQUENCE: &str = "SELECT coalesce(max(sequence), 0) FROM events WHERE stream = ?1";
const HEAD: &str = "SELECT coalesce(max(position), 0) FROM events";
const NEWEST_STREAM: &str = "SELECT coalesce(max(number), 0) FROM streams";

/// See the module.
pub struct SqliteRawWriter {
    connection: Connection,
    directory: StreamDirectory,
    head: Position,
    newest_stream: StreamNo,
    /// Streams that the batch opens.
    opened: HashMap<StreamId, StreamNo>,
}

impl std::fmt::Debug for SqliteRawWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteRawWriter").field("head", &self.head).finish_non_exhaustive()
    }
}

impl SqliteRawWriter {
    /// Opens or creates the file and brings it to the newest version. Nobody else may write it.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        let mut connection = database::open_writer(path)?;
        database::migrate(&mut connection, database::DELIVERY_LOG)?;
        let head = connection.query_row(HEAD, [], |row| row.get(0)).map(unsigned)?;
        let newest_stream = connection.query_row(NEWEST_STREAM, [], |row| row.get(0)).map(unsigned)?;
        let directory = StreamDirectory::default();
        directory.load(&connection, newest_stream)?;
        Ok(Self { connection, directory, head, newest_stream, opened: HashMap::new() })
    }

    /// What the transaction would leave as head and newest stream.
    fn insert(&mut self, events: &[RawEvent]) -> Result<(Position, StreamNo), RawError> {
        whole_commits(events, self.head)?;
        let (mut head, mut newest_stream) = (self.head, self.newest_stream);
        for event in events {
            head = event.position;
            if event.commit.first == event.position {
                self.prepared(COMMIT)?.execute(params![signed(event.position), event.commit.at, event.commit.metadata]).map_err(LogError::from)?;
            }
            let number = match self.number(event.stream)? {
                Some(number) => number,
                None => {
                    newest_stream += 1;
                    let id = event.stream.id.as_bytes().as_slice();
                    self.prepared(STREAM)?.execute(params![signed(newest_stream), event.stream.kind.number(), id]).map_err(LogError::from)?;
                    self.opened.insert(event.stream, newest_stream);
                    newest_stream
                }
            };
            let sequence: i64 = self.prepared(SEQUENCE)?.query_row([signed(number)], |row| row.get(0)).map_err(LogError::from)?;
            if event.sequence != unsigned(sequence) + 1 {
                let reason = format!("stream {} ends at event {sequence}, and this is its event {}", event.stream, event.sequence);
                return Err(RawError::Order { position: event.position, reason });
            }
            let kind = self.kind(event)?;
            self.prepared(EVENT)?
                .execute(params![signed(event.position), signed(number), signed(event.sequence), kind, event.payload, event.sealed])
                .map_err(LogError::from)?;
        }
        Ok((head, newest_stream))
    }

    fn number(&self, stream: StreamId) -> Result<Option<StreamNo>, LogError> {
        match self.opened.get(&stream) {
            Some(number) => Ok(Some(*number)),
            None => self.directory.find(&self.connection, stream),
        }
    }

    fn kind(&self, event: &RawEvent) -> Result<i64, LogError> {
        let key = params![event.stream.kind.number(), event.name, event.version];
        self.prepared(NEW_TYPE)?.execute(key)?;
        Ok(self.prepared(TYPE)?.query_row(key, |row| row.get(0))?)
    }

    fn prepared(&self, sql: &str) -> Result<rusqlite::CachedStatement<'_>, LogError> {
        Ok(self.connection.prepare_cached(sql)?)
    }

    fn transact(&mut self, events: &[RawEvent]) -> Result<(), RawError> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(LogError::from)?;
        let (head, newest_stream) = self.insert(events)?;
        let entered = self.directory.enter(&self.connection, self.opened.len())?;
        self.connection.execute_batch("COMMIT").map_err(LogError::from)?;
        self.directory.committed(&entered, self.opened.drain(), newest_stream);
        (self.head, self.newest_stream) = (head, newest_stream);
        Ok(())
    }
}

impl RawWriter for SqliteRawWriter {
    fn head(&self) -> Position {
        self.head
    }

    fn write(&mut self, events: &[RawEvent]) -> Result<(), RawError> {
        let written = self.transact(events);
        if written.is_err() {
            self.opened.clear();
            // Fails where SQLite has rolled back by itself.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        written
    }
}
