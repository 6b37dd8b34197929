//! Rows of the log as they come from Postgres, and how they become events.

use super::types;
use super::unsigned;
use crate::log::append::LogError;
use crate::log::recorded::{Bare, Metadata, Position, Recorded, Sequence, StreamNo};
use crate::log::sealing::Sealer;
use crate::log::stored::{EventType, Stored, subject};
use domain::values::Millis;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::QueryAs;
use sqlx::{PgConnection, Postgres, Row as _};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use uuid::Uuid;

/// Events with their streams, in the columns that [`Row::read`] wants.
macro_rules! events {
    ($which:literal) => {
        concat!(
            "SELECT e.position, e.stream, e.sequence, e.type, e.payload, e.sealed, s.kind, s.id FROM events e JOIN streams s ON s.number = e.stream ",
            $which
        )
    };
}
pub(super) use events;

const AFTER: &str = events!("WHERE e.position > $1 ORDER BY e.position LIMIT $2");
/// The commits of events between two positions.
const COMMITS: &str = "SELECT position, at, metadata FROM commits
    WHERE position >= (SELECT max(position) FROM commits WHERE position <= $1) AND position <= $2 ORDER BY position";

/// The commits of events at some positions.
const COMMITS_OF: &str = "SELECT DISTINCT c.position, c.at, c.metadata FROM unnest($1::bigint[]) AS e(position)
    CROSS JOIN LATERAL (SELECT position, at, metadata FROM commits WHERE commits.position <= e.position ORDER BY commits.position DESC LIMIT 1) c
    ORDER BY 1";

/// A row that is read, and not yet understood.
pub(super) struct Row {
    pub position: Position,
    pub number: StreamNo,
    pub sequence: Sequence,
    pub kind: u8,
    pub id: Uuid,
    pub of: i32,
    pub payload: String,
    pub sealed: Option<Vec<u8>>,
}

impl Row {
    pub(super) fn read(row: &PgRow) -> Result<Self, LogError> {
        let id: &str = row.try_get(7)?;
        Ok(Self {
            position: unsigned(row.try_get(0)?),
            number: unsigned(row.try_get(1)?),
            sequence: unsigned(row.try_get(2)?),
            of: row.try_get(3)?,
            payload: row.try_get(4)?,
            sealed: row.try_get(5)?,
            kind: u8::try_from(row.try_get::<i16, _>(6)?).unwrap_or(0),
            id: Uuid::parse_str(id).map_err(|error| LogError::Unavailable { reason: format!("a stream's id is no UUID: {error}") })?,
        })
    }

    fn stored(&self) -> Stored<'_> {
        Stored {
            position: self.position,
            number: self.number,
            sequence: self.sequence,
            kind: self.kind,
            id: self.id.into_bytes(),
            payload: self.payload.as_bytes(),
            sealed: self.sealed.as_deref(),
        }
    }
}

/// The commits of a page, by the position of their first event.
#[derive(Default)]
pub(super) struct Commits(Vec<(Position, Millis, Arc<Metadata>)>);

impl Commits {
    /// Of the events between two positions.
    pub(super) async fn between(connection: &mut PgConnection, first: Position, last: Position) -> Result<Self, LogError> {
        Self::query(sqlx::query_as(COMMITS).bind(super::signed(first)).bind(super::signed(last)), connection).await
    }

    async fn query<'q>(query: QueryAs<'q, Postgres, (i64, i64, String), PgArguments>, connection: &mut PgConnection) -> Result<Self, LogError> {
        let rows = query.fetch_all(connection).await?;
        let read = |(position, at, metadata): (i64, i64, String)| {
            let metadata = serde_json::from_str(&metadata).map_err(|error| LogError::Unavailable { reason: error.to_string() })?;
            Ok((unsigned(position), at, Arc::new(metadata)))
        };
        Ok(Self(rows.into_iter().map(read).collect::<Result<_, LogError>>()?))
    }

    /// Of one event.
    pub(super) fn of(&self, position: Position) -> Result<(Millis, Arc<Metadata>), LogError> {
        let index = self.0.partition_point(|(from, ..)| *from <= position);
        let found = index.checked_sub(1).and_then(|index| self.0.get(index));
        let (_, at, metadata) = found.ok_or_else(|| LogError::Unavailable { reason: format!("position {position} belongs to no commit") })?;
        Ok((*at, Arc::clone(metadata)))
    }
}

