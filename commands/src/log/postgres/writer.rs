//! Appending: a whole batch in one transaction that holds the head.
//!
//! Whoever holds the row `log_head` knows the order: positions are drawn from it, and the next one
//! gets it after the commit. So nothing becomes visible below what a reader has read, and what a
//! replica knows of streams is exact once it has read what others appended meanwhile. A sequence
//! in place of the head was rejected: its numbers become visible in another order, and a reader
//! passes some for ever; so was an advisory lock, since the head has to be read anyway.
//!
//! A commit whose answer was lost is looked up by the batch's id before anybody is answered.

use super::draft::{Draft, Prepared, Streams};
use super::rows::{Decoder, RawPage, Skimmed};
use super::types::{TypeKey, TypeNumbers};
use super::{signed, unsigned};
use crate::consumer::Sets;
use crate::database::postgres::{Blocking, PgPlace};
use crate::failpoint;
use crate::log::append::{Batch, CommitOutcome, LogError, LogWriter, RowChanges};
use crate::log::need::Need;
use crate::log::recorded::{Position, StreamNo};
use crate::log::sealing::Sealer;
use crate::log::tail::Told;
use crate::ports::Random;
use domain::values::Millis;
use domain::{AggregateKind, StreamId};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor, PgConnection, Row as _};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Others' events that are read while the head is held; more are read before it is taken.
const WITHIN_TURN: u64 = 4_000;
/// Others' events that are read at once.
const PAGE: usize = 4_000;
/// Turns that may be given up because others were faster.
const TURNS: usize = 20;
/// How often to look for what others appended, if nothing says so.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What ends the turn of a replica that has stopped, or whose machine is gone, while it holds the head;
/// and its waiting for it, once nobody waits for the answer.
const TURN_LIMITS: [(&str, &str); 2] = [("idle_in_transaction_session_timeout", "1500ms"), ("lock_timeout", "2500ms")];

const TAKE_TURN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT position, stream FROM log_head FOR UPDATE";

/// Everything that a transaction writes to the log: one statement, since each costs a round trip.
const WRITE: &str = "WITH
    s AS (INSERT INTO streams (number, kind, id) SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[])),
    c AS (INSERT INTO commits (position, at, metadata, batch)
        SELECT position, $6, metadata, CASE WHEN n = 1 THEN $7::uuid END FROM unnest($4::bigint[], $5::text[]) WITH ORDINALITY AS c(position, metadata, n)),
    e AS (INSERT INTO events (position, stream, sequence, type, payload, sealed)
        SELECT * FROM unnest($8::bigint[], $9::bigint[], $10::bigint[], $11::integer[], $12::text[], $13::bytea[])),
    h AS (UPDATE log_head SET position = $14, stream = $15 RETURNING position)
    SELECT pg_notify('bongsu_log', position::text) FROM h";

/// See the module.
pub struct PostgresWriter {
    options: PgConnectOptions,
    blocking: Blocking,
    connection: Option<PgConnection>,
    decoder: Decoder,
    random: Arc<dyn Random>,
    types: TypeNumbers,
    /// Everything up to here is told, or in `others`.
    known: Position,
    streams: Streams,
    need: Need,
    others: Vec<Heard>,
    /// Streams that were looked up for the batch at hand, and were not there.
    absent: Vec<StreamId>,
    sets: Sets,
}

/// What was read of a stretch of the log.
struct Heard {
    from: Position,
    upto: Position,
    need: Need,
    page: RawPage,
}

impl std::fmt::Debug for PostgresWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresWriter")
    }
}

impl PostgresWriter {
    /// Over a schema that is migrated. Must be called on a thread that is not the runtime's.
    pub fn open(place: &PgPlace, sealer: Sealer, random: Arc<dyn Random>) -> Result<Self, LogError> {
        let blocking = Blocking::new().map_err(|error| LogError::Unavailable { reason: error.to_string() })?;
        let mut writer = Self {
            options: place.options().clone().options(TURN_LIMITS),
            blocking,
            connection: None,
            decoder: Decoder::new(sealer),
            random,
            types: TypeNumbers::default(),
            known: 0,
            streams: Streams::default(),
            need: Need::ALL,
            others: Vec::new(),
            absent: Vec::new(),
            sets: Sets::default(),
        };
        let blocking = writer.blocking.clone();
        writer.known = blocking.wait(async {
            let mut connection = writer.options.connect().await?;
            enter_kinds(&mut connection).await?;
            let head: i64 = sqlx::query_scalar("SELECT position FROM log_head").fetch_one(&mut connection).await?;
            writer.connection = Some(connection);
            Ok::<_, LogError>(unsigned(head))
        })?;
        Ok(writer)
    }

