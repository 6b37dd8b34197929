//! The same records where the log is in Postgres: read in one snapshot, by SQL of the checker's own.

use crate::inputs::{Event, Inputs, lines, plain};
use anyhow::{Context, Result};
use sqlx::{Connection, Executor, PgConnection, Row};
use std::collections::HashMap;
use std::path::Path;

/// A connection to the database; the log is in its schema `bongsu`.
pub async fn connect(url: &str) -> Result<PgConnection> {
    PgConnection::connect(url).await.context("connecting to the log's database")
}

/// What is still on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    /// Deliveries in the table of what is owed.
    pub deliveries: i64,
    /// How far that table is.
    pub checkpoint: i64,
    /// How far the log is.
    pub head: i64,
    /// What is to be asked by a moment: released, closed, fired, or the next step of a plan.
    pub timers: i64,
    /// How far the table of those is.
    pub timers_checkpoint: i64,
}

impl Owed {
    /// Nothing is, and the tables say so of the whole log.
    pub fn is_nothing(&self) -> bool {
        self.deliveries == 0 && self.timers == 0 && self.checkpoint == self.head && self.timers_checkpoint == self.head
    }
}

/// Looks what is still on its way, by a moment (ms since the epoch) up to which it is waited for.
pub async fn owed(connection: &mut PgConnection, until: i64) -> Result<Owed> {
    let query = "SELECT (SELECT count(*) FROM bongsu.pending_deliveries WHERE state < 3),
                        (SELECT coalesce(max(position), 0) FROM bongsu.checkpoints WHERE consumer = 'delivery'),
                        (SELECT coalesce(max(position), 0) FROM bongsu.events),
                        (SELECT count(*) FROM bongsu.stream_timers WHERE due < $1),
                        (SELECT coalesce(max(position), 0) FROM bongsu.checkpoints WHERE consumer = 'timers')";
    let (deliveries, checkpoint, head, timers, timers_checkpoint) = sqlx::query_as(query).bind(until).fetch_one(connection).await?;
    Ok(Owed { deliveries, checkpoint, head, timers, timers_checkpoint })
}

/// What is owed in full, a JSON object a line: rows of the table, each with the story of its stream. At most 100.
pub async fn owed_in_full(connection: &mut PgConnection) -> Result<Vec<String>> {
    let query = "SELECT jsonb_build_object('row', to_jsonb(owed), 'story', (
                     SELECT jsonb_agg(jsonb_build_object('position', e.position, 'sequence', e.sequence, 'type', t.name, 'payload', e.payload) ORDER BY e.position)
                     FROM bongsu.events e JOIN bongsu.event_types t ON t.id = e.type WHERE e.stream = owed.stream))::text
                 FROM bongsu.pending_deliveries owed WHERE state < 3 ORDER BY stream, delivery LIMIT 100";
    sqlx::query_scalar(query).fetch_all(connection).await.context("reading what is owed")
}

/// Reads all records.
pub async fn read(url: &str, journal: &Path, ledger: &Path, faults: &Path) -> Result<Inputs> {
    let mut connection = connect(url).await?;
    // One moment for all tables.
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let commits: Vec<(i64, i64)> = sqlx::query_as("SELECT position, at FROM bongsu.commits ORDER BY position").fetch_all(&mut connection).await?;
    let streams: Vec<(i64, i16, String)> = sqlx::query_as("SELECT number, kind, id FROM bongsu.streams").fetch_all(&mut connection).await?;
    let streams: HashMap<i64, (u8, String)> = streams.into_iter().map(|(number, kind, id)| (number, (u8::try_from(kind).unwrap_or(0), plain(&id)))).collect();
    let types: Vec<(i32, String)> = sqlx::query_as("SELECT id, name FROM bongsu.event_types").fetch_all(&mut connection).await?;
    let types: HashMap<i32, String> = types.into_iter().collect();
    let rows = sqlx::query("SELECT position, stream, sequence, type, payload FROM bongsu.events ORDER BY position").fetch_all(&mut connection).await?;
    let mut events = Vec::with_capacity(rows.len());
    let mut commit = 0;
    for row in &rows {
        let position = row.try_get::<i64, _>(0)?;
        while commits.get(commit + 1).is_some_and(|next| next.0 <= position) {
            commit += 1;
        }
        let number: i64 = row.try_get(1)?;
        let (kind, id) = streams.get(&number).cloned().unwrap_or_default();
        events.push(Event {
            position: position.unsigned_abs(),
            stream: number.unsigned_abs(),
            kind,
            id,
            sequence: row.try_get::<i64, _>(2)?.unsigned_abs(),
            name: types.get(&row.try_get(3)?).cloned().unwrap_or_default(),
            payload: serde_json::from_str(row.try_get(4)?)?,
            at: commits.get(commit).map_or(0, |commit| commit.1),
        });
    }
    let pending: Vec<(i64, i64)> = sqlx::query_as("SELECT stream, delivery FROM bongsu.pending_deliveries WHERE state < 3").fetch_all(&mut connection).await?;
    let checkpoint: i64 =
        sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM bongsu.checkpoints WHERE consumer = 'delivery'").fetch_one(&mut connection).await?;
    let parked = "SELECT consumer || ' at ' || position || ': ' || error FROM bongsu.parked ORDER BY position";
    let parked: Vec<String> = sqlx::query_scalar(parked).fetch_all(&mut connection).await?;
    Ok(Inputs {
        events,
        commits: commits.into_iter().map(|commit| commit.0.unsigned_abs()).collect(),
        answers: lines(journal)?,
        arrivals: lines(ledger)?,
        pending: pending.into_iter().map(|(stream, delivery)| (stream.unsigned_abs(), u16::try_from(delivery).unwrap_or(u16::MAX))).collect(),
        pending_checkpoint: checkpoint.unsigned_abs(),
        parked,
        switches: lines(journal)?,
        faults: lines(faults)?,
        ..Inputs::default()
    })
}
