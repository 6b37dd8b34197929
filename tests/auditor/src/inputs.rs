//! The three records that are compared.

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;

/// An event as the log's file has it.
#[derive(Debug, Clone)]
pub struct Event {
    /// Place in the log.
    pub position: u64,
    /// Number of the stream.
    pub stream: u64,
    /// Kind of aggregate: 1 notification, 2 recipient, 3 subscription, 4 category.
    pub kind: u8,
    /// The instance, in hexadecimal.
    pub id: String,
    /// Place in the stream.
    pub sequence: u64,
    /// Name of the event.
    pub name: String,
    /// Its readable content.
    pub payload: Value,
    /// When it was committed (ms since the epoch).
    pub at: i64,
}

/// An answer that the client got and made durable before it counted it.
#[derive(Debug, Clone, Deserialize)]
pub struct Answer {
    /// The idempotency key.
    pub key: String,
    /// The notification's id.
    pub id: String,
    /// The position in the answer.
    pub position: String,
}

/// An arrival at a provider.
#[derive(Debug, Clone, Deserialize)]
pub struct Arrival {
    /// Which provider.
    pub provider: String,
    /// Whether the device or mailbox got it.
    pub delivered: bool,
    /// Our id.
    pub notification: Option<String>,
    /// The delivery.
    pub delivery: Option<u16>,
    /// The attempt.
    pub attempt: Option<u32>,
}

/// Everything that is compared.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The log.
    pub events: Vec<Event>,
    /// Positions that begin a commit.
    pub commits: Vec<u64>,
    /// What the client was promised.
    pub answers: Vec<Answer>,
    /// What arrived.
    pub arrivals: Vec<Arrival>,
    /// Deliveries in the table of what is owed: (stream, delivery).
    pub pending: Vec<(u64, u16)>,
    /// How far that table is.
    pub pending_checkpoint: u64,
}

/// An id without dashes, in lower case.
pub fn plain(id: &str) -> String {
    id.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_lowercase()
}

fn lines<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Vec<T>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    // The last line may be torn: the client was not told that it counted.
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

impl Inputs {
    /// Reads all three.
    pub fn read(log: &Path, journal: &Path, ledger: &Path) -> Result<Self> {
        let connection = Connection::open_with_flags(log, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let commits: Vec<(u64, i64)> = connection
            .prepare("SELECT position, at FROM commits ORDER BY position")?
            .query_map([], |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let streams: HashMap<i64, (u8, String)> = connection
            .prepare("SELECT number, kind, hex(id) FROM streams")?
            .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get::<_, String>(2)?.to_lowercase()))))?
            .collect::<Result<_, _>>()?;
        let types: HashMap<i64, String> =
            connection.prepare("SELECT id, name FROM event_types")?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let mut events = Vec::new();
        let mut statement = connection.prepare("SELECT position, stream, sequence, type, payload FROM events ORDER BY position")?;
        let mut rows = statement.query([])?;
        let mut commit = 0;
        while let Some(row) = rows.next()? {
            let position = row.get::<_, i64>(0)?.unsigned_abs();
            while commits.get(commit + 1).is_some_and(|next| next.0 <= position) {
                commit += 1;
            }
            let number: i64 = row.get(1)?;
            let (kind, id) = streams.get(&number).cloned().unwrap_or_default();
            events.push(Event {
                position,
                stream: number.unsigned_abs(),
                kind,
                id,
                sequence: row.get::<_, i64>(2)?.unsigned_abs(),
                name: types.get(&row.get::<_, i64>(3)?).cloned().unwrap_or_default(),
                payload: serde_json::from_str(&row.get::<_, String>(4)?)?,
                at: commits.get(commit).map_or(0, |commit| commit.1),
            });
        }
        let pending = connection
            .prepare("SELECT stream, delivery FROM pending_deliveries WHERE state < 3")?
            .query_map([], |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let pending_checkpoint: i64 =
            connection.query_row("SELECT coalesce(max(position), 0) FROM checkpoints WHERE consumer = 'delivery'", [], |row| row.get(0))?;
        Ok(Self {
            events,
            commits: commits.into_iter().map(|commit| commit.0).collect(),
            answers: lines(journal)?,
            arrivals: lines(ledger)?,
            pending,
            pending_checkpoint: pending_checkpoint.unsigned_abs(),
        })
    }
}
