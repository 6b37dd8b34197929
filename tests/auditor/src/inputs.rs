//! The records that are compared, and how they are read where the log is a file.

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
    /// Kind of aggregate: 1 notification, 2 recipient, 3 subscription, 4 category, 8 frequency, 9 digest, 10 schedule.
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
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Answer {
    /// The idempotency key.
    pub key: String,
    /// The notification's id.
    pub id: String,
    /// The position in the answer.
    pub position: String,
    /// Whom it is for, in the client's words, where the client noted that.
    #[serde(default)]
    pub recipient: Option<String>,
    /// When the answer came (ms since the epoch), where the client noted that.
    #[serde(default)]
    pub acked: Option<i64>,
}

/// What a client noted about a switch of a recipient that nobody else turns.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Switch {
    /// The recipient, in the client's words.
    pub recipient: String,
    /// The channel, as the log names it; none: it is not about one.
    #[serde(default)]
    pub channel: String,
    /// The category; none: it is not about one.
    #[serde(default)]
    pub category: String,
    /// The topic; none: it is not about one.
    #[serde(default)]
    pub topic: String,
    /// What happened.
    pub what: Turn,
    /// When (ms since the epoch).
    pub at: i64,
}

/// The steps of turning a switch, in the order in which they are noted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// The opt-out was answered.
    #[default]
    Left,
    /// About to turn it on. What was asked for may still happen, however late.
    Joining,
    /// The first request to turn it on was answered, so that none is on its way any more.
    Joined,
}

/// What a nemesis did, and until when.
#[derive(Debug, Clone, Deserialize)]
pub struct Fault {
    /// Its kind.
    pub fault: String,
    /// From when (ms since the epoch).
    pub from: i64,
    /// Until when.
    pub to: i64,
}

/// An arrival at a provider.
#[derive(Debug, Clone, Default, Deserialize)]
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
    /// When, by the provider's clock (RFC 3339).
    #[serde(default)]
    pub at: String,
}

impl Arrival {
    /// When, in ms since the epoch.
    pub fn millis(&self) -> Option<i64> {
        chrono::DateTime::parse_from_rfc3339(&self.at).ok().map(|at| at.timestamp_millis())
    }
}

/// Everything that is compared.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// What the log said before the part that is judged, as far as that part rests on it.
    pub before: Vec<Event>,
    /// The part that is judged begins after this position; 0: all of the log.
    pub after: u64,
    /// The log, from there on.
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
    /// Events that a consumer could not take in, in words.
    pub parked: Vec<String>,
    /// What the clients noted about switches.
    pub switches: Vec<Switch>,
    /// What was done to the system.
    pub faults: Vec<Fault>,
    /// Every request was asked until it was answered: nothing may be in the log that was not.
    pub all_answered: bool,
    /// When the records were read (ms since the epoch): what should have happened long before is late. 0: nothing is.
    pub now: i64,
    /// Longest provider call, in ms: what began before an opt-out was answered arrives within it.
    pub call_within: i64,
}

/// An id without dashes, in lower case.
pub fn plain(id: &str) -> String {
    id.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_lowercase()
}

/// Those lines of a file that are of this kind.
pub(crate) fn lines<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Vec<T>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    // The last line may be torn: the client was not told that it counted.
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

impl Inputs {
    /// Reads all three.
    pub fn read(log: &Path, journal: &Path, ledger: &Path) -> Result<Self> {
        Self::read_after(log, 0, journal, ledger)
    }

    /// Reads what the log has after a position, and the other two.
    pub fn read_after(log: &Path, after: u64, journal: &Path, ledger: &Path) -> Result<Self> {
        let connection = Connection::open_with_flags(log, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let floor = i64::try_from(after)?;
        let commits: Vec<(u64, i64)> = connection
            .prepare("SELECT position, at FROM commits WHERE position > ?1 ORDER BY position")?
            .query_map([floor], |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let streams: HashMap<i64, (u8, String)> = connection
            .prepare("SELECT number, kind, hex(id) FROM streams WHERE number IN (SELECT stream FROM events WHERE position > ?1)")?
            .query_map([floor], |row| Ok((row.get(0)?, (row.get(1)?, row.get::<_, String>(2)?.to_lowercase()))))?
            .collect::<Result<_, _>>()?;
        let types: HashMap<i64, String> =
            connection.prepare("SELECT id, name FROM event_types")?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let mut events = Vec::new();
        let mut statement = connection.prepare("SELECT position, stream, sequence, type, payload FROM events WHERE position > ?1 ORDER BY position")?;
        let mut rows = statement.query([floor])?;
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
            after,
            events,
            commits: commits.into_iter().map(|commit| commit.0).collect(),
            answers: lines(journal)?,
            arrivals: lines(ledger)?,
            pending,
            pending_checkpoint: pending_checkpoint.unsigned_abs(),
            switches: lines(journal)?,
            ..Self::default()
        })
    }
}
