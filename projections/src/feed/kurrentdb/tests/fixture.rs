//! A log, a server to mirror it to, and a comparison of logs byte by byte.

use crate::feed::kurrentdb::{DEFAULT_PREFIX, Mirror, MirrorError, MirrorSources, Rebuild, RebuildError, Rebuilt, Target};
use crate::testing::log::TestLog;
use commands::consumer::Progress;
use commands::database::Readers;
use commands::log::sqlite::{SqliteRawWriter, SqliteReader};
use commands::log::{Commit, CommitOutcome, KeyStore, Lane, MasterKey, Metadata, Position, Sealer, StreamAppend};
use commands::ports::{Clock, SeededRandom, SystemClock};
use domain::event::Personal;
use domain::recipient::{ProfileChanged, ProfileDetails, RecipientEvent};
use domain::subscription::{ChangedBy, Scope, Source, SubscriptionEvent, Unsubscribed};
use domain::values::{Channel, RecipientId};
use domain::{AggregateKind, Fact, StreamId};
use kurrentdb_sim::Simulator;
use rusqlite::types::Value;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// Every table that is the log itself; the rest of the file is made from it.
const TABLES: [&str; 4] = [
    "SELECT * FROM events ORDER BY position",
    "SELECT * FROM streams ORDER BY number",
    "SELECT * FROM commits ORDER BY position",
    "SELECT * FROM event_types ORDER BY id",
];

pub struct World {
    pub log: TestLog,
    pub target: Target,
    /// None where the tests run against a real server.
    pub simulator: Option<Simulator>,
    pub progress: Progress,
}

impl World {
    /// `test` tells the tests' streams apart on a real server.
    pub async fn new(test: u32) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (simulator, connection, prefix) = match std::env::var("BONGSU_TEST_KURRENTDB") {
            Ok(text) => (None, text, format!("test{}x{test}", std::process::id())),
            Err(_) => {
                let simulator = Simulator::start().await.unwrap();
                let text = simulator.connection_string();
                (Some(simulator), text, DEFAULT_PREFIX.to_owned())
            }
        };
        let target = Target::new(&connection, &prefix).unwrap();
        Self { log: TestLog::new(), target, simulator, progress: Progress::default() }
    }

    pub fn reader(&self) -> SqliteReader {
        reader(&self.log.folder().join("log.db"))
    }

    pub fn sources(&self, clock: Arc<dyn Clock>) -> MirrorSources {
        MirrorSources { log: Arc::new(self.reader()), tail: Arc::clone(&self.log.sources.tail), clock }
    }

    /// As after a start of the process.
    pub fn mirror(&self) -> Mirror {
        Mirror::new(self.target.clone(), self.sources(Arc::new(SystemClock::default())), self.progress.clone())
    }

    /// Lets a mirror work until it has everything, or fails.
    pub async fn catch_up(&self, mirror: &mut Mirror) -> Result<(), MirrorError> {
        let head = self.log.sources.tail.head();
        tokio::select! {
            ended = mirror.follow() => match ended { Err(error) => Err(error) },
            () = self.progress.reached(head) => Ok(()),
        }
    }

    /// Starts mirrors until one has everything; each that fails is a crash of its process.
    pub async fn crash_through(&self) -> usize {
        let mut crashes = 0;
        while let Err(error) = self.catch_up(&mut self.mirror()).await {
            assert!(!error.needs_a_person(), "{error}");
            crashes += 1;
            assert!(crashes < 100, "it never ends: {error}");
        }
        crashes
    }

    pub async fn rebuild(&self) -> Result<Rebuilt, RebuildError> {
        let writer = SqliteRawWriter::open(&self.rebuilt()).unwrap();
        Rebuild::new(self.target.clone(), Arc::new(SystemClock::default())).run(writer, |_, _| ()).await
    }

    pub fn rebuilt(&self) -> std::path::PathBuf {
        self.log.folder().join("rebuilt.db")
    }

    /// The mirror is whole, holds nothing twice, and the log that it makes is the same.
    pub async fn assert_equal(&self) {
        let head = self.log.sources.tail.head();
        let rebuilt = self.rebuild().await.unwrap();
        assert_eq!(rebuilt, Rebuilt { position: head, missing: None });
        let (old, new) = (tables(&self.log.folder().join("log.db")), tables(&self.rebuilt()));
        assert_eq!(new[0].len() as u64, head);
        assert!(old == new, "the tables of the logs differ");
        if let Some(simulator) = &self.simulator {
            let ours = simulator.store().all().into_iter().filter(|record| record.stream.starts_with("bongsu."));
            assert_eq!(ours.count() as u64, head, "nothing is there twice");
        }
    }

    /// Commits in one transaction where it can.
    pub async fn commit(&self, commits: Vec<Commit>) -> Position {
        let outcomes = self.log.committer.commit(Lane::Internal, commits).await.unwrap();
        match outcomes.last() {
            Some(CommitOutcome::Committed { position, .. }) => *position,
            other => panic!("{other:?}"),
        }
    }

    /// Seven events of five streams in three transactions: some sealed, one caused by another, one
    /// with a correlation of its own.
    pub async fn a_little(&self) {
        use AggregateKind::{Recipient, Subscription};
        let first = self.commit(vec![commit("key:1", vec![on(Recipient, 1, 0, vec![profile(1, "alice"), profile(1, "bob")])])]).await;
        let caused = Metadata { cause: Some(first), correlation: Some("order 7".to_owned()), ..Metadata::of("delivery") };
        let appends = vec![on(Subscription, 1, 0, vec![off(Channel::Email)]), on(Recipient, 2, 0, vec![profile(2, "carol \"é\" \u{1f600}")])];
        self.commit(vec![Commit { metadata: Arc::new(caused), appends, expectations: Vec::new() }]).await;
        let others = vec![
            on(Recipient, 1, 2, vec![profile(1, "dave")]),
            on(Subscription, 2, 0, vec![off(Channel::Webhook)]),
            on(Recipient, 3, 0, vec![profile(3, "eve")]),
        ];
        self.commit(vec![commit("operator", others)]).await;
    }

    /// So many streams with three events each, in commits of a hundred streams.
    pub async fn a_lot(&self, streams: u128) {
        let numbers: Vec<u128> = (1_000..1_000 + streams).collect();
        for (round, expected) in [(Channel::Email, 0), (Channel::Webhook, 1), (Channel::IosPush, 2)] {
            for some in numbers.chunks(100) {
                let appends = some.iter().map(|n| on(AggregateKind::Subscription, *n, expected, vec![off(round)])).collect();
                self.commit(vec![commit("test", appends)]).await;
            }
        }
    }
}

