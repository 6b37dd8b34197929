#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use super::{SqliteRawWriter, SqliteReader, SqliteWriter};
use crate::database::Readers;
use crate::log::raw::{RawError, RawEvent, RawReader, RawWriter};
use crate::log::{Batch, Commit, KeyStore, LogReader, LogWriter, MasterKey, Metadata, Sealer, StreamAppend};
use crate::ports::SeededRandom;
use domain::event::Personal;
use domain::recipient::{ProfileChanged, ProfileDetails, RecipientEvent};
use domain::subscription::{ChangedBy, Scope, SubscriptionEvent, Unsubscribed};
use domain::values::{Channel, RecipientId};
use domain::{AggregateKind, Fact, StreamId};
use rusqlite::types::Value;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// Every table that is the log itself; the rest is made from it.
const TABLES: [&str; 4] = [
    "SELECT * FROM events ORDER BY position",
    "SELECT * FROM streams ORDER BY number",
    "SELECT * FROM commits ORDER BY position",
    "SELECT * FROM event_types ORDER BY id",
];

fn tables(path: &Path) -> Vec<Vec<Vec<Value>>> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let rows = |sql: &str| {
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap().map(Result::unwrap).collect()
    };
    TABLES.iter().map(|sql| rows(sql)).collect()
}

fn sealer(folder: &Path) -> Sealer {
    let random = Arc::new(SeededRandom::new(7));
    Sealer::new(Arc::new(KeyStore::open(&folder.join("keys.db"), MasterKey::new([3; 32]), random.clone()).unwrap()), random)
}

fn reader(folder: &Path, log: &str) -> SqliteReader {
    SqliteReader::new(Readers::new(folder.join(log), 2), sealer(folder))
}

fn off(channel: Channel) -> Fact {
    SubscriptionEvent::Unsubscribed(Unsubscribed { scope: Scope::Channel(channel), by: ChangedBy::Recipient }).into()
}

fn profile(n: u128) -> Fact {
    RecipientEvent::ProfileChanged(ProfileChanged {
        recipient: RecipientId(Uuid::from_u128(n)),
        time_zone: None,
        locale: None,
        personal: Personal::Known(ProfileDetails { external_id: format!("person {n}"), attributes: None }),
    })
    .into()
}

fn append(kind: AggregateKind, n: u128, expected: u64, events: Vec<Fact>) -> StreamAppend {
    StreamAppend { stream: StreamId::new(kind, Uuid::from_u128(n)), number: None, expected, events }
}

fn commit(actor: &str, appends: Vec<StreamAppend>) -> Commit {
    Commit { metadata: Arc::new(Metadata::of(actor)), appends, expectations: Vec::new() }
}

/// Three transactions with four commits of ten events in three streams, some of them sealed.
fn filled(folder: &Path) {
    use AggregateKind::{Recipient, Subscription};
    let mut writer = SqliteWriter::open(folder.join("log.db"), sealer(folder)).unwrap();
    let mut write = |commits, at| assert_eq!(writer.append(Batch { commits, rows: Vec::new() }, at).unwrap().len(), 2);
    write(
        vec![
            commit("a", vec![append(Recipient, 1, 0, vec![profile(1)]), append(Subscription, 1, 0, vec![off(Channel::Email)])]),
            commit("a", vec![append(Recipient, 2, 0, vec![profile(2)])]),
        ],
        1_000,
    );
    write(vec![commit("a", vec![append(Recipient, 1, 1, vec![profile(1), profile(1)])]), commit("b", vec![append(Recipient, 2, 1, vec![profile(2)])])], 2_000);
    write(
        vec![commit("b", vec![append(Subscription, 1, 1, vec![off(Channel::Webhook)])]), commit("b", vec![append(Recipient, 2, 2, vec![profile(2)])])],
        2_000,
    );
}

#[tokio::test]
async fn a_copy_is_equal_byte_by_byte_and_opens_with_the_same_keys() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let source = reader(folder.path(), "log.db");
    let events = source.read_raw(0, 100).await.unwrap();
    let path = folder.path().join("copy.db");
    SqliteRawWriter::open(&path).unwrap().write(&events[..3]).unwrap();
    // As after a restart.
    let mut writer = SqliteRawWriter::open(&path).unwrap();
    assert_eq!(writer.head(), 3);
    writer.write(&events[3..]).unwrap();
    assert_eq!(writer.head(), 8);
    assert_eq!(tables(&path), tables(&folder.path().join("log.db")));

    let copy = reader(folder.path(), "copy.db");
    assert_eq!(copy.read_raw(0, 100).await.unwrap(), events);
    let opened = copy.read_after(0, 1, true).await.unwrap();
    assert!(matches!(&opened[0].fact, Fact::Recipient(RecipientEvent::ProfileChanged(changed)) if changed.personal.known().is_some()));
    // The ordinary writer goes on with it, and finds every stream.
    drop(writer);
    let mut writer = SqliteWriter::open(path.clone(), sealer(folder.path())).unwrap();
    let next = commit("c", vec![append(AggregateKind::Recipient, 2, 3, vec![profile(2)])]);
    writer.append(Batch { commits: vec![next], rows: Vec::new() }, 3_000).unwrap();
    assert_eq!(writer.head(), 9);
}

#[tokio::test]
async fn pages_of_any_size_tell_the_same_events_and_whole_commits() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let source = reader(folder.path(), "log.db");
    let whole = source.read_raw(0, 100).await.unwrap();
    assert_eq!(
        whole.iter().map(|event| (event.commit.first, event.commit.last)).collect::<Vec<_>>(),
        [(1, 3), (1, 3), (1, 3), (4, 5), (4, 5), (6, 6), (7, 8), (7, 8)]
    );
    assert_eq!(whole.iter().filter(|event| event.sealed.is_some()).count(), 6);
    for limit in 1..=8 {
        let mut paged: Vec<RawEvent> = Vec::new();
        while paged.len() < 8 {
            paged.extend(source.read_raw(paged.len() as u64, limit).await.unwrap());
        }
        assert_eq!(paged, whole, "pages of {limit}");
    }
}

#[tokio::test]
async fn what_does_not_follow_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let events = reader(folder.path(), "log.db").read_raw(0, 100).await.unwrap();
    let path = folder.path().join("copy.db");
    let mut writer = SqliteRawWriter::open(&path).unwrap();
    let mut wrong_sequence = events[..3].to_vec();
    wrong_sequence[2].sequence = 2;
    for (wrong, position) in [(&events[1..3], 2), (&events[..2], 2), (&events[3..5], 4), (&wrong_sequence[..], 3)] {
        match writer.write(wrong) {
            Err(RawError::Order { position: at, .. }) => assert_eq!(at, position),
            other => panic!("{other:?}"),
        }
        assert_eq!((writer.head(), tables(&path)), (0, vec![vec![]; 4]));
    }
    writer.write(&events[..3]).unwrap();
    writer.write(&events[3..]).unwrap();
    assert_eq!(tables(&path), tables(&folder.path().join("log.db")));
}
