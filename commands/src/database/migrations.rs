//! Numbered migrations, forward only, each in one transaction with its number.

use super::DatabaseError;
use rusqlite::Connection;

/// The migrations of one file, in order.
pub type Migrations = &'static [&'static str];

/// Of `log.db`.
pub const DELIVERY_LOG: Migrations = &[
    include_str!("../../../migrations/sqlite/0001_log.sql"),
    include_str!("../../../migrations/sqlite/0002_replica.sql"),
    include_str!("../../../migrations/sqlite/0003_waiting.sql"),
];
/// Of `keys.db`.
pub const KEYS: Migrations = &[include_str!("../../../migrations/sqlite/0001_keys.sql")];

/// Brings a file to the newest version. Refuses one that a newer build has written.
pub fn migrate(connection: &mut Connection, migrations: Migrations) -> Result<(), DatabaseError> {
    let found: usize = connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).map(|version| usize::try_from(version).unwrap_or(0))?;
    if found > migrations.len() {
        return Err(DatabaseError::Newer { found, known: migrations.len() });
    }
    for (version, sql) in (1_i64..).zip(migrations).skip(found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}
