//! Reading the table: what is due, and when the next is. The same questions to SQLite and to Postgres.

mod postgres;
mod sqlite;

use commands::database::Readers;
use commands::log::{LogError, StreamNo};
use domain::policy::timers::TimerName;
use domain::values::Millis;
use domain::{AggregateKind, StreamId};
use sqlx::PgPool;
use uuid::Uuid;

/// The order in which timers are asked, and which one it is: one that is set anew is another. The tables
/// sort by name as text, which is the same order for those that one stream can have.
pub type Key = (Millis, StreamNo, TimerName);

/// A timer in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// When (ms since the epoch).
    pub due: Millis,
    /// The stream's number.
    pub number: StreamNo,
    /// What is asked.
    pub name: TimerName,
    /// The stream.
    pub stream: StreamId,
}

impl Row {
    /// See there.
    pub const fn key(&self) -> Key {
        (self.due, self.number, self.name)
    }
}

/// See the module. Clones share the connections.
#[derive(Debug, Clone)]
pub enum TimerRows {
    /// In the log's file.
    File(Readers),
    /// In the log's schema.
    Postgres(PgPool),
}

impl TimerRows {
    /// Those whose moment has come, the longest due first; behind `after`, where it is given.
    pub async fn due(&self, now: Millis, after: Option<Key>, most: usize) -> Result<Vec<Row>, LogError> {
        let after = after.map_or((Millis::MIN, -1, ""), |(due, number, name)| (due, number.cast_signed(), name.name()));
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        match self {
            Self::File(readers) => sqlite::due(readers, now, after, most).await,
            Self::Postgres(pool) => postgres::due(pool, now, after, most).await,
        }
    }

    /// When the next is due, of those that are not.
    pub async fn next(&self, now: Millis) -> Result<Option<Millis>, LogError> {
        match self {
            Self::File(readers) => sqlite::next(readers, now).await,
            Self::Postgres(pool) => postgres::next(pool, now).await,
        }
    }

    /// How many are due, counted up to ten thousand.
    pub async fn count(&self, now: Millis) -> Result<u64, LogError> {
        match self {
            Self::File(readers) => sqlite::count(readers, now).await,
            Self::Postgres(pool) => postgres::count(pool, now).await,
        }
    }
}

/// What this version can ask, as a condition. Rows that only a newer one knows are left out by the store:
/// a page that were full of them would look like the end, and all behind it would wait for ever.
macro_rules! known {
    () => {
        "name IN ('release', 'step', 'close', 'run') AND kind IN (1, 9, 10)"
    };
}
use known;

/// A row as stored; none of what cannot be read.
fn row(due: Millis, number: i64, name: &str, kind: i64, id: [u8; 16]) -> Option<Row> {
    let kind = AggregateKind::from_number(u8::try_from(kind).ok()?)?;
    let stream = StreamId::new(kind, Uuid::from_bytes(id));
    Some(Row { due, number: number.cast_unsigned(), name: TimerName::from_name(name)?, stream })
}
