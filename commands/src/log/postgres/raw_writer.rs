//! Filling a log from a copy of another, row by row as they stood there.
//!
//! Numbers of streams and types are not in the copy: they are given in order of arrival, as
//! [`PostgresWriter`](super::PostgresWriter) gives them, and so come out the same. That writer was not
//! taken for this: it decides positions, times and nonces itself. `COPY` was rejected: it would want
//! every row encoded by hand here, and most of the time goes into the indexes all the same.
//!
//! What is known of streams is asked for with every batch and not kept: a log may have more of them
//! than fit into memory.

use super::writer::enter_kinds;
use super::{signed, types, unsigned};
use crate::database::postgres::{Blocking, PgPlace};
use crate::log::append::LogError;
use crate::log::raw::{RawError, RawEvent, RawWriter, whole_commits};
use crate::log::recorded::{Position, Sequence, StreamNo};
use crate::log::stored::EventType;
use domain::{AggregateKind, StreamId};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor, PgConnection};
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

/// Longest wait for a batch: nobody waits for it but an operator, and a server that writes a
/// checkpoint may take its time.
const PATIENCE: Duration = Duration::from_secs(120);

/// See the module. Must not be used on a runtime's threads.
pub struct PostgresRawWriter {
    options: PgConnectOptions,
    blocking: Blocking,
    connection: Option<PgConnection>,
    types: HashMap<EventType, i32>,
    head: Position,
    newest_stream: StreamNo,
}

impl std::fmt::Debug for PostgresRawWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresRawWriter").field("head", &self.head).finish_non_exhaustive()
    }
}

/// Streams of a batch: number, and sequence of the newest event.
type Streams = HashMap<StreamId, (StreamNo, Sequence)>;

/// Where a transaction leaves the log, once it is committed.
struct End {
    head: Position,
    newest_stream: StreamNo,
    /// Types that it entered.
    entered: HashMap<EventType, i32>,
}

impl PostgresRawWriter {
    /// Over a schema that is migrated. Nobody else may write it.
    pub fn open(place: &PgPlace) -> Result<Self, LogError> {
        let blocking = Blocking::patient(PATIENCE).map_err(|error| LogError::Unavailable { reason: error.to_string() })?;
        let options = place.options().clone();
        let mut writer = Self { options, blocking, connection: None, types: HashMap::new(), head: 0, newest_stream: 0 };
        let blocking = writer.blocking.clone();
        blocking.wait(async {
            let mut connection = writer.options.connect().await?;
            enter_kinds(&mut connection).await?;
            let (head, stream): (i64, i64) = sqlx::query_as("SELECT position, stream FROM log_head").fetch_one(&mut connection).await?;
            (writer.head, writer.newest_stream) = (unsigned(head), unsigned(stream));
            writer.types = types::load(&mut connection).await?.into_iter().map(|(number, of)| (of, number)).collect();
            writer.connection = Some(connection);
            Ok::<_, LogError>(())
        })?;
        Ok(writer)
    }

    async fn transact(&mut self, events: &[RawEvent]) -> Result<(), RawError> {
        whole_commits(events, self.head)?;
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await.map_err(LogError::from)?,
        };
        // On an error the connection goes, and the server rolls back.
        let end = self.insert(&mut connection, events).await?;
        if let Err(error) = connection.execute("COMMIT").await {
            drop(connection);
            return self.resolve(end, error).await;
        }
        self.committed(connection, end);
        Ok(())
    }

    fn committed(&mut self, connection: PgConnection, end: End) {
        self.connection = Some(connection);
        (self.head, self.newest_stream) = (end.head, end.newest_stream);
        self.types.extend(end.entered);
    }

    /// Everything but the COMMIT.
    async fn insert(&self, connection: &mut PgConnection, events: &[RawEvent]) -> Result<End, RawError> {
        connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED").await.map_err(LogError::from)?;
        let head = head_locked(connection).await?;
        if head != self.head {
            return Err(LogError::Unavailable { reason: format!("the log ends at {head} and not at {}: somebody else writes it", self.head) }.into());
        }
        let mut streams = look_up(connection, events).await?;
        let mut end = End { head: self.head, newest_stream: self.newest_stream, entered: HashMap::new() };
        let mut rows = Rows::default();
        for event in events {
            let (number, sequence) = streams.entry(event.stream).or_insert_with(|| {
                end.newest_stream += 1;
                rows.open_stream(end.newest_stream, event.stream);
                (end.newest_stream, 0)
            });
            if event.sequence != *sequence + 1 {
                let reason = format!("stream {} ends at event {sequence}, and this is its event {}", event.stream, event.sequence);
                return Err(RawError::Order { position: event.position, reason });
            }
            *sequence = event.sequence;
            let of = EventType { kind: event.stream.kind.number(), name: event.name.clone(), version: event.version };
            let of = match self.types.get(&of).or_else(|| end.entered.get(&of)) {
                Some(number) => *number,
                None => {
                    let number = types::enter(connection, of.kind, &of.name, of.version).await?;
                    end.entered.insert(of, number);
                    number
                }
            };
            rows.add(event, *number, of);
            end.head = event.position;
        }
        rows.insert(connection).await?;
        let update = "UPDATE log_head SET position = $1, stream = $2";
        sqlx::query(update).bind(signed(end.head)).bind(signed(end.newest_stream)).execute(connection).await.map_err(LogError::from)?;
        Ok(end)
    }

    /// Whether a COMMIT that was not answered took place: known once its transaction has given up
    /// the head, which nobody else moves.
    async fn resolve(&mut self, end: End, error: sqlx::Error) -> Result<(), RawError> {
        let mut connection = self.options.connect().await.map_err(LogError::from)?;
        connection.execute("BEGIN").await.map_err(LogError::from)?;
        let head = head_locked(&mut connection).await?;
        connection.execute("ROLLBACK").await.map_err(LogError::from)?;
        if head != end.head {
            return Err(LogError::from(error).into());
        }
        self.committed(connection, end);
        Ok(())
    }
}

