//! What is SQLite's own; what every store must do is in `tests/contracts`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use crate::database::Readers;
use crate::log::{Commit, CommitOutcome, Committer, CommitterSettings, KeyStore, Lane, LogReader, MasterKey, Metadata, Recorded, Sealer, StreamAppend, Tail};
use crate::ports::{ManualClock, SeededRandom};
use domain::event::Personal;
use domain::recipient::{ProfileChanged, ProfileDetails, RecipientEvent};
use domain::subscription::{ChangedBy, Scope, Source, SubscriptionEvent, Unsubscribed};
use domain::values::{AddressId, Channel, RecipientId};
use domain::{AggregateKind, Fact, StreamId};
use std::sync::Arc;
use uuid::Uuid;

struct Fixture {
    folder: tempfile::TempDir,
    committer: Committer,
    reader: Arc<dyn LogReader>,
    tail: Arc<Tail>,
}

fn open(folder: tempfile::TempDir) -> Fixture {
    let random = Arc::new(SeededRandom::new(7));
    let master = MasterKey::new([3; 32]);
    let keys = Arc::new(KeyStore::open(&folder.path().join("keys.db"), master.clone(), random.clone()).unwrap());
    let sealer = Sealer::new(keys, random);
    let path = folder.path().join("log.db");
    let writer = super::SqliteWriter::open(path.clone(), sealer.clone()).unwrap();
    let tail = Arc::new(Tail::at(writer.head()));
    let clock = Arc::new(ManualClock::at(1_000));
    let (committer, _thread) = Committer::start(writer, tail.clone(), Vec::new(), clock, CommitterSettings::default()).unwrap();
    let reader = Arc::new(super::SqliteReader::new(Readers::new(path, 4), sealer));
    Fixture { folder, committer, reader, tail }
}

fn fixture() -> Fixture {
    open(tempfile::tempdir().unwrap())
}

fn stream(kind: AggregateKind, n: u128) -> StreamId {
    StreamId::new(kind, Uuid::from_u128(n))
}

fn off(channel: Channel) -> Fact {
    SubscriptionEvent::Unsubscribed(Unsubscribed {
        recipient: None,
        scope: Scope::Channel(channel),
        by: ChangedBy::Recipient,
        source: Source::Api,
        personal: Personal::Erased,
    })
    .into()
}

fn commit(stream: StreamId, expected: u64, events: Vec<Fact>) -> Commit {
    Commit { metadata: Arc::new(Metadata::of("test")), appends: vec![StreamAppend { stream, number: None, expected, events }], expectations: Vec::new() }
}

fn profile(n: u128, name: &str) -> Fact {
    let details = ProfileDetails { external_id: name.to_owned(), attributes: None };
    RecipientEvent::ProfileChanged(ProfileChanged {
        recipient: RecipientId(Uuid::from_u128(n)),
        time_zone: None,
        locale: None,
        personal: Personal::from(details),
    })
    .into()
}

fn recorded(outcome: &CommitOutcome) -> &[Arc<Recorded>] {
    match outcome {
        CommitOutcome::Committed { recorded, .. } => recorded,
        CommitOutcome::Conflict { stream } => panic!("conflict on {stream}"),
    }
}

#[tokio::test]
async fn a_sealed_part_cannot_be_moved_to_another_stream() {
    let log = fixture();
    let one = stream(AggregateKind::Recipient, 5);
    log.committer
        .commit(Lane::Request, vec![commit(one, 0, vec![profile(5, "alice")]), commit(stream(AggregateKind::Recipient, 6), 0, vec![profile(6, "bob")])])
        .await
        .unwrap();
    let connection = rusqlite::Connection::open(log.folder.path().join("log.db")).unwrap();
    connection.execute("UPDATE events SET sealed = (SELECT sealed FROM events WHERE position = 1) WHERE position = 2", []).unwrap();
    let read = log.reader.read_after(1, 10, true).await;
    assert!(matches!(read, Err(crate::log::LogError::Poison { position: 2, .. })));
}

