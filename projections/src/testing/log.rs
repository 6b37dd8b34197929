//! A real log in a folder of its own.

use crate::store::Sources;
use commands::database::Readers;
use commands::log::sqlite::{SqliteReader, SqliteWriter};
use commands::log::{Commit, CommitOutcome, Committer, CommitterSettings, KeyStore, Lane, MasterKey, Metadata, Position, Sealer, StreamAppend, Tail};
use commands::ports::{Random, SeededRandom, SystemClock};
use domain::notification::NotificationEvent;
use domain::{Fact, StreamId};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

pub struct TestLog {
    pub committer: Committer,
    pub sources: Sources,
    folder: TempDir,
}

impl TestLog {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(7));
        let master = MasterKey::new([7; 32]);
        let keys = KeyStore::open(&folder.path().join("keys.db"), master.clone(), Arc::clone(&random)).unwrap();
        let sealer = Sealer::new(Arc::new(keys), random);
        let path = folder.path().join("log.db");
        let writer = SqliteWriter::open(path.clone(), sealer.clone()).unwrap();
        let clock = Arc::new(SystemClock::default());
        let tail = Arc::new(Tail::at(0));
        let (committer, _) = Committer::start(writer, Arc::clone(&tail), Vec::new(), clock.clone(), CommitterSettings::default()).unwrap();
        let log = Arc::new(SqliteReader::new(Readers::new(path, 4), sealer));
        Self { committer, sources: Sources { log, tail, clock }, folder }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub async fn append(&self, appends: Vec<StreamAppend>) -> Position {
        let commit = Commit { metadata: Arc::new(Metadata::of("test")), appends, expectations: Vec::new() };
        match self.committer.commit(Lane::Internal, vec![commit]).await.unwrap().remove(0) {
            CommitOutcome::Committed { position, .. } => position,
            CommitOutcome::Conflict { stream } => panic!("conflict at {stream}"),
        }
    }

    pub async fn notify(&self, stream: StreamId, expected: u64, events: Vec<NotificationEvent>) -> Position {
        self.append(vec![append(stream, expected, events)]).await
    }
}

pub fn append(stream: StreamId, expected: u64, events: Vec<NotificationEvent>) -> StreamAppend {
    StreamAppend { stream, number: None, expected, events: events.into_iter().map(Fact::from).collect() }
}
