//! A database of its own, on a server of the tests'.

use super::{Replica, Store, clock, master, random};
use commands::consumer::PgRows;
use commands::database::postgres::{PG_KEYS, PG_LOG, PgPlace};
use commands::log::postgres::{PostgresRawWriter, PostgresReader, PostgresWriter};
use commands::log::raw::RawWriter;
use commands::log::{AfterCommit, Committer, CommitterSettings, KeyStore, LogWriter, PostgresKeys, Sealer, Tail};
use services::postgres::Postgres;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::spawn_blocking;
use workers::pending::PendingRows;
use workers::timers::TimerRows;

pub struct PostgresStore {
    url: String,
    opened: AtomicU64,
}

impl PostgresStore {
    /// Where it is, for those who look at it with their own SQL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same database by another way.
    pub fn by(&self, url: String) -> Self {
        Self { url, opened: AtomicU64::new(100) }
    }

    /// Where the log is.
    pub fn place(&self) -> PgPlace {
        PgPlace::new(&self.url, "bongsu").unwrap()
    }
}

impl Store for PostgresStore {
    async fn new() -> Self {
        let url = spawn_blocking(|| Postgres::shared().unwrap().database().unwrap()).await.unwrap();
        Self { url, opened: AtomicU64::new(0) }
    }

    async fn open_with(&self, told: Vec<Arc<dyn AfterCommit>>) -> Replica {
        let random = random(self.opened.fetch_add(1, Ordering::Relaxed));
        let (log, keys) = (self.place(), PgPlace::new(&self.url, "bongsu_keys").unwrap());
        log.migrate(PG_LOG).await.unwrap();
        keys.migrate(PG_KEYS).await.unwrap();
        let keys = Arc::new(KeyStore::over(Box::new(PostgresKeys::new(&keys).unwrap()), master(), random.clone()));
        let sealer = Sealer::new(keys.clone(), random.clone());
        let pool = log.pool(4);
        let reader = Arc::new(PostgresReader::new(pool.clone(), sealer.clone()));
        let beside = Arc::new(PgRows::new(pool.clone()));
        let (pending, timers) = (PendingRows::Postgres(pool.clone()), TimerRows::Postgres(pool));
        spawn_blocking(move || {
            let writer = PostgresWriter::open(&log, sealer, random).unwrap();
            let tail = Arc::new(Tail::at(writer.head()));
            let (committer, _thread) = Committer::start(writer, tail.clone(), told, clock(), CommitterSettings::default()).unwrap();
            Replica { committer, raw: reader.clone(), reader, tail, keys, beside, pending, timers }
        })
        .await
        .unwrap()
    }

    async fn bytes(&self) -> Vec<u8> {
        let pool = self.place().pool(1);
        let rows: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT convert_to(e::text, 'UTF8') FROM events e UNION ALL SELECT convert_to(c::text, 'UTF8') FROM commits c UNION ALL SELECT sealed FROM events WHERE sealed IS NOT NULL",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        rows.concat()
    }

    async fn raw_writer(&self) -> Box<dyn RawWriter> {
        let log = self.place();
        log.migrate(PG_LOG).await.unwrap();
        spawn_blocking(move || Box::new(PostgresRawWriter::open(&log).unwrap())).await.unwrap()
    }

    async fn rows(&self) -> Vec<String> {
        let pool = self.place().pool(1);
        let mut rows = Vec::new();
        // Whose transaction it was is no part of the log.
        for query in [
            "SELECT e::text FROM events e ORDER BY position",
            "SELECT s::text FROM streams s ORDER BY number",
            "SELECT (position, at, metadata)::text FROM commits ORDER BY position",
            "SELECT t::text FROM event_types t ORDER BY id",
            "SELECT h::text FROM log_head h WHERE position > 0",
        ] {
            rows.extend(sqlx::query_scalar::<_, String>(query).fetch_all(&pool).await.unwrap());
        }
        rows
    }
}
