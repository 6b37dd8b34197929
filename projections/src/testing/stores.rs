//! Where read models are kept in tests: a folder, or schemas of a database that all tests share.

use crate::registry::Registration;
use crate::store::{Projection, ReadModels};
use commands::database::postgres::{PG_LOG, PgPlace};
use rusqlite::types::Value;
use services::postgres::Postgres;
use std::future::Future;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

/// Every row of every table, in order.
pub type Dump = Vec<(String, Vec<String>)>;

/// An empty store that goes with this value, at the latest with the tests.
pub trait Store: Send + Sync + 'static {
    fn new() -> impl Future<Output = Self> + Send;
    /// Opens all read models, as a process does.
    fn models(&self) -> impl Future<Output = ReadModels> + Send;
    fn open(&self, registration: Registration) -> impl Future<Output = Projection> + Send;
    fn dump(&self, projection: &Projection) -> impl Future<Output = Dump> + Send;
    /// The generations of a read model that take up room.
    fn generations(&self, model: &str) -> impl Future<Output = Vec<u64>> + Send;
    /// Leaves a generation as an interrupted rebuild does.
    fn litter(&self, model: &str, number: u64) -> impl Future<Output = ()> + Send;
}

pub struct InFiles(TempDir);

impl InFiles {
    pub fn folder(&self) -> &Path {
        self.0.path()
    }
}

impl Store for InFiles {
    async fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn models(&self) -> ReadModels {
        ReadModels::open(self.folder()).unwrap()
    }

    async fn open(&self, registration: Registration) -> Projection {
        Projection::open(self.folder(), registration).unwrap()
    }

    async fn dump(&self, projection: &Projection) -> Dump {
        let file = self.folder().join(format!("{}.{}.db", projection.name(), projection.serving().number()));
        let connection = commands::database::open_reader(&file).unwrap();
        let mut tables = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").unwrap();
        let names: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        let rows = |name: &String| {
            let mut statement = connection.prepare(&format!("SELECT * FROM {name} ORDER BY 1, 2")).unwrap();
            let columns = statement.column_count();
            let row = |row: &rusqlite::Row<'_>| Ok(format!("{:?}", (0..columns).map(|at| row.get(at)).collect::<Result<Vec<Value>, _>>()?));
            statement.query_map([], row).unwrap().collect::<Result<Vec<_>, _>>().unwrap()
        };
        names.iter().map(|name| (name.clone(), rows(name))).collect()
    }

    async fn generations(&self, model: &str) -> Vec<u64> {
        let names = std::fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let number = |name: String| name.strip_prefix(&format!("{model}."))?.split(".db").next()?.parse().ok();
        let mut numbers: Vec<u64> = names.filter_map(number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    async fn litter(&self, model: &str, number: u64) {
        for suffix in ["", "-wal"] {
            std::fs::write(self.folder().join(format!("{model}.{number}.db{suffix}")), b"half").unwrap();
        }
    }
}

pub struct InPostgres(PgPlace);

impl InPostgres {
    pub const fn place(&self) -> &PgPlace {
        &self.0
    }

    fn schema(&self, model: &str, number: impl std::fmt::Display) -> String {
        format!("{}_view_{model}_{number}", self.0.name())
    }
}

impl Store for InPostgres {
    async fn new() -> Self {
        static DATABASE: OnceLock<String> = OnceLock::new();
        static SCHEMAS: AtomicU64 = AtomicU64::new(0);
        let url = tokio::task::spawn_blocking(|| DATABASE.get_or_init(|| Postgres::shared().unwrap().database().unwrap())).await.unwrap();
        let place = PgPlace::new(url, &format!("t{}", SCHEMAS.fetch_add(1, Ordering::Relaxed))).unwrap();
        place.migrate(PG_LOG).await.unwrap();
        Self(place)
    }

    async fn models(&self) -> ReadModels {
        ReadModels::open_postgres(self.0.clone()).await.unwrap()
    }

    async fn open(&self, registration: Registration) -> Projection {
        Projection::open_postgres(self.0.clone().into(), registration).await.unwrap()
    }

    async fn dump(&self, projection: &Projection) -> Dump {
        let pool = self.0.schema(&self.schema(projection.name(), projection.serving().number())).pool(1);
        let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'migrations' ORDER BY 1";
        let names: Vec<String> = sqlx::query_scalar(tables).fetch_all(&pool).await.unwrap();
        let mut all = Vec::new();
        for name in names {
            let rows = sqlx::query_scalar(&format!("SELECT t::text FROM {name} t ORDER BY 1")).fetch_all(&pool).await.unwrap();
            all.push((name, rows));
        }
        pool.close().await;
        all
    }

    async fn generations(&self, model: &str) -> Vec<u64> {
        let pool = self.0.pool(1);
        let prefix = self.schema(model, "");
        let found = sqlx::query_scalar("SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname::text, $1)").bind(&prefix).fetch_all(&pool);
        let mut numbers: Vec<u64> =
            found.await.unwrap().iter().filter_map(|name: &String| name.strip_prefix(&prefix)?.trim_end_matches("_going").parse().ok()).collect();
        pool.close().await;
        numbers.sort_unstable();
        numbers
    }

    async fn litter(&self, model: &str, number: u64) {
        self.0.schema(&self.schema(model, number)).migrate(&["CREATE TABLE half (id bigint)"]).await.unwrap();
    }
}

/// A test on each store, for each function that takes a [`Store`].
macro_rules! on_every_store {
    ($($name:ident),+ $(,)?) => {
        mod in_files { $( #[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name::<$crate::testing::stores::InFiles>().await; } )+ }
        mod in_postgres { $( #[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name::<$crate::testing::stores::InPostgres>().await; } )+ }
    };
}
pub(crate) use on_every_store;