/// Rows after a position, in order.
pub(super) async fn read_after(connection: &mut PgConnection, after: Position, limit: usize) -> Result<Vec<Row>, LogError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    sqlx::query(AFTER).bind(super::signed(after)).bind(limit).fetch_all(connection).await?.iter().map(Row::read).collect()
}

/// A page as read; understood later, on a thread that may wait for keys.
#[derive(Default)]
pub(super) struct RawPage {
    pub events: Vec<Row>,
    pub commits: Commits,
}

impl RawPage {
    /// Events after a position, in order.
    pub(super) async fn after(connection: &mut PgConnection, after: Position, limit: usize) -> Result<Self, LogError> {
        let rows = read_after(connection, after, limit).await?;
        Self::with_commits(connection, rows).await
    }

    /// Adds the commits of events from anywhere.
    pub(super) async fn scattered(connection: &mut PgConnection, events: Vec<Row>) -> Result<Self, LogError> {
        let positions: Vec<i64> = events.iter().map(|event| super::signed(event.position)).collect();
        Ok(Self { commits: Commits::query(sqlx::query_as(COMMITS_OF).bind(positions), connection).await?, events })
    }

    /// Adds the commits of events that are in order.
    pub(super) async fn with_commits(connection: &mut PgConnection, events: Vec<Row>) -> Result<Self, LogError> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Ok(Self::default());
        };
        let commits = Commits::between(connection, first.position, last.position).await?;
        Ok(Self { events, commits })
    }
}

/// Understands rows. Clones share the dictionary.
#[derive(Clone, Debug)]
pub(super) struct Decoder {
    sealer: Sealer,
    types: Arc<RwLock<Arc<HashMap<i32, EventType>>>>,
}

impl Decoder {
    pub(super) fn new(sealer: Sealer) -> Self {
        Self { sealer, types: Arc::default() }
    }

    pub(super) const fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    fn types(&self) -> Arc<HashMap<i32, EventType>> {
        Arc::clone(&self.types.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A type, once it was learnt.
    pub(super) fn type_of(&self, number: i32) -> Option<EventType> {
        self.types().get(&number).cloned()
    }

    /// Reads the dictionary anew if an event is of a type that is not known yet.
    pub(super) async fn learn(&self, connection: &mut PgConnection, events: &[Row]) -> Result<(), LogError> {
        let known = self.types();
        if events.iter().any(|event| !known.contains_key(&event.of)) {
            let fresh = types::load(connection).await?;
            *self.types.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        }
        Ok(())
    }

    /// The events of a page; those after one that cannot be read are left out, and its error is
    /// the second. Waits for keys: not for the runtime's threads.
    pub(super) fn decode(&self, page: &RawPage, open: bool) -> (Vec<Arc<Recorded>>, Option<LogError>) {
        let (bare, mut unread) = self.bare(&page.events, open);
        let mut decoded = Vec::with_capacity(bare.len());
        for (Bare { position, stream, sequence, fact }, row) in bare.into_iter().zip(&page.events) {
            match page.commits.of(position) {
                Ok((at, metadata)) => decoded.push(Arc::new(Recorded { position, stream, number: row.number, sequence, at, fact, metadata })),
                Err(error) => {
                    unread = Some(error);
                    break;
                }
            }
        }
        (decoded, unread)
    }

    /// The same without their commits.
    pub(super) fn bare(&self, rows: &[Row], open: bool) -> (Vec<Bare>, Option<LogError>) {
        let subjects = rows.iter().filter(|_| open).filter_map(|event| subject(event.sealed.as_deref()?));
        if let Err(error) = self.sealer.keys().load(subjects) {
            return (Vec::new(), Some(LogError::Keys { reason: error.to_string() }));
        }
        let known = self.types();
        let mut bare = Vec::with_capacity(rows.len());
        for row in rows {
            match row.stored().read(known.get(&row.of), open.then_some(&self.sealer)) {
                Ok((stream, fact)) => bare.push(Bare { position: row.position, stream, sequence: row.sequence, fact }),
                Err(error) => return (bare, Some(error)),
            }
        }
        (bare, None)
    }
}
