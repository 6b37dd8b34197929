#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::Backup;
use super::manifest::{FILE, Manifest};
use crate::app::data_dir::{DataDir, hex};
use crate::cli::exit::Exit;
use crate::cli::folder::{Folder, closed};
use crate::cli::output::Output;
use crate::cli::restore::Restore;
use commands::log::sqlite::SqliteWriter;
use commands::log::{Batch, Commit, KeyStore, LogReader, LogWriter, MasterKey, Metadata, Sealer, StreamAppend};
use commands::ports::SystemRandom;
use domain::event::Personal;
use domain::recipient::{Erased, ProfileChanged, ProfileDetails, RecipientEvent};
use domain::values::RecipientId;
use domain::{AggregateKind, StreamId};
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

const MASTER: [u8; 32] = [7; 32];
const OUT: Output = Output { json: true };

fn recipient(number: u128) -> RecipientId {
    RecipientId(Uuid::from_u128(number))
}

fn append(writer: &mut SqliteWriter, of: RecipientId, expected: u64, event: RecipientEvent) {
    let append = StreamAppend { stream: StreamId::new(AggregateKind::Recipient, of.0), number: None, expected, events: vec![event.into()] };
    let commit = Commit { metadata: Arc::new(Metadata::of("test")), appends: vec![append], expectations: Vec::new() };
    let batch = Batch { commits: vec![commit], rows: Vec::new() };
    writer.append(batch, 1).unwrap();
}

fn profile(of: RecipientId) -> RecipientEvent {
    RecipientEvent::ProfileChanged(ProfileChanged {
        recipient: of,
        time_zone: None,
        locale: None,
        personal: Personal::from(ProfileDetails { external_id: "alice@example.com".to_owned(), attributes: None }),
    })
}

/// A folder in use: two recipients, of whom one is erased in the log while the key is still there,
/// as after a crash between the two.
fn in_use(root: &Path) -> (DataDir, SqliteWriter) {
    let data = DataDir::lock(root).unwrap();
    let random = Arc::new(SystemRandom);
    let keys = KeyStore::open(&data.keys(), MasterKey::new(MASTER), random.clone()).unwrap();
    let sealer = Sealer::new(Arc::new(keys), random);
    let mut writer = SqliteWriter::open(data.log(), sealer).unwrap();
    for number in [1, 2] {
        append(&mut writer, recipient(number), 0, profile(recipient(number)));
    }
    let erased = RecipientEvent::Erased(Erased { recipient: recipient(2) });
    append(&mut writer, recipient(2), 1, erased);
    (data, writer)
}

fn backup(root: &Path, to: &Path) -> Backup {
    Backup { to: to.to_owned(), folder: Folder { data: root.to_owned(), postgres: None, postgres_keys: None } }
}

fn restore(from: &Path, to: &Path, master: &[u8; 32]) -> Restore {
    let key = to.with_extension("key");
    std::fs::write(&key, hex(master)).unwrap();
    Restore {
        from: from.to_owned(),
        data: to.to_owned(),
        keys: None,
        master_key_file: Some(key),
        prefix: "bongsu".to_owned(),
        without_keys: false,
        partial: false,
    }
}

#[tokio::test]
async fn a_folder_in_use_comes_back_whole_and_erasures_with_it() {
    let place = tempfile::tempdir().unwrap();
    let (root, to, again) = (place.path().join("data"), place.path().join("backup"), place.path().join("again"));
    let (_held, _writer) = in_use(&root);
    backup(&root, &to).run(OUT).await.unwrap();
    assert!(!to.join("keys/master.key").exists());
    let manifest = Manifest::verified(&to, None).unwrap();
    assert_eq!(manifest.position, 3);
    restore(&to, &again, &MASTER).run(OUT).await.unwrap();
    let data = DataDir::lock(&again).unwrap();
    assert_eq!(closed(&data.log()).unwrap().head().await.unwrap(), 3);
    let keys = KeyStore::open(&data.keys(), MasterKey::new(MASTER), Arc::new(SystemRandom)).unwrap();
    assert!(keys.find(recipient(1).0).unwrap().is_some());
    assert!(keys.find(recipient(2).0).unwrap().is_none(), "erased people stay erased");
}

#[tokio::test]
async fn nothing_is_overwritten() {
    let place = tempfile::tempdir().unwrap();
    let (root, to) = (place.path().join("data"), place.path().join("backup"));
    let (_held, _writer) = in_use(&root);
    backup(&root, &to).run(OUT).await.unwrap();
    let error = backup(&root, &to).run(OUT).await.unwrap_err();
    assert_eq!(error.exit, Exit::Conflict);
    let error = restore(&to, &root, &MASTER).run(OUT).await.unwrap_err();
    assert_eq!(error.exit, Exit::Conflict);
}

#[tokio::test]
async fn a_damaged_or_half_made_backup_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let (root, to) = (place.path().join("data"), place.path().join("backup"));
    let (_held, _writer) = in_use(&root);
    backup(&root, &to).run(OUT).await.unwrap();
    let log = to.join("log.db");
    let mut bytes = std::fs::read(&log).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&log, bytes).unwrap();
    let again = place.path().join("again");
    let error = restore(&to, &again, &MASTER).run(OUT).await.unwrap_err();
    assert!(error.message.contains("log.db is not what was backed up"), "{error}");
    assert!(!again.exists());
    std::fs::remove_file(to.join(FILE)).unwrap();
    let error = restore(&to, &again, &MASTER).run(OUT).await.unwrap_err();
    assert_eq!(error.exit, Exit::NotFound);
}

#[tokio::test]
async fn the_wrong_master_key_is_noticed() {
    let place = tempfile::tempdir().unwrap();
    let (root, to) = (place.path().join("data"), place.path().join("backup"));
    let (_held, _writer) = in_use(&root);
    backup(&root, &to).run(OUT).await.unwrap();
    let error = restore(&to, &place.path().join("again"), &[8; 32]).run(OUT).await.unwrap_err();
    assert!(error.message.contains("master key"), "{error}");
}
