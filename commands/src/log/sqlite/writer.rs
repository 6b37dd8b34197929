//! Appending: a whole batch in one transaction and one fsync.
//!
//! Sequences of recently used streams are kept in memory, so that a worker's append costs no
//! look-up. After a failure nothing in memory is trusted: the connection is opened anew (a
//! failed fsync is never retried) and what the file says counts.

use super::directory::{Key, StreamDirectory};
use super::types::TypeNumbers;
use crate::consumer::changes_executor;
use crate::database::{self, Slice};
use crate::failpoint;
use crate::log::append::{Batch, Commit, CommitOutcome, LogError, LogWriter, Losers, StreamAppend};
use crate::log::recorded::{Metadata, Position, Recorded, Sequence, StreamNo};
use crate::log::sealing::Sealer;
use crate::recent::Recent;
use domain::StreamId;
use domain::values::Millis;
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Streams whose number and sequence are kept in memory.
const KEPT_STREAMS: usize = 100_000;

/// See the module.
pub struct SqliteWriter {
    path: PathBuf,
    connection: Option<Connection>,
    /// One whose COMMIT failed, until another works: while somebody has the file open SQLite does
    /// not read the journal anew, so that what was refused is not seen, and is overwritten.
    failed: Option<Connection>,
    sealer: Sealer,
    types: TypeNumbers,
    head: Position,
    newest_stream: StreamNo,
    directory: Arc<StreamDirectory>,
    /// Streams that the batch opens.
    opened: HashMap<StreamId, StreamNo>,
    /// 0 for a stream that is known not to exist: opt-outs are rare, and asked for every time.
    numbers: Recent<StreamId, StreamNo>,
    sequences: Recent<StreamNo, Sequence>,
    payload: Vec<u8>,
    scratch: Vec<u8>,
}

impl std::fmt::Debug for SqliteWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteWriter")
    }
}

impl SqliteWriter {
    /// Opens or creates the file and brings it to the newest version.
    pub fn open(path: PathBuf, sealer: Sealer) -> Result<Self, LogError> {
        Self::open_with(path, sealer, StreamDirectory::default())
    }

    pub(super) fn open_with(path: PathBuf, sealer: Sealer, directory: StreamDirectory) -> Result<Self, LogError> {
        let mut writer = Self {
            path,
            connection: None,
            failed: None,
            sealer,
            types: TypeNumbers::default(),
            head: 0,
            newest_stream: 0,
            directory: Arc::new(directory),
            opened: HashMap::new(),
            numbers: Recent::new(KEPT_STREAMS),
            sequences: Recent::new(KEPT_STREAMS),
            payload: Vec::new(),
            scratch: Vec::new(),
        };
        let mut connection = database::open_writer(&writer.path)?;
        database::migrate(&mut connection, database::DELIVERY_LOG)?;
        copy_journal(&connection)?;
        writer.adopt(connection)?;
        Ok(writer)
    }

    /// The newest position.
    pub const fn head(&self) -> Position {
        self.head
    }

    /// Which numbers the streams have, for a reader in this process.
    pub const fn directory(&self) -> &Arc<StreamDirectory> {
        &self.directory
    }

    fn adopt(&mut self, connection: Connection) -> Result<(), LogError> {
        self.types.forget();
        self.opened.clear();
        self.numbers.clear();
        self.sequences.clear();
        let head = newest(&connection)?;
        self.newest_stream = connection.query_row("SELECT coalesce(max(number), 0) FROM streams", [], |row| row.get::<_, i64>(0)).map(unsigned)?;
        self.directory.load(&connection, self.newest_stream)?;
        self.head = head;
        self.connection = Some(connection);
        Ok(())
    }