#[tokio::test]
async fn a_full_disk_refuses_and_the_log_goes_on_afterwards() {
    let log = fixture();
    let a = stream(AggregateKind::Subscription, 1);
    log.committer.commit(Lane::Request, vec![commit(a, 0, vec![off(Channel::Email)])]).await.unwrap();
    // A foreign lock makes the transaction fail as an unwritable disk does.
    let blocker = rusqlite::Connection::open(log.folder.path().join("log.db")).unwrap();
    blocker.execute_batch("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk full'); END").unwrap();
    let refused = log.committer.commit(Lane::Request, vec![commit(a, 1, vec![off(Channel::Webhook)])]).await;
    assert!(matches!(refused, Err(crate::log::LogError::Unavailable { .. })));
    blocker.execute_batch("DROP TRIGGER full").unwrap();
    let outcomes = log.committer.commit(Lane::Request, vec![commit(a, 1, vec![off(Channel::Webhook)])]).await.unwrap();
    assert_eq!(recorded(&outcomes[0])[0].position, 2, "the refused batch left no gap");
}

#[tokio::test]
async fn a_commit_that_fails_at_its_very_end_leaves_nothing_and_the_log_goes_on_by_itself() {
    let log = fixture();
    let a = stream(AggregateKind::Subscription, 1);
    log.committer.commit(Lane::Request, vec![commit(a, 0, vec![off(Channel::Email)])]).await.unwrap();
    // Every statement succeeds, only COMMIT itself does not: as with a failing fsync.
    let blocker = rusqlite::Connection::open(log.folder.path().join("log.db")).unwrap();
    let broken = "CREATE TABLE owed (event INTEGER REFERENCES nobody (id) DEFERRABLE INITIALLY DEFERRED);
        CREATE TABLE nobody (id INTEGER PRIMARY KEY);
        CREATE TRIGGER late AFTER INSERT ON events BEGIN INSERT INTO owed VALUES (1); END";
    blocker.execute_batch(broken).unwrap();
    let batch = vec![commit(a, 1, vec![off(Channel::Webhook)]), commit(stream(AggregateKind::Subscription, 2), 0, vec![off(Channel::Email)])];
    let refused = log.committer.commit(Lane::Request, batch.clone()).await;
    assert!(matches!(refused, Err(crate::log::LogError::Unavailable { .. })), "{refused:?}");
    assert!(log.committer.trouble().is_some());
    assert_eq!((log.reader.head().await.unwrap(), log.tail.head()), (1, 1), "neither in the file nor told to followers");

    blocker.execute_batch("DROP TRIGGER late").unwrap();
    let outcomes = log.committer.commit(Lane::Request, batch).await.unwrap();
    assert_eq!((recorded(&outcomes[0])[0].position, recorded(&outcomes[1])[0].position), (2, 3), "no gap, and nothing twice");
    assert!(log.committer.trouble().is_none());
}

#[test]
fn a_probe_writes_to_the_file_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let random = Arc::new(SeededRandom::new(7));
    let keys = Arc::new(KeyStore::open(&folder.path().join("keys.db"), MasterKey::new([3; 32]), random.clone()).unwrap());
    let mut writer = super::SqliteWriter::open(path.clone(), Sealer::new(keys, random)).unwrap();
    let written = || std::fs::read(folder.path().join("log.db-wal")).unwrap();
    let before = written();
    crate::log::LogWriter::probe(&mut writer).unwrap();
    assert!(written() != before, "a probe that writes nothing proves nothing");
    let version = |file: &std::path::Path| {
        let connection = rusqlite::Connection::open(file).unwrap();
        connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(version(&path), i64::try_from(crate::database::DELIVERY_LOG.len()).unwrap());
    assert_eq!(writer.head(), 0);
}

#[test]
fn hashes_of_ids_differ_by_purpose_and_key() {
    let one = MasterKey::new([1; 32]).hashing();
    let other = MasterKey::new([2; 32]).hashing();
    assert_eq!(one.recipient("alice"), one.recipient("alice"));
    assert_ne!(one.recipient("alice"), other.recipient("alice"));
    assert_ne!(one.recipient("alice").0, one.address(Channel::Email, "alice").0);
    assert_ne!(one.hash(&[b"ab", b"c"]), one.hash(&[b"a", b"bc"]));
    let AddressId(id) = one.address(Channel::Email, "a@example.com");
    assert_eq!(id.get_version_num(), 8);
}
