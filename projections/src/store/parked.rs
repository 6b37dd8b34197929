//! Events that a read model's consumer could not take in, as each store is asked for them.

use super::error::ReadError;
use commands::log::Position;
use rusqlite::Connection;
use sqlx::PgPool;

pub(super) type Parked = Vec<(Position, u64, String)>;

pub(super) fn sqlite(connection: &Connection, consumer: &str) -> Result<Parked, ReadError> {
    let mut statement = connection.prepare_cached("SELECT position, stream, error FROM parked WHERE consumer = ?1 ORDER BY position")?;
    let rows = statement.query_map([consumer], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.map(|row| row.map(numbered)).collect::<Result<_, _>>()?)
}

pub(super) async fn postgres(pool: PgPool, consumer: &str) -> Result<Parked, ReadError> {
    let query = sqlx::query_as("SELECT position, stream, error FROM parked WHERE consumer = $1 ORDER BY position");
    let rows: Vec<(i64, i64, String)> = query.bind(consumer).fetch_all(&pool).await?;
    Ok(rows.into_iter().map(numbered).collect())
}

fn numbered((position, stream, error): (i64, i64, String)) -> (Position, u64, String) {
    (u64::try_from(position).unwrap_or(0), u64::try_from(stream).unwrap_or(0), error)
}