pub fn reader(path: &Path) -> SqliteReader {
    let random = Arc::new(SeededRandom::new(1));
    let keys = KeyStore::open(Path::new(":memory:"), MasterKey::new([0; 32]), random.clone()).unwrap();
    SqliteReader::new(Readers::new(path.to_owned(), 2), Sealer::new(Arc::new(keys), random))
}

pub fn commit(actor: &str, appends: Vec<StreamAppend>) -> Commit {
    Commit { metadata: Arc::new(Metadata::of(actor)), appends, expectations: Vec::new() }
}

pub fn on(kind: AggregateKind, n: u128, expected: u64, events: Vec<Fact>) -> StreamAppend {
    StreamAppend { stream: StreamId::new(kind, Uuid::from_u128(n)), number: None, expected, events }
}

pub fn off(channel: Channel) -> Fact {
    SubscriptionEvent::Unsubscribed(Unsubscribed {
        recipient: None,
        scope: Scope::Channel(channel),
        by: ChangedBy::Recipient,
        source: Source::Api,
        personal: Personal::Erased,
    })
    .into()
}

pub fn profile(n: u128, name: &str) -> Fact {
    RecipientEvent::ProfileChanged(ProfileChanged {
        recipient: RecipientId(Uuid::from_u128(n)),
        time_zone: None,
        locale: None,
        personal: Personal::from(ProfileDetails { external_id: name.to_owned(), attributes: None }),
    })
    .into()
}

pub fn tables(path: &Path) -> Vec<Vec<Vec<Value>>> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let rows = |sql: &str| {
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap().map(Result::unwrap).collect()
    };
    TABLES.iter().map(|sql| rows(sql)).collect()
}
