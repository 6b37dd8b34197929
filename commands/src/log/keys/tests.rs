#![allow(clippy::unwrap_used, missing_docs)]

use super::{KeyError, KeyStore, SqliteKeys};
use crate::database;
use crate::log::MasterKey;
use crate::ports::SeededRandom;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

#[test]
fn a_key_is_not_called_erased_while_a_reader_keeps_it_in_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.db");
    let rows = SqliteKeys::open(&path).unwrap();
    rows.connection.lock().unwrap().busy_timeout(Duration::ZERO).unwrap();
    let keys = KeyStore::over(Box::new(rows), MasterKey::new([3; 32]), Arc::new(SeededRandom::new(7)));
    let subject = Uuid::from_u128(1);
    keys.find_or_create(subject).unwrap();
    let read = || ["keys.db", "keys.db-wal"].map(|name| std::fs::read(folder.path().join(name)).unwrap_or_default());
    let reader = database::open_reader(&path).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let wrapped: Vec<u8> = reader.query_row("SELECT wrapped FROM keys", [], |row| row.get(0)).unwrap();
    let kept = || read().iter().any(|file| file.windows(wrapped.len()).any(|window| window == wrapped));

    assert!(matches!(keys.erase(subject), Err(KeyError::Held)));
    assert!(kept(), "that is why");
    assert!(keys.find(subject).unwrap().is_none(), "but it is used no more");

    reader.execute_batch("COMMIT").unwrap();
    keys.erase(subject).unwrap();
    assert!(!kept());
}

#[test]
fn what_a_killed_process_left_in_the_journal_is_in_the_file_before_it_is_used() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = |folder: &std::path::Path| KeyStore::open(&folder.join("keys.db"), MasterKey::new([3; 32]), Arc::new(SeededRandom::new(7)));
    let keys = open(first.path()).unwrap();
    keys.find_or_create(Uuid::from_u128(1)).unwrap();
    // As a kill leaves them: the key is in the journal, and whether that was synced nobody knows.
    for name in ["keys.db", "keys.db-wal"] {
        std::fs::copy(first.path().join(name), second.path().join(name)).unwrap();
    }
    let reader = database::open_reader(&first.path().join("keys.db")).unwrap();
    let wrapped: Vec<u8> = reader.query_row("SELECT wrapped FROM keys", [], |row| row.get(0)).unwrap();
    let in_file = || std::fs::read(second.path().join("keys.db")).unwrap().windows(wrapped.len()).any(|window| window == wrapped);
    assert!(!in_file());

    let again = open(second.path()).unwrap();
    assert!(in_file(), "synced there by SQLite's checkpoint");
    assert!(again.find(Uuid::from_u128(1)).unwrap().is_some());
}

#[test]
fn who_was_erased_gets_no_other_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.db");
    let keys = KeyStore::open(&path, MasterKey::new([3; 32]), Arc::new(SeededRandom::new(7))).unwrap();
    let (erased, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    assert!(keys.find_or_create(erased).unwrap().is_some());
    keys.erase(erased).unwrap();
    assert!(keys.find_or_create(erased).unwrap().is_none());
    keys.load_or_create([erased, other]).unwrap();
    assert!(keys.find(erased).unwrap().is_none() && keys.find(other).unwrap().is_some());
    let reader = database::open_reader(&path).unwrap();
    let stored: i64 = reader.query_row("SELECT count(*) FROM keys", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 1);
}
