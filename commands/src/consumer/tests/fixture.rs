//! A real log and a real file of rows, with what can go wrong made to order.

use crate::consumer::rows::Changing;
use crate::consumer::{Changes, Consumer, FileRows, HandleError, Progress, Rows, RowsError, Runner, RunnerSettings, Sql};
use crate::database::{DatabaseError, Readers};
use crate::log::sqlite::{SqliteReader, SqliteWriter};
use crate::log::{Commit, Committer, CommitterSettings, KeyStore, Lane, LogReader, MasterKey, Metadata, Position, Recorded, Sealer, StreamAppend, Tail};
use crate::ports::{Clock, ManualClock, SeededRandom};
use domain::event::Personal;
use domain::subscription::{ChangedBy, Scope, Source, SubscriptionEvent, Unsubscribed};
use domain::values::{Channel, Millis};
use domain::{AggregateKind, Fact, StreamId};
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(super) const NAME: &str = "collector";
pub(super) static INSERT: Sql = Sql { text: "INSERT INTO seen (position) VALUES (?1)", types: "i", key: 1 };
/// Without uniqueness: an event that takes effect twice leaves two rows.
const MIGRATIONS: crate::database::Migrations =
    &[include_str!("../../../../migrations/sqlite/0001_checkpoints.sql"), "CREATE TABLE seen (position INTEGER NOT NULL)"];

pub(super) struct Fixture {
    folder: tempfile::TempDir,
    committer: Committer,
    pub(super) reader: Arc<dyn LogReader>,
    pub(super) tail: Arc<Tail>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) rows: FileRows,
}

impl Fixture {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let random = Arc::new(SeededRandom::new(7));
        let keys = Arc::new(KeyStore::open(&folder.path().join("keys.db"), MasterKey::new([3; 32]), random.clone()).unwrap());
        let sealer = Sealer::new(keys, random);
        let path = folder.path().join("log.db");
        let writer = SqliteWriter::open(path.clone(), sealer.clone()).unwrap();
        let tail = Arc::new(Tail::at(0));
        let clock = Arc::new(ManualClock::at(1_000));
        let (committer, _thread) = Committer::start(writer, tail.clone(), Vec::new(), clock.clone(), CommitterSettings::default()).unwrap();
        let reader = Arc::new(SqliteReader::new(Readers::new(path, 4), sealer));
        let rows = FileRows::open(&folder.path().join("rows.db"), MIGRATIONS, None).unwrap();
        Self { folder, committer, reader, tail, clock, rows }
    }

    /// Appends so many events to a stream that has `after`.
    pub(super) async fn append(&self, stream: u128, after: u64, count: usize) {
        let event = |channel| {
            SubscriptionEvent::Unsubscribed(Unsubscribed {
                recipient: None,
                scope: Scope::Channel(channel),
                by: ChangedBy::Recipient,
                source: Source::Api,
                personal: Personal::Erased,
            })
            .into()
        };
        let events: Vec<Fact> = (0..count).map(|_| event(Channel::Email)).collect();
        let stream = StreamId::new(AggregateKind::Subscription, Uuid::from_u128(stream));
        let append = StreamAppend { stream, number: None, expected: after, events };
        let commit = Commit { metadata: Arc::new(Metadata::of("test")), appends: vec![append], expectations: Vec::new() };
        self.committer.commit(Lane::Request, vec![commit]).await.unwrap();
    }

    /// A tail that remembers nothing, as after a start: events come from the file.
    pub(super) async fn cold_tail(&self) -> Arc<Tail> {
        Arc::new(Tail::at(self.reader.head().await.unwrap()))
    }

    /// Runs to the head of the log.
    pub(super) async fn run(&self, collector: Collector) {
        self.run_with(collector, Arc::new(self.rows.clone()), self.tail.clone(), RunnerSettings::default()).await;
    }

    /// Runs to the head of the log and tells which pauses were made.
    pub(super) async fn run_with(&self, collector: Collector, rows: Arc<dyn Rows>, tail: Arc<Tail>, settings: RunnerSettings) -> Vec<Duration> {
        let (clock, mut asked) = RecordingClock::new();
        let (head, progress) = (tail.head(), Progress::default());
        let runner = Runner::new(collector, self.reader.clone(), tail, rows, clock, progress.clone(), settings);
        runner.run(CancellationToken::new(), Some(head)).await;
        assert_eq!(progress.position(), head);
        let mut pauses = Vec::new();
        while let Ok(pause) = asked.try_recv() {
            pauses.push(pause);
        }
        pauses
    }

    pub(super) async fn checkpoint(&self) -> Position {
        self.rows.checkpoint(NAME).await.unwrap()
    }

    pub(super) fn seen(&self) -> Vec<i64> {
        self.query("SELECT position FROM seen ORDER BY rowid", |row| row.get(0))
    }

    pub(super) fn parked(&self) -> Vec<(i64, String)> {
        self.query("SELECT position, error FROM parked WHERE consumer = 'collector' ORDER BY position", |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn query<T>(&self, sql: &str, map: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        let connection = crate::database::open_reader(self.rows.readers().path()).unwrap();
        connection.prepare(sql).unwrap().query_map([], map).unwrap().collect::<rusqlite::Result<Vec<T>>>().unwrap()
    }

    /// Makes an event unreadable in the file.
    pub(super) fn damage(&self, position: i64) {
        let log = rusqlite::Connection::open(self.folder.path().join("log.db")).unwrap();
        assert_eq!(log.execute("UPDATE events SET payload = 'not json' WHERE position = ?1", [position]).unwrap(), 1);
    }

    /// Gives the events a name that this build does not know.
    pub(super) fn make_newer(&self) -> Newer {
        let path = self.folder.path().join("log.db");
        let log = rusqlite::Connection::open(&path).unwrap();
        let name = log.query_row("SELECT name FROM event_types", [], |row| row.get(0)).unwrap();
        log.execute("UPDATE event_types SET name = 'Unheard'", []).unwrap();
        Newer { path, name }
    }
}

pub(super) struct Newer {
    path: PathBuf,
    name: String,
}

impl Newer {
    pub(super) fn restore(&self) {
        let log = rusqlite::Connection::open(&self.path).unwrap();
        log.execute("UPDATE event_types SET name = ?1", [&self.name]).unwrap();
    }
}

/// Writes down the positions it is given, except those it cannot take.
#[derive(Default)]
pub(super) struct Collector {
    pub(super) poison: Vec<Position>,
    pub(super) handled: Arc<Mutex<Vec<Position>>>,
    pub(super) abandoned: Arc<AtomicU32>,
}

impl Consumer for Collector {
    fn name(&self) -> &'static str {
        NAME
    }

    fn handle(&mut self, events: &[Arc<Recorded>], changes: &mut Changes) -> Result<(), HandleError> {
        for event in events {
            self.handled.lock().unwrap().push(event.position);
            if self.poison.contains(&event.position) {
                return Err(HandleError { reason: format!("cannot take {}", event.position) });
            }
            changes.push(&INSERT, vec![event.position.into()]);
        }
        Ok(())
    }

    fn abandoned(&mut self) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
    }
}

