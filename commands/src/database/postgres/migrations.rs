//! Numbered migrations, forward only, each in one transaction with its number. Replicas that start
//! together take turns.

use crate::database::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};

/// The migrations of one schema, in order.
pub type PgMigrations = &'static [&'static str];

/// Of the schema `bongsu`.
pub const PG_LOG: PgMigrations = &[include_str!("../../../../migrations/postgres/0001_log.sql")];
/// Of the schema `bongsu_keys`.
pub const PG_KEYS: PgMigrations = &[include_str!("../../../../migrations/postgres/0001_keys.sql")];

/// Names the lock under which migrations run: "bongsu" as a number.
const LOCK: i64 = 0x626f_6e67_7375;

pub(super) async fn migrate(options: &PgConnectOptions, schema: &'static str, migrations: PgMigrations) -> Result<(), DatabaseError> {
    let mut connection = options.connect().await?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut connection).await?;
    let result = migrate_locked(&mut connection, schema, migrations).await;
    // Ends the lock too.
    connection.close().await?;
    result
}

async fn migrate_locked(connection: &mut PgConnection, schema: &'static str, migrations: PgMigrations) -> Result<(), DatabaseError> {
    // Names of ours, never input.
    sqlx::raw_sql(&format!("CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE IF NOT EXISTS {schema}.migrations (version integer PRIMARY KEY)"))
        .execute(&mut *connection)
        .await?;
    let found: i32 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM migrations").fetch_one(&mut *connection).await?;
    let found = usize::try_from(found).unwrap_or(0);
    if found > migrations.len() {
        return Err(DatabaseError::Newer { found, known: migrations.len() });
    }
    for (version, sql) in (1_i32..).zip(migrations).skip(found) {
        let mut transaction = connection.begin().await?;
        sqlx::raw_sql(sql).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO migrations (version) VALUES ($1)").bind(version).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(())
}