    async fn connect(&mut self) -> Result<PgConnection, LogError> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => Ok(self.options.connect().await?),
        }
    }

    /// Reads what others appended, as far as it is needed, until there is hardly any left.
    async fn catch_up(&mut self, connection: &mut PgConnection) -> Result<(), LogError> {
        loop {
            let before = self.known;
            if self.need == Need::ALL {
                let page = RawPage::after(connection, before, PAGE).await?;
                let Some(last) = page.events.last() else { return Ok(()) };
                let upto = last.position;
                self.take_in(connection, upto, Need::ALL, page).await?;
            } else {
                let skimmed = Skimmed::after(connection, before, PAGE, self.need, &self.decoder).await?;
                let Some(Skimmed { upto, page, left_out }) = skimmed else { return Ok(()) };
                let whole = if left_out.is_empty() { Need::ALL } else { self.need };
                self.take_in(connection, upto, whole, page).await?;
                for (number, sequence) in left_out {
                    self.streams.moved_unseen(number, sequence);
                }
            }
            if self.known - before < PAGE as Position {
                return Ok(());
            }
        }
    }

    async fn take_in(&mut self, connection: &mut PgConnection, upto: Position, need: Need, page: RawPage) -> Result<(), LogError> {
        self.decoder.learn(connection, &page.events).await?;
        for event in &page.events {
            let stream = AggregateKind::from_number(event.kind).map(|kind| StreamId::new(kind, event.id));
            self.streams.moved(stream, event.number, event.sequence);
        }
        self.others.push(Heard { from: self.known, upto, need, page });
        self.known = upto;
        Ok(())
    }

    /// Begins a transaction, takes the head, and reads what others appended before.
    async fn take_turn(&mut self, connection: &mut PgConnection) -> Result<(Position, StreamNo), LogError> {
        for _ in 0..TURNS {
            // One round trip for both.
            let row = connection.fetch_one(sqlx::raw_sql(TAKE_TURN)).await?;
            let (head, stream) = (unsigned(row.try_get(0)?), unsigned(row.try_get(1)?));
            if head < self.known {
                return Err(LogError::Unavailable {
                    reason: format!("the log ends at {head}, and {} was read already: its history went backwards", self.known),
                });
            }
            if head - self.known > WITHIN_TURN {
                connection.execute("ROLLBACK").await?;
                self.catch_up(connection).await?;
                continue;
            }
            if head > self.known && !failpoint::planted("stale-streams") {
                self.catch_up(connection).await?;
            }
            return Ok((head, stream));
        }
        Err(LogError::Unavailable { reason: "others append faster than this replica reads".to_owned() })
    }

    /// Looks up the streams of a batch that are not known.
    async fn look_up(&mut self, connection: &mut PgConnection, batch: &[Prepared]) -> Result<(), LogError> {
        let (mut ids, mut numbers) = (HashSet::new(), HashSet::new());
        for commit in batch.iter().map(Prepared::commit) {
            let unnumbered = commit.appends.iter().filter(|append| append.number.is_none()).map(|append| append.stream);
            for stream in unnumbered.chain(commit.expectations.iter().map(|(stream, _)| *stream)) {
                match self.streams.number(stream) {
                    None => drop(ids.insert(stream)),
                    Some(number) if self.streams.sequence(number).is_none() => drop(numbers.insert(number)),
                    Some(_) => {}
                }
            }
            for number in commit.appends.iter().filter_map(|append| append.number) {
                if self.streams.sequence(number).is_none() {
                    numbers.insert(number);
                }
            }
        }
        if !ids.is_empty() {
            let (kinds, texts): (Vec<i16>, Vec<String>) = ids.iter().map(|stream| (i16::from(stream.kind.number()), stream.id.to_string())).unzip();
            // LIMIT keeps the planner from reading the whole table, which a join with so many keys may seem
            // to be worth.
            let find = "SELECT s.kind, s.id, s.number, (SELECT max(sequence) FROM events e WHERE e.stream = s.number)
                FROM unnest($1::smallint[], $2::text[]) AS k(kind, id)
                CROSS JOIN LATERAL (SELECT * FROM streams WHERE streams.kind = k.kind AND streams.id = k.id LIMIT 1) s";
            let found: Vec<(i16, String, i64, i64)> = sqlx::query_as(find).bind(kinds).bind(texts).fetch_all(&mut *connection).await?;
            for (kind, id, number, sequence) in found {
                let kind = u8::try_from(kind).ok().and_then(AggregateKind::from_number);
                if let (Some(kind), Ok(id)) = (kind, Uuid::parse_str(&id)) {
                    let stream = StreamId::new(kind, id);
                    ids.remove(&stream);
                    self.streams.learn(Some(stream), unsigned(number), unsigned(sequence));
                }
            }
            for stream in ids {
                self.streams.learn(Some(stream), 0, 0);
                self.absent.push(stream);
            }
        }
        if !numbers.is_empty() {
            let find = "SELECT n, coalesce((SELECT max(sequence) FROM events e WHERE e.stream = n), 0) FROM unnest($1::bigint[]) AS k(n)";
            let numbers: Vec<i64> = numbers.into_iter().map(signed).collect();
            let found: Vec<(i64, i64)> = sqlx::query_as(find).bind(numbers).fetch_all(&mut *connection).await?;
            for (number, sequence) in found {
                self.streams.learn(None, unsigned(number), unsigned(sequence));
            }
        }
        Ok(())
    }

    /// Everything but the COMMIT.
    async fn transact(&mut self, connection: &mut PgConnection, batch: Vec<Prepared>, rows: &[RowChanges], at: Millis, id: Uuid) -> Result<Written, LogError> {
        let (head, newest) = self.take_turn(connection).await?;
        self.look_up(connection, &batch).await?;
        let mut draft = Draft::new(head, newest, &mut self.streams, at);
        for prepared in batch {
            draft.add(prepared)?;
        }
        let mut entered = HashMap::new();
        let first = draft.first();
        if first.is_some() {
            entered = write(connection, &mut draft, &self.types, at, id).await?;
        }
        let (head, outcomes) = (draft.head, std::mem::take(&mut draft.outcomes));
        drop(draft);
        for rows in rows {
            self.sets.execute(connection, &rows.changes).await?;
        }
        failpoint::reach("C2");
        Ok(Written { first, head, outcomes, entered })
    }

    async fn append_prepared(&mut self, batch: Vec<Prepared>, rows: Vec<RowChanges>, at: Millis, id: Uuid) -> Result<Vec<CommitOutcome>, LogError> {
        let mut connection = self.connect().await?;
        // On an error the connection goes, and the server rolls back.
        let written = self.transact(&mut connection, batch, &rows, at, id).await?;
        if let Err(error) = connection.execute("COMMIT").await {
            drop(connection);
            if failpoint::planted("commit-assumed") {
                return Ok(self.committed(written));
            }
            if failpoint::planted("commit-unresolved") {
                return Err(error.into());
            }
            return self.resolve(written, id, error).await;
        }
        self.connection = Some(connection);
        Ok(self.committed(written))
    }

    fn committed(&mut self, written: Written) -> Vec<CommitOutcome> {
        self.known = written.head;
        self.types.committed(written.entered);
        written.outcomes
    }

    /// Whether a COMMIT that was not answered took place: known once its transaction has given up
    /// the head.
    async fn resolve(&mut self, written: Written, id: Uuid, error: sqlx::Error) -> Result<Vec<CommitOutcome>, LogError> {
        let Some(first) = written.first else { return Err(error.into()) };
        let mut connection = self.options.connect().await?;
        connection.execute("BEGIN").await?;
        connection.execute("SELECT 1 FROM log_head FOR UPDATE").await?;
        let find = "SELECT EXISTS (SELECT 1 FROM commits WHERE position = $1 AND batch = $2)";
        let durable: bool = sqlx::query_scalar(find).bind(signed(first)).bind(id).fetch_one(&mut connection).await?;
        connection.execute("ROLLBACK").await?;
        self.connection = Some(connection);
        if durable { Ok(self.committed(written)) } else { Err(error.into()) }
    }
}