/// Rows that refuse so many changes first, or make them and lose the answer.
pub(super) struct Flaky {
    rows: FileRows,
    refusals: AtomicU32,
    changes_all_the_same: bool,
}

impl Flaky {
    pub(super) const fn new(rows: FileRows, refusals: u32) -> Self {
        Self { rows, refusals: AtomicU32::new(refusals), changes_all_the_same: false }
    }

    pub(super) const fn losing_answers(rows: FileRows, answers: u32) -> Self {
        Self { rows, refusals: AtomicU32::new(answers), changes_all_the_same: true }
    }

    pub(super) fn refuse(&self, times: u32) {
        self.refusals.store(times, Ordering::SeqCst);
    }
}

impl Rows for Flaky {
    fn checkpoint(&self, consumer: &'static str) -> Changing<'_, Position> {
        self.rows.checkpoint(consumer)
    }

    fn parked(&self, consumer: &'static str) -> Changing<'_, Vec<u64>> {
        self.rows.parked(consumer)
    }

    fn apply(&self, consumer: &'static str, changes: Changes, checkpoint: Position) -> Changing<'_, ()> {
        let refuse = self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if refuse {
            return Box::pin(async move {
                if self.changes_all_the_same {
                    self.rows.apply(consumer, changes, checkpoint).await?;
                }
                Err(RowsError::Database(DatabaseError::BrokenOff("made to order".to_owned())))
            });
        }
        self.rows.apply(consumer, changes, checkpoint)
    }
}

/// Every pause is over at once, and written down.
pub(super) struct RecordingClock(mpsc::Sender<Duration>);

impl RecordingClock {
    pub(super) fn new() -> (Arc<Self>, mpsc::Receiver<Duration>) {
        let (sender, receiver) = mpsc::channel(64);
        (Arc::new(Self(sender)), receiver)
    }
}

impl Clock for RecordingClock {
    fn now(&self) -> Millis {
        1_000
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        // The receiver may be gone, or have seen enough.
        let _ = self.0.try_send(duration);
        Box::pin(tokio::task::yield_now())
    }
}

/// Counts one metric on this thread from here on, for as long as the test lasts.
pub(super) fn counted(name: &'static str) -> Arc<AtomicU64> {
    struct One(&'static str, Arc<AtomicU64>);
    impl metrics::Recorder for One {
        fn describe_counter(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
        fn describe_gauge(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
        fn describe_histogram(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
        fn register_counter(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Counter {
            if key.name() == self.0 { metrics::Counter::from_arc(self.1.clone()) } else { metrics::Counter::noop() }
        }
        fn register_gauge(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Gauge {
            metrics::Gauge::noop()
        }
        fn register_histogram(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Histogram {
            metrics::Histogram::noop()
        }
    }
    let count = Arc::new(AtomicU64::new(0));
    // A test has its thread to itself, which ends with it.
    std::mem::forget(metrics::set_default_local_recorder(Box::leak(Box::new(One(name, count.clone())))));
    count
}
