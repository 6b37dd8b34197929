//! A data folder of its own.

use super::{Replica, Store, clock, master, random};
use commands::database::Readers;
use commands::log::sqlite::{SqliteReader, SqliteWriter};
use commands::log::{Committer, CommitterSettings, KeyStore, Sealer, Tail};
use std::sync::Arc;
use tempfile::TempDir;

pub struct SqliteStore {
    folder: TempDir,
}

impl Store for SqliteStore {
    async fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    async fn open(&self) -> Replica {
        let random = random(7);
        let keys = Arc::new(KeyStore::open(&self.folder.path().join("keys.db"), master(), random.clone()).unwrap());
        let sealer = Sealer::new(keys.clone(), random);
        let path = self.folder.path().join("log.db");
        let writer = SqliteWriter::open(path.clone(), sealer.clone()).unwrap();
        let tail = Arc::new(Tail::at(writer.head()));
        let (committer, _thread) = Committer::start(writer, tail.clone(), Vec::new(), clock(), CommitterSettings::default()).unwrap();
        Replica { committer, reader: Arc::new(SqliteReader::new(Readers::new(path, 4), sealer)), tail, keys }
    }

    async fn bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
        files.flatten().collect()
    }
}