/// What a transaction wrote, while it is not durable.
struct Written {
    first: Option<Position>,
    head: Position,
    outcomes: Vec<CommitOutcome>,
    entered: HashMap<TypeKey, i32>,
}

/// Writes the rows of a draft; gives the types that were entered.
async fn write(connection: &mut PgConnection, draft: &mut Draft<'_>, known: &TypeNumbers, at: Millis, id: Uuid) -> Result<HashMap<TypeKey, i32>, LogError> {
    let mut entered = HashMap::new();
    let events = std::mem::take(&mut draft.events);
    let mut types = Vec::with_capacity(events.types.len());
    for (key, version) in &events.types {
        let number = match known.get(*key).or_else(|| entered.get(key).copied()) {
            Some(number) => number,
            None => {
                let number = TypeNumbers::enter(connection, *key, *version).await?;
                entered.insert(*key, number);
                number
            }
        };
        types.push(number);
    }
    let (streams, commits) = (std::mem::take(&mut draft.streams), std::mem::take(&mut draft.commits));
    sqlx::query(WRITE)
        .bind(streams.numbers)
        .bind(streams.kinds)
        .bind(streams.ids)
        .bind(commits.positions)
        .bind(commits.metadata)
        .bind(at)
        .bind(id)
        .bind(events.positions)
        .bind(events.streams)
        .bind(events.sequences)
        .bind(types)
        .bind(events.payloads)
        .bind(events.sealed)
        .bind(signed(draft.head))
        .bind(signed(draft.newest_stream))
        .execute(connection)
        .await?;
    Ok(entered)
}

