//! From the data folder of a server by way of a mirror to another data folder. Against the
//! simulator, or against a real server where `BONGSU_TEST_KURRENTDB` holds its connection string.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::Restore;
use crate::app::data_dir::{DataDir, hex, write_private};
use crate::cli::exit::{CliError, Exit};
use crate::cli::folder::closed;
use crate::cli::output::Output;
use commands::consumer::Progress;
use commands::database::Readers;
use commands::log::raw::RawReader;
use commands::log::sqlite::{SqliteReader, SqliteWriter};
use commands::log::{Batch, Commit, KeyStore, LogReader, LogWriter, MasterKey, Metadata, Sealer, StreamAppend, Tail};
use commands::ports::{SystemClock, SystemRandom};
use domain::event::Personal;
use domain::recipient::{Erased, ProfileChanged, ProfileDetails, RecipientEvent};
use domain::values::RecipientId;
use domain::{AggregateKind, Fact, StreamId};
use kurrentdb_sim::Simulator;
use projections::feed::kurrentdb::{Mirror, MirrorSources, Target};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const MASTER: [u8; 32] = [7; 32];
const OUT: Output = Output { json: true };

struct World {
    root: tempfile::TempDir,
    connection: String,
    prefix: String,
    simulator: Option<Simulator>,
    /// Still open: the newest keys are in the journal.
    _keys: Arc<KeyStore>,
}

impl World {
    /// A data folder with two recipients, the second erased in the log while the key is still there,
    /// as after a crash between the two; mirrored.
    async fn new(test: u32) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let simulator = if std::env::var_os("BONGSU_TEST_KURRENTDB").is_some() { None } else { Some(Simulator::start().await.unwrap()) };
        let connection = simulator.as_ref().map_or_else(|| std::env::var("BONGSU_TEST_KURRENTDB").unwrap(), Simulator::connection_string);
        let root = tempfile::tempdir().unwrap();
        let data = DataDir::lock(&root.path().join("old")).unwrap();
        let random = Arc::new(SystemRandom);
        let keys = Arc::new(KeyStore::open(&data.keys(), MasterKey::new(MASTER), random.clone()).unwrap());
        let mut writer = SqliteWriter::open(data.log(), Sealer::new(Arc::clone(&keys), random)).unwrap();
        let world = Self { root, connection, prefix: format!("restore{}x{test}", std::process::id()), simulator, _keys: keys };
        for (number, expected, event) in [(1, 0, profile(1)), (2, 0, profile(2)), (2, 1, RecipientEvent::Erased(Erased { recipient: recipient(2) }))] {
            let stream = StreamId::new(AggregateKind::Recipient, recipient(number).0);
            let append = StreamAppend { stream, number: None, expected, events: vec![event.into()] };
            let commit = Commit { metadata: Arc::new(Metadata::of("test")), appends: vec![append], expectations: Vec::new() };
            writer.append(Batch { commits: vec![commit], rows: Vec::new() }, 1).unwrap();
        }
        let (progress, stop) = (Progress::default(), CancellationToken::new());
        let target = Target::new(&world.connection, &world.prefix).unwrap();
        let sources = MirrorSources { log: Arc::new(closed(&data.log()).unwrap()), tail: Arc::new(Tail::at(3)), clock: Arc::new(SystemClock::default()) };
        let running = tokio::spawn(Mirror::new(target, sources, progress.clone()).run(stop.clone()));
        progress.reached(3).await;
        stop.cancel();
        running.await.unwrap();
        world
    }

    fn old(&self) -> PathBuf {
        self.root.path().join("old")
    }

    fn new_folder(&self) -> PathBuf {
        self.root.path().join("new")
    }

    fn command(&self) -> Restore {
        let key = self.root.path().join("elsewhere.key");
        write_private(&key, &hex(&MASTER)).unwrap();
        Restore {
            from: PathBuf::from(&self.connection),
            data: self.new_folder(),
            keys: Some(self.old()),
            master_key_file: Some(key),
            prefix: self.prefix.clone(),
            without_keys: false,
            partial: false,
        }
    }

    async fn raw(&self, folder: &Path) -> Vec<commands::log::raw::RawEvent> {
        closed(&folder.join("log.db")).unwrap().read_raw(0, 100).await.unwrap()
    }

    /// What the events of the new folder say, opened.
    async fn opened(&self) -> Vec<bool> {
        let data = DataDir::existing(&self.new_folder()).unwrap();
        let random = Arc::new(SystemRandom);
        let keys = KeyStore::open(&data.keys(), MasterKey::new(MASTER), random.clone()).unwrap();
        let reader = SqliteReader::new(Readers::new(data.log(), 1), Sealer::new(Arc::new(keys), random));
        let known = |fact: &Fact| matches!(fact, Fact::Recipient(RecipientEvent::ProfileChanged(changed)) if changed.personal.known().is_some());
        reader.read_after(0, 2, true).await.unwrap().iter().map(|event| known(&event.fact)).collect()
    }

    fn assert_nothing_left(&self) {
        assert_eq!(std::fs::read_dir(self.new_folder()).unwrap().count(), 0, "the command can be repeated");
    }
}

