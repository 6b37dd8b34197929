//! The questions in the words of SQLite.

use super::{ApiKeyRow, CategoryRow, SenderRow, columns};
use crate::store::ReadError;
use domain::values::{CategoryKey, KeyId, SenderKey};
use rusqlite::{Connection, Params, Row};

const CATEGORIES: &str = concat!("SELECT ", columns!(categories), " FROM categories ORDER BY key");
const CATEGORY: &str = concat!("SELECT ", columns!(categories), " FROM categories WHERE key = ?1");
const SENDERS: &str = concat!("SELECT ", columns!(senders), " FROM senders ORDER BY key");
const SENDER: &str = concat!("SELECT ", columns!(senders), " FROM senders WHERE key = ?1");
const KEYS: &str = concat!("SELECT ", columns!(api_keys), " FROM api_keys ORDER BY issued_at, id");
const KEY: &str = concat!("SELECT ", columns!(api_keys), " FROM api_keys WHERE id = ?1");
const KEYS_OF_PREFIX: &str = concat!("SELECT ", columns!(api_keys), " FROM api_keys WHERE prefix = ?1 ORDER BY id");

pub(super) fn categories(connection: &Connection) -> Result<Vec<CategoryRow>, ReadError> {
    select(connection, CATEGORIES, [], |row| super::category(row.try_into()?))
}

pub(super) fn category(connection: &Connection, key: &CategoryKey) -> Result<Option<CategoryRow>, ReadError> {
    Ok(select(connection, CATEGORY, [key.as_str()], |row| super::category(row.try_into()?))?.pop())
}

pub(super) fn senders(connection: &Connection) -> Result<Vec<SenderRow>, ReadError> {
    select(connection, SENDERS, [], |row| super::sender(row.try_into()?))
}

pub(super) fn sender(connection: &Connection, key: &SenderKey) -> Result<Option<SenderRow>, ReadError> {
    Ok(select(connection, SENDER, [key.as_str()], |row| super::sender(row.try_into()?))?.pop())
}

pub(super) fn api_keys(connection: &Connection) -> Result<Vec<ApiKeyRow>, ReadError> {
    select(connection, KEYS, [], |row| super::api_key(row.try_into()?))
}

pub(super) fn api_key(connection: &Connection, id: KeyId) -> Result<Option<ApiKeyRow>, ReadError> {
    Ok(select(connection, KEY, [id.0.as_bytes().as_slice()], |row| super::api_key(row.try_into()?))?.pop())
}

pub(super) fn api_keys_of_prefix(connection: &Connection, prefix: &str) -> Result<Vec<ApiKeyRow>, ReadError> {
    select(connection, KEYS_OF_PREFIX, [prefix], |row| super::api_key(row.try_into()?))
}

fn select<T>(
    connection: &Connection,
    sql: &'static str,
    parameters: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, ReadError>,
) -> Result<Vec<T>, ReadError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}
