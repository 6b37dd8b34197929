//! Numbered migrations, forward only, each in one transaction with its number. Replicas that start
//! together take turns.

use crate::database::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Executor};

/// The migrations of one schema, in order.
pub type PgMigrations = &'static [&'static str];

/// Of the schema `bongsu`.
pub const PG_LOG: PgMigrations = &[
    include_str!("../../../../migrations/postgres/0001_log.sql"),
    include_str!("../../../../migrations/postgres/0002_read_models.sql"),
    include_str!("../../../../migrations/postgres/0003_replicas.sql"),
    include_str!("../../../../migrations/postgres/0004_waiting.sql"),
];
/// Of the schema `bongsu_keys`.
pub const PG_KEYS: PgMigrations = &[include_str!("../../../../migrations/postgres/0001_keys.sql")];

/// Names the lock under which migrations run: "bongsu" as a number.
const LOCK: i64 = 0x626f_6e67_7375;

pub(super) async fn migrate(options: &PgConnectOptions, schema: &str, migrations: PgMigrations) -> Result<(), DatabaseError> {
    let mut connection = options.connect().await?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut connection).await?;
    let result = migrate_locked(&mut connection, schema, migrations).await;
    // Ends the lock too.
    connection.close().await?;
    result
}

async fn migrate_locked(connection: &mut PgConnection, schema: &str, migrations: PgMigrations) -> Result<(), DatabaseError> {
    // Names of ours, never input.
    let prepare = format!("CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE IF NOT EXISTS {schema}.migrations (version integer PRIMARY KEY)");
    connection.execute(prepare.as_str()).await?;
    let found: i32 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM migrations").fetch_one(&mut *connection).await?;
    let found = usize::try_from(found).unwrap_or(0);
    if found > migrations.len() {
        return Err(DatabaseError::Newer { found, known: migrations.len() });
    }
    for (version, sql) in (1_i32..).zip(migrations).skip(found) {
        let mut transaction = connection.begin().await?;
        transaction.execute(*sql).await?;
        sqlx::query("INSERT INTO migrations (version) VALUES ($1)").bind(version).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(())
}