fn recipient(number: u128) -> RecipientId {
    RecipientId(Uuid::from_u128(number))
}

fn profile(number: u128) -> RecipientEvent {
    RecipientEvent::ProfileChanged(ProfileChanged {
        recipient: recipient(number),
        time_zone: None,
        locale: None,
        personal: Personal::from(ProfileDetails { external_id: "alice@example.com".to_owned(), attributes: None }),
    })
}

fn refused(result: Result<(), CliError>, exit: Exit, says: &str) {
    let error = result.expect_err("it must be refused");
    assert_eq!(error.exit, exit, "{error}");
    assert!(error.message.contains(says), "{error}");
}

#[tokio::test]
async fn a_folder_comes_back_with_its_keys_and_the_erased_stay_erased() {
    let world = World::new(1).await;
    world.command().run(OUT).await.unwrap();
    assert_eq!(world.raw(&world.new_folder()).await, world.raw(&world.old()).await);
    assert_eq!(world.opened().await, [true, false]);
    assert_eq!(std::fs::read_to_string(world.new_folder().join("master.key")).unwrap().trim(), hex(&MASTER));
    refused(world.command().run(OUT).await, Exit::Conflict, "not empty");
}

#[tokio::test]
async fn without_keys_only_if_that_is_said() {
    let world = World::new(2).await;
    refused(Restore { keys: None, ..world.command() }.run(OUT).await, Exit::Usage, "--without-keys");
    refused(Restore { keys: Some(world.root.path().to_owned()), ..world.command() }.run(OUT).await, Exit::NotFound, "no keys.db");
    assert!(!world.new_folder().exists());
    Restore { keys: None, without_keys: true, ..world.command() }.run(OUT).await.unwrap();
    assert_eq!(world.raw(&world.new_folder()).await, world.raw(&world.old()).await);
    assert_eq!(world.opened().await, [false, false]);
}

#[tokio::test]
async fn what_cannot_be_restored_leaves_an_empty_folder() {
    let world = World::new(3).await;
    refused(Restore { prefix: "other".to_owned(), ..world.command() }.run(OUT).await, Exit::NotFound, "holds no log");
    world.assert_nothing_left();
    let wrong = world.root.path().join("wrong.key");
    write_private(&wrong, &hex(&[8; 32])).unwrap();
    world.command().run(OUT).await.unwrap();
    std::fs::remove_dir_all(world.new_folder()).unwrap();
    assert!(Restore { master_key_file: Some(wrong), ..world.command() }.run(OUT).await.is_err());
    world.assert_nothing_left();
    let nobody = Restore { from: PathBuf::from("esdb://127.0.0.1:1?tls=false&discoveryInterval=10&maxDiscoverAttempts=1"), ..world.command() };
    refused(nobody.run(OUT).await, Exit::Unavailable, "does not answer");
    world.assert_nothing_left();
    let Some(simulator) = &world.simulator else { return };
    simulator.store().tamper(|record| !(record.stream.starts_with("restore") && record.position > 0 && record.revision == 0 && record.stream.ends_with('2')));
    refused(world.command().run(OUT).await, Exit::Failure, "position 2 is missing");
    world.assert_nothing_left();
    Restore { partial: true, ..world.command() }.run(OUT).await.unwrap();
    assert_eq!(world.raw(&world.new_folder()).await, world.raw(&world.old()).await[..1]);
}

#[tokio::test]
async fn what_is_for_mirrors_is_refused_for_backups() {
    let world = World::new(4).await;
    let backup = Restore { from: world.old(), partial: true, ..world.command() };
    refused(backup.run(OUT).await, Exit::Usage, "for mirrors");
}
