//! Rows of the log as they come from Postgres, and how they become events.

use super::types;
use super::unsigned;
use crate::log::append::LogError;
use crate::log::need::{Need, Part};
use crate::log::recorded::{Bare, Metadata, Position, Recorded, Sequence, StreamNo};
use crate::log::sealing::Sealer;
use crate::log::stored::{EventType, Stored, subject};
use crate::replicas::SLOTS;
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
pub(super) const AT: &str = events!("WHERE e.position = ANY($1) ORDER BY e.position");
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
        let mut commits = Self::default();
        for row in query.fetch_all(connection).await? {
            commits.add(row)?;
        }
        Ok(commits)
    }

    /// The next, or the last once more.
    fn add(&mut self, (position, at, metadata): (i64, i64, String)) -> Result<(), LogError> {
        let position = unsigned(position);
        if self.0.last().is_none_or(|(last, ..)| *last < position) {
            let metadata = serde_json::from_str(&metadata).map_err(|error| LogError::Unavailable { reason: error.to_string() })?;
            self.0.push((position, at, Arc::new(metadata)));
        }
        Ok(())
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

/// Rows at some positions, in order.
pub(super) async fn read_at(connection: &mut PgConnection, positions: Vec<i64>) -> Result<Vec<Row>, LogError> {
    sqlx::query(AT).bind(positions).fetch_all(connection).await?.iter().map(Row::read).collect()
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

/// A stretch of the log of which only what is needed was read.
pub(super) struct Skimmed {
    /// Its end.
    pub upto: Position,
    /// What was read of it.
    pub page: RawPage,
    /// Streams and sequences of what was left out.
    pub left_out: Vec<(StreamNo, Sequence)>,
}

/// What is wanted of a page as rows, each with its commit, and the rest as two arrays in the first of them
/// (which is empty where nothing is wanted): a row for each event would cost more than all the rest, and
/// another round trip as much again. What lies up to the newest of them is complete, since positions become
/// visible in their order.
const SKIM: &str = "SELECT e.position, e.stream, e.sequence, e.type, e.payload, e.sealed, s.kind, s.id, c.position, c.at, c.metadata,
        page.upto, CASE WHEN coalesce(w.n, 1) = 1 THEN page.streams END, CASE WHEN coalesce(w.n, 1) = 1 THEN page.sequences END
    FROM (SELECT max(position) AS upto, array_agg(stream) FILTER (WHERE NOT wanted) AS streams,
            array_agg(sequence) FILTER (WHERE NOT wanted) AS sequences, array_agg(position) FILTER (WHERE wanted) AS wanted
        FROM (SELECT position, stream, sequence, CASE WHEN type = ANY($3) THEN ($4 >> (stream & 63)::integer) & 1 = 1
                WHEN type = ANY($5) THEN ($6 >> (stream & 63)::integer) & 1 = 1 ELSE true END AS wanted
            FROM events WHERE position > $1 ORDER BY position LIMIT $2) events) page
    LEFT JOIN LATERAL unnest(page.wanted) WITH ORDINALITY AS w(position, n) ON true
    LEFT JOIN LATERAL (SELECT * FROM events WHERE events.position = w.position LIMIT 1) e ON true
    LEFT JOIN LATERAL (SELECT kind, id FROM streams WHERE streams.number = e.stream LIMIT 1) s ON true
    LEFT JOIN LATERAL (SELECT * FROM commits WHERE commits.position <= e.position ORDER BY commits.position DESC LIMIT 1) c ON true
    ORDER BY w.n";
const _: () = assert!(SLOTS == 64, "the statement counts on it");

impl Skimmed {
    /// What is needed of the events after a position, in order; none where there are no events.
    pub(super) async fn after(connection: &mut PgConnection, after: Position, limit: usize, need: Need, decoder: &Decoder) -> Result<Option<Self>, LogError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (shown, rest) = decoder.parts();
        let skim = sqlx::query(SKIM).bind(super::signed(after)).bind(limit);
        let skim = skim.bind(shown).bind(need.slots(Part::Shown).cast_signed()).bind(rest).bind(need.slots(Part::Rest).cast_signed());
        let rows = skim.fetch_all(connection).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let Some(upto) = first.try_get::<Option<i64>, _>(11)? else { return Ok(None) };
        let (streams, sequences): (Option<Vec<i64>>, Option<Vec<i64>>) = (first.try_get(12)?, first.try_get(13)?);
        let left_out = streams.unwrap_or_default().into_iter().zip(sequences.unwrap_or_default());
        let left_out = left_out.map(|(stream, sequence)| (unsigned(stream), unsigned(sequence))).collect();
        let mut page = RawPage::default();
        for row in &rows {
            if row.try_get::<Option<i64>, _>(0)?.is_some() {
                page.events.push(Row::read(row)?);
                page.commits.add((row.try_get(8)?, row.try_get(9)?, row.try_get(10)?))?;
            }
        }
        Ok(Some(Self { upto: unsigned(upto), page, left_out }))
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

    /// The types of each part of notifications' events, as far as they were learnt: what is not is told.
    pub(super) fn parts(&self) -> (Vec<i32>, Vec<i32>) {
        let (mut shown, mut rest) = (Vec::new(), Vec::new());
        for (number, of) in self.types().iter() {
            match Part::of(of.kind, &of.name) {
                Some(Part::Shown) => shown.push(*number),
                Some(Part::Rest) => rest.push(*number),
                None => {}
            }
        }
        (shown, rest)
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