/// Tells the database the names of the kinds of aggregate, for its view.
pub(super) async fn enter_kinds(connection: &mut PgConnection) -> Result<(), LogError> {
    let (numbers, names): (Vec<i16>, Vec<&str>) = AggregateKind::ALL.iter().map(|kind| (i16::from(kind.number()), kind.name())).unzip();
    let insert = "INSERT INTO aggregate_kinds (number, name) SELECT * FROM unnest($1::smallint[], $2::text[]) ON CONFLICT DO NOTHING";
    sqlx::query(insert).bind(numbers).bind(names).execute(connection).await?;
    Ok(())
}

impl LogWriter for PostgresWriter {
    fn append(&mut self, batch: Batch, at: Millis) -> Result<Vec<CommitOutcome>, LogError> {
        let keys = |error: crate::log::KeyError| LogError::Keys { reason: error.to_string() };
        let facts = batch.commits.iter().flat_map(|commit| &commit.appends).flat_map(|append| &append.events);
        let sealer = self.decoder.sealer().clone();
        sealer.keys().load_or_create(facts.filter_map(|fact| fact.subject()).map(|subject| subject.0)).map_err(keys)?;
        let prepared = batch.commits.into_iter().map(|commit| Prepared::new(commit, &sealer)).collect::<Result<Vec<_>, _>>()?;
        let mut id = [0; 16];
        self.random.fill(&mut id);
        let blocking = self.blocking.clone();
        let answer = blocking.wait(self.append_prepared(prepared, batch.rows, at, uuid::Builder::from_random_bytes(id).into_uuid()));
        for stream in std::mem::take(&mut self.absent) {
            self.streams.forget_absent(stream);
        }
        if answer.is_err() {
            // What was decided is void.
            self.streams = Streams::default();
        }
        answer
    }

    fn probe(&mut self) -> Result<(), LogError> {
        let blocking = self.blocking.clone();
        blocking.wait(async {
            let mut connection = self.connect().await?;
            connection.execute("UPDATE log_head SET position = position").await?;
            self.connection = Some(connection);
            Ok(())
        })
    }

    fn head(&self) -> Position {
        self.known
    }

    fn follow(&mut self) -> Result<(), LogError> {
        let blocking = self.blocking.clone();
        blocking.wait(async {
            let mut connection = self.connect().await?;
            self.catch_up(&mut connection).await?;
            self.connection = Some(connection);
            Ok(())
        })
    }

    fn follow_every(&self) -> Option<Duration> {
        Some(if failpoint::planted("notify-only") { Duration::from_secs(3_600) } else { LOOK_EVERY })
    }

    fn heed(&mut self, need: Need) {
        self.need = need;
    }

    fn take_others(&mut self) -> Vec<Told> {
        let heard = std::mem::take(&mut self.others);
        let decode = |Heard { from, upto, need, page }| {
            let (events, unread) = self.decoder.decode(&page, true);
            if let Some(error) = &unread {
                // Followers meet it in the log, and say what is to be done.
                tracing::debug!(reason = error.reason(), "an event of another replica cannot be told");
            }
            Told { from, upto, need, events, unread: unread.is_some() }
        };
        heard.into_iter().map(decode).collect()
    }
}