    fn transact(&mut self, connection: &Connection, batch: Batch, at: Millis) -> Result<Decided, LogError> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut outcomes = Vec::with_capacity(batch.commits.len());
        let mut described: Option<Arc<Metadata>> = None;
        let mut losers = Losers::default();
        for commit in batch.commits {
            outcomes.push(match self.admit(connection, &commit, &losers)? {
                Err(stream) => {
                    losers.lost(&commit);
                    CommitOutcome::Conflict { stream }
                }
                Ok(numbers) => self.append_one(connection, commit, numbers, at, &mut described)?,
            });
        }
        for rows in &batch.rows {
            changes_executor(connection, &rows.changes)?;
        }
        let entered = self.directory.enter(connection, self.opened.len())?;
        failpoint::reach("C2");
        Ok(Decided { outcomes, entered })
    }

    /// The streams that it appends to, or the one at which it loses. Nothing is written before everything is
    /// checked: a loser must leave no trace.
    fn admit(&mut self, connection: &Connection, commit: &Commit, losers: &Losers) -> Result<Result<Vec<Option<StreamNo>>, StreamId>, LogError> {
        for (stream, expected) in &commit.expectations {
            if self.sequence_of(connection, *stream)?.1 != *expected {
                return Ok(Err(*stream));
            }
        }
        let mut numbers = Vec::with_capacity(commit.appends.len());
        for append in &commit.appends {
            match self.check(connection, append)? {
                Checked::At(number) => numbers.push(Some(number)),
                Checked::New => numbers.push(None),
                Checked::Conflict => return Ok(Err(append.stream)),
            }
        }
        Ok(losers.of(commit).map_or(Ok(numbers), Err))
    }

    fn append_one(
        &mut self,
        connection: &Connection,
        commit: Commit,
        numbers: Vec<Option<StreamNo>>,
        at: Millis,
        described: &mut Option<Arc<Metadata>>,
    ) -> Result<CommitOutcome, LogError> {
        if commit.appends.iter().any(|append| !append.events.is_empty())
            && !described.as_ref().is_some_and(|known| Arc::ptr_eq(known, &commit.metadata) || **known == *commit.metadata)
        {
            let metadata = serde_json::to_string(commit.metadata.as_ref()).map_err(|error| LogError::Unavailable { reason: error.to_string() })?;
            connection.prepare_cached("INSERT INTO commits (position, at, metadata) VALUES (?1, ?2, ?3)")?.execute(params![
                signed(self.head + 1),
                at,
                metadata
            ])?;
            *described = Some(Arc::clone(&commit.metadata));
        }
        let mut recorded = Vec::new();
        for (append, number) in commit.appends.into_iter().zip(numbers) {
            if append.events.is_empty() {
                continue;
            }
            let number = match number {
                Some(number) => number,
                None => self.new_stream(connection, append.stream)?,
            };
            let mut sequence = append.expected;
            for fact in append.events {
                sequence += 1;
                self.head += 1;
                self.payload.clear();
                fact.body().encode(&mut self.payload);
                let payload = std::str::from_utf8(&self.payload).map_err(|error| LogError::Unavailable { reason: error.to_string() })?;
                let sealed = self.sealer.seal(append.stream, &fact, &mut self.scratch).map_err(|error| LogError::Keys { reason: error.to_string() })?;
                let kind = self.types.number(connection, &fact)?;
                connection
                    .prepare_cached("INSERT INTO events (position, stream, sequence, type, payload, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                    .execute(params![signed(self.head), signed(number), signed(sequence), kind, payload, sealed])?;
                recorded.push(Arc::new(Recorded {
                    position: self.head,
                    stream: append.stream,
                    number,
                    sequence,
                    at,
                    fact,
                    metadata: Arc::clone(&commit.metadata),
                }));
            }
            self.sequences.insert(number, sequence);
        }
        Ok(CommitOutcome::Committed { position: self.head, recorded })
    }

    fn check(&mut self, connection: &Connection, append: &StreamAppend) -> Result<Checked, LogError> {
        let (number, sequence) = match append.number {
            Some(number) => (Some(number), self.sequence_of_number(connection, number)?),
            None => self.sequence_of(connection, append.stream)?,
        };
        Ok(match number {
            _ if sequence != append.expected => Checked::Conflict,
            Some(number) => Checked::At(number),
            None => Checked::New,
        })
    }

    fn sequence_of(&mut self, connection: &Connection, stream: StreamId) -> Result<(Option<StreamNo>, Sequence), LogError> {
        let known = self.opened.get(&stream).or_else(|| self.numbers.get(&stream).map(|number| &*number)).copied();
        let number = match known {
            Some(number) => (number != 0).then_some(number),
            None => {
                let found = self.directory.find(connection, stream)?;
                self.numbers.insert(stream, found.unwrap_or(0));
                found
            }
        };
        match number {
            Some(number) => Ok((Some(number), self.sequence_of_number(connection, number)?)),
            None => Ok((None, 0)),
        }
    }

    fn sequence_of_number(&mut self, connection: &Connection, number: StreamNo) -> Result<Sequence, LogError> {
        if let Some(sequence) = self.sequences.get(&number) {
            return Ok(*sequence);
        }
        let sequence = connection
            .prepare_cached("SELECT coalesce(max(sequence), 0) FROM events WHERE stream = ?1")?
            .query_row([signed(number)], |row| row.get::<_, i64>(0))
            .map(unsigned)?;
        self.sequences.insert(number, sequence);
        Ok(sequence)
    }

    fn new_stream(&mut self, connection: &Connection, stream: StreamId) -> Result<StreamNo, LogError> {
        // A commit may open the same stream twice; the second append finds it here.
        if let Some(number) = self.opened.get(&stream) {
            return Ok(*number);
        }
        let number = self.newest_stream + 1;
        connection.prepare_cached("INSERT INTO streams (number, kind, id) VALUES (?1, ?2, ?3)")?.execute(params![
            signed(number),
            stream.kind.number(),
            stream.id.as_bytes().as_slice()
        ])?;
        self.newest_stream = number;
        // From here on it is found among those that were opened, then in the directory.
        self.numbers.remove(&stream);
        self.opened.insert(stream, number);
        Ok(number)
    }

    /// Opens the file anew after a failure. What is in it beyond `before` was not told to anybody,
    /// and is synced first.
    fn recover(&mut self, before: Position) -> Result<(), LogError> {
        self.connection = None;
        self.head = before;
        let connection = database::open_writer(&self.path)?;
        if newest(&connection)? > before {
            copy_journal(&connection)?;
        }
        self.adopt(connection)?;
        self.failed = None;
        Ok(())
    }

    /// Keeps a connection that failed until another works, if it holds no lock.
    fn keep_failed(&mut self, connection: Connection) {
        // Fails where SQLite has rolled back by itself; closing rolls back in any case.
        let _ = connection.execute_batch("ROLLBACK");
        self.failed = connection.is_autocommit().then_some(connection);
    }
}