async fn head_locked(connection: &mut PgConnection) -> Result<Position, LogError> {
    Ok(unsigned(sqlx::query_scalar("SELECT position FROM log_head FOR UPDATE").fetch_one(connection).await?))
}

/// The streams of a batch that are there.
async fn look_up(connection: &mut PgConnection, events: &[RawEvent]) -> Result<Streams, LogError> {
    let mut asked: Vec<StreamId> = events.iter().map(|event| event.stream).collect();
    asked.sort_unstable();
    asked.dedup();
    let (kinds, ids): (Vec<i16>, Vec<String>) = asked.iter().map(|stream| (i16::from(stream.kind.number()), stream.id.to_string())).unzip();
    let find = "SELECT s.kind, s.id, s.number, (SELECT max(sequence) FROM events e WHERE e.stream = s.number)
        FROM unnest($1::smallint[], $2::text[]) AS k(kind, id) JOIN streams s ON s.kind = k.kind AND s.id = k.id";
    let found: Vec<(i16, String, i64, i64)> = sqlx::query_as(find).bind(kinds).bind(ids).fetch_all(connection).await?;
    let read = |(kind, id, number, sequence): (i16, String, i64, i64)| {
        let kind = u8::try_from(kind).ok().and_then(AggregateKind::from_number)?;
        Some((StreamId::new(kind, Uuid::parse_str(&id).ok()?), (unsigned(number), unsigned(sequence))))
    };
    Ok(found.into_iter().filter_map(read).collect())
}

/// Rows of a batch, by column.
#[derive(Default)]
struct Rows<'a> {
    commits: (Vec<i64>, Vec<i64>, Vec<&'a str>),
    streams: (Vec<i64>, Vec<i16>, Vec<String>),
    positions: Vec<i64>,
    numbers: Vec<i64>,
    sequences: Vec<i64>,
    types: Vec<i32>,
    payloads: Vec<&'a str>,
    sealed: Vec<Option<&'a [u8]>>,
}

impl<'a> Rows<'a> {
    fn open_stream(&mut self, number: StreamNo, stream: StreamId) {
        self.streams.0.push(signed(number));
        self.streams.1.push(i16::from(stream.kind.number()));
        self.streams.2.push(stream.id.to_string());
    }

    fn add(&mut self, event: &'a RawEvent, number: StreamNo, of: i32) {
        if event.commit.first == event.position {
            self.commits.0.push(signed(event.position));
            self.commits.1.push(event.commit.at);
            self.commits.2.push(&event.commit.metadata);
        }
        self.positions.push(signed(event.position));
        self.numbers.push(signed(number));
        self.sequences.push(signed(event.sequence));
        self.types.push(of);
        self.payloads.push(&event.payload);
        self.sealed.push(event.sealed.as_deref());
    }

    async fn insert(self, connection: &mut PgConnection) -> Result<(), LogError> {
        let insert = "INSERT INTO streams (number, kind, id) SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[])";
        let (numbers, kinds, ids) = self.streams;
        sqlx::query(insert).bind(numbers).bind(kinds).bind(ids).execute(&mut *connection).await?;
        let insert = "INSERT INTO commits (position, at, metadata) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[])";
        let (positions, at, metadata) = self.commits;
        sqlx::query(insert).bind(positions).bind(at).bind(metadata).execute(&mut *connection).await?;
        let insert = "INSERT INTO events (position, stream, sequence, type, payload, sealed)
            SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::integer[], $5::text[], $6::bytea[])";
        let Self { positions, numbers, sequences, types, payloads, sealed, .. } = self;
        let insert = sqlx::query(insert).bind(positions).bind(numbers).bind(sequences).bind(types).bind(payloads).bind(sealed);
        insert.execute(connection).await?;
        Ok(())
    }
}

impl RawWriter for PostgresRawWriter {
    fn head(&self) -> Position {
        self.head
    }

    fn write(&mut self, events: &[RawEvent]) -> Result<(), RawError> {
        let blocking = self.blocking.clone();
        let written = blocking.wait(async { Ok::<_, LogError>(self.transact(events).await) });
        written.map_err(RawError::from).and_then(|written| written)
    }
}
