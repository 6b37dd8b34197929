//! A data folder of its own.

use super::{Replica, Store, clock, master, random};
use commands::consumer::LogRows;
use commands::database::Readers;
use commands::log::raw::RawWriter;
use commands::log::sqlite::{SqliteRawWriter, SqliteReader, SqliteWriter};
use commands::log::{AfterCommit, Committer, CommitterSettings, KeyStore, Sealer, Tail};
use rusqlite::types::Value;
use std::sync::Arc;
use tempfile::TempDir;
use workers::pending::PendingRows;
use workers::timers::TimerRows;

pub struct SqliteStore {
    folder: TempDir,
}

impl Store for SqliteStore {
    async fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    async fn open_with(&self, told: Vec<Arc<dyn AfterCommit>>) -> Replica {
        let random = random(7);
        let keys = Arc::new(KeyStore::open(&self.folder.path().join("keys.db"), master(), random.clone()).unwrap());
        let sealer = Sealer::new(keys.clone(), random);
        let path = self.folder.path().join("log.db");
        let writer = SqliteWriter::open(path.clone(), sealer.clone()).unwrap();
        let tail = Arc::new(Tail::at(writer.head()));
        let (committer, _thread) = Committer::start(writer, tail.clone(), told, clock(), CommitterSettings::default()).unwrap();
        let readers = Readers::new(path, 4);
        let reader = Arc::new(SqliteReader::new(readers.clone(), sealer));
        let beside = Arc::new(LogRows::new(committer.clone(), readers.clone()));
        let (pending, timers) = (PendingRows::File(readers.clone()), TimerRows::File(readers));
        Replica { committer, raw: reader.clone(), reader, tail, keys, beside, pending, timers }
    }

    async fn bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
        files.flatten().collect()
    }

    async fn raw_writer(&self) -> Box<dyn RawWriter> {
        Box::new(SqliteRawWriter::open(&self.folder.path().join("log.db")).unwrap())
    }

    async fn rows(&self) -> Vec<String> {
        let connection = rusqlite::Connection::open(self.folder.path().join("log.db")).unwrap();
        let mut all = Vec::new();
        for query in [
            "SELECT * FROM events ORDER BY position",
            "SELECT * FROM streams ORDER BY number",
            "SELECT * FROM commits ORDER BY position",
            "SELECT * FROM event_types ORDER BY id",
        ] {
            let mut statement = connection.prepare(query).unwrap();
            let columns = statement.column_count();
            let row = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get::<_, Value>(column)).collect::<Result<Vec<_>, _>>();
            all.extend(statement.query_map([], row).unwrap().map(|row| format!("{:?}", row.unwrap())));
        }
        all
    }
}
