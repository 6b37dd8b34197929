//! Postgres: connections, what its settings must be, migrations.

mod blocking;
mod migrations;
mod schemas;
mod settings;

pub use blocking::Blocking;
pub use migrations::{PG_KEYS, PG_LOG, PgMigrations};
pub use settings::Unsafe;

use super::DatabaseError;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::str::FromStr;
use std::time::Duration;

/// Longest wait for a connection of the pool.
const ACQUIRE_WITHIN: Duration = Duration::from_secs(3);

/// Our statements find rows by their keys, however many. A plan that was made while a table was small, and
/// kept since, would read all of it.
const PLANNING: [(&str, &str); 4] = [("enable_seqscan", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off"), ("jit", "off")];

/// Where a database is, and which of its schemas is ours.
#[derive(Clone)]
pub struct PgPlace {
    options: PgConnectOptions,
    schema: String,
}

impl std::fmt::Debug for PgPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the password.
        write!(f, "PgPlace({}:{} {})", self.options.get_host(), self.options.get_port(), self.schema)
    }
}

impl PgPlace {
    /// From a URL such as `postgres://user:password@host:5432/bongsu?sslmode=verify-full`.
    pub fn new(url: &str, schema: &str) -> Result<Self, DatabaseError> {
        let options = PgConnectOptions::from_str(url)?.application_name("bongsu").options(PLANNING).options([("search_path", schema)]);
        Ok(Self { options, schema: schema.to_owned() })
    }

    /// Another schema of the same database.
    #[must_use]
    pub fn schema(&self, schema: &str) -> Self {
        Self { options: self.options.clone().options([("search_path", schema)]), schema: schema.to_owned() }
    }

    /// Where the server is, and which of its databases, without user and password.
    pub fn shown(&self) -> String {
        format!("{}:{}/{}", self.options.get_host(), self.options.get_port(), self.options.get_database().unwrap_or_default())
    }

    /// The same for connections whose transactions others wait for: the server ends one that stands still,
    /// as that of a stopped process does, with what it holds.
    #[must_use]
    pub fn impatient(&self) -> Self {
        Self { options: self.options.clone().options([("idle_in_transaction_session_timeout", "3s")]), schema: self.schema.clone() }
    }

    /// The schema's name.
    pub fn name(&self) -> &str {
        &self.schema
    }

    /// For connections of one's own.
    pub const fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// At most so many connections, made when they are needed.
    pub fn pool(&self, most: u32) -> PgPool {
        PgPoolOptions::new().max_connections(most).acquire_timeout(ACQUIRE_WITHIN).connect_lazy_with(self.options.clone())
    }

    /// Brings the schema to the newest version, once whoever does it at the same time has ended.
    pub async fn migrate(&self, migrations: PgMigrations) -> Result<(), DatabaseError> {
        migrations::migrate(&self.options, &self.schema, migrations).await
    }

    /// Which of the server's settings would lose what was answered for.
    pub async fn unsafe_settings(&self) -> Result<Vec<Unsafe>, DatabaseError> {
        settings::find_unsafe(&self.options).await
    }
}
