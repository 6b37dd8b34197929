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