fn newest(connection: &Connection) -> Result<Position, LogError> {
    Ok(connection.query_row("SELECT coalesce(max(position), 0) FROM events", [], |row| row.get::<_, i64>(0)).map(unsigned)?)
}

fn copy_journal(connection: &Connection) -> Result<(), LogError> {
    if !database::copy_journal(connection)? {
        return Err(LogError::Unavailable { reason: "the journal cannot be copied, because somebody reads from it for long".to_owned() });
    }
    Ok(())
}

/// What a transaction decided, while it is not durable.
struct Decided {
    outcomes: Vec<CommitOutcome>,
    entered: Slice<Key>,
}

enum Checked {
    At(StreamNo),
    New,
    Conflict,
}

impl LogWriter for SqliteWriter {
    fn append(&mut self, batch: Batch, at: Millis) -> Result<Vec<CommitOutcome>, LogError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                self.recover(self.head)?;
                self.connection.take().ok_or(LogError::Closed)?
            }
        };
        let before = self.head;
        let outcome = match self.transact(&connection, batch, at) {
            Ok(decided) => match connection.execute_batch("COMMIT") {
                Ok(()) => Ok(decided),
                Err(error) => Err((LogError::from(error), Some(decided.outcomes))),
            },
            Err(error) => Err((error, None)),
        };
        match outcome {
            Ok(Decided { outcomes, entered }) => {
                self.directory.committed(&entered, self.opened.drain(), self.newest_stream);
                self.connection = Some(connection);
                Ok(outcomes)
            }
            Err((error, decided)) => {
                self.keep_failed(connection);
                let attempted = self.head;
                // A COMMIT that failed may still have become durable: only the file knows.
                match (self.recover(before), decided) {
                    (Ok(()), Some(outcomes)) if attempted > before && self.head >= attempted => Ok(outcomes),
                    _ => Err(error),
                }
            }
        }
    }

    fn probe(&mut self) -> Result<(), LogError> {
        if self.connection.is_none() {
            self.recover(self.head)?;
        }
        let connection = self.connection.take().ok_or(LogError::Closed)?;
        // Writes the first page as it is, by way of the same file and the same fsync.
        let version = connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
        match version.and_then(|version| connection.pragma_update(None, "user_version", version)) {
            Ok(()) => {
                self.connection = Some(connection);
                Ok(())
            }
            Err(error) => {
                self.keep_failed(connection);
                Err(error.into())
            }
        }
    }

    fn head(&self) -> Position {
        Self::head(self)
    }
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
