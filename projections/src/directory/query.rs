//! What authentication and administrators ask.

use crate::store::{Projection, ReadError};
use commands::log::Position;
use domain::api_key::Role;
use domain::values::{CategoryKey, Channel, KeyId, Millis, Priority, SenderKey};
use rusqlite::{Connection, Params, Row};
use std::sync::Arc;
use uuid::Uuid;

/// A category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryRow {
    /// Its key.
    pub key: CategoryKey,
    /// Its name, for people.
    pub name: String,
    /// What it is about, for people.
    pub description: String,
    /// Cannot be switched off.
    pub required: bool,
    /// The channels of a request that names none.
    pub default_channels: Vec<Channel>,
    /// The priority of a request that names none.
    pub priority: Priority,
    /// When it was first defined (ms since the epoch).
    pub defined_at: Millis,
    /// Of its last definition.
    pub updated_position: Position,
}

/// A sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderRow {
    /// Its key.
    pub key: SenderKey,
    /// Its name, for people.
    pub name: String,
    /// When it was first registered (ms since the epoch).
    pub registered_at: Millis,
    /// Of its last renaming.
    pub updated_position: Position,
}

/// An API key, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// Its public id.
    pub id: KeyId,
    /// What it is for, for people.
    pub name: String,
    /// The public beginning of the key, by which it is found.
    pub prefix: String,
    /// Keyed hash of the whole key (HMAC-SHA-256, hex).
    pub hash: String,
    /// What it may do.
    pub role: Role,
    /// When it was issued (ms since the epoch).
    pub issued_at: Millis,
    /// Void after this (ms since the epoch).
    pub expires_at: Option<Millis>,
    /// When it was revoked (ms since the epoch).
    pub revoked_at: Option<Millis>,
    /// Of its last event.
    pub updated_position: Position,
}

const CATEGORIES: &str = "SELECT key, name, description, required, default_channels, priority, defined_at, updated_position FROM categories ORDER BY key";
const CATEGORY: &str = "SELECT key, name, description, required, default_channels, priority, defined_at, updated_position FROM categories WHERE key = ?1";
const SENDERS: &str = "SELECT key, name, registered_at, updated_position FROM senders ORDER BY key";
const SENDER: &str = "SELECT key, name, registered_at, updated_position FROM senders WHERE key = ?1";
const KEYS: &str = "SELECT id, name, prefix, hash, role, issued_at, expires_at, revoked_at, updated_position FROM api_keys ORDER BY issued_at, id";
const KEY: &str = "SELECT id, name, prefix, hash, role, issued_at, expires_at, revoked_at, updated_position FROM api_keys WHERE id = ?1";
const KEYS_OF_PREFIX: &str =
    "SELECT id, name, prefix, hash, role, issued_at, expires_at, revoked_at, updated_position FROM api_keys WHERE prefix = ?1 ORDER BY id";

const UNREADABLE: ReadError = ReadError::Unreadable { model: super::NAME };

/// Queries over the serving generation. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Directory {
    projection: Arc<Projection>,
}

impl Directory {
    /// Over the read model of this name.
    pub const fn new(projection: Arc<Projection>) -> Self {
        Self { projection }
    }

    /// The read model, for waiting until it has come far enough.
    pub const fn projection(&self) -> &Arc<Projection> {
        &self.projection
    }

    /// All categories, by key.
    pub async fn categories(&self) -> Result<Vec<CategoryRow>, ReadError> {
        self.projection.read(|connection| select(connection, CATEGORIES, [], category)).await
    }

    /// A category.
    pub async fn category(&self, key: CategoryKey) -> Result<Option<CategoryRow>, ReadError> {
        self.projection.read(move |connection| Ok(select(connection, CATEGORY, [key.as_str()], category)?.pop())).await
    }

    /// All senders, by key.
    pub async fn senders(&self) -> Result<Vec<SenderRow>, ReadError> {
        self.projection.read(|connection| select(connection, SENDERS, [], sender)).await
    }

    /// A sender.
    pub async fn sender(&self, key: SenderKey) -> Result<Option<SenderRow>, ReadError> {
        self.projection.read(move |connection| Ok(select(connection, SENDER, [key.as_str()], sender)?.pop())).await
    }

    /// All API keys, revoked ones too, in the order in which they were issued.
    pub async fn api_keys(&self) -> Result<Vec<ApiKeyRow>, ReadError> {
        self.projection.read(|connection| select(connection, KEYS, [], api_key)).await
    }

    /// An API key by its public id.
    pub async fn api_key(&self, id: KeyId) -> Result<Option<ApiKeyRow>, ReadError> {
        self.projection.read(move |connection| Ok(select(connection, KEY, [id.0.as_bytes().as_slice()], api_key)?.pop())).await
    }

    /// API keys of a public prefix; nearly always one.
    pub async fn api_keys_of_prefix(&self, prefix: String) -> Result<Vec<ApiKeyRow>, ReadError> {
        self.projection.read(move |connection| select(connection, KEYS_OF_PREFIX, [prefix], api_key)).await
    }
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

fn category(row: &Row<'_>) -> Result<CategoryRow, ReadError> {
    let key: String = row.get(0)?;
    let channels: String = row.get(4)?;
    Ok(CategoryRow {
        key: CategoryKey::new(&key).map_err(|_| UNREADABLE)?,
        name: row.get(1)?,
        description: row.get(2)?,
        required: row.get(3)?,
        default_channels: serde_json::from_str(&channels).map_err(|_| UNREADABLE)?,
        priority: Priority::from_rank(row.get(5)?).ok_or(UNREADABLE)?,
        defined_at: row.get(6)?,
        updated_position: unsigned(row.get(7)?),
    })
}

fn sender(row: &Row<'_>) -> Result<SenderRow, ReadError> {
    let key: String = row.get(0)?;
    Ok(SenderRow { key: SenderKey::new(&key).map_err(|_| UNREADABLE)?, name: row.get(1)?, registered_at: row.get(2)?, updated_position: unsigned(row.get(3)?) })
}

fn api_key(row: &Row<'_>) -> Result<ApiKeyRow, ReadError> {
    let role: String = row.get(4)?;
    Ok(ApiKeyRow {
        id: KeyId(Uuid::from_bytes(row.get(0)?)),
        name: row.get(1)?,
        prefix: row.get(2)?,
        hash: row.get(3)?,
        role: serde_json::from_str(&role).map_err(|_| UNREADABLE)?,
        issued_at: row.get(5)?,
        expires_at: row.get(6)?,
        revoked_at: row.get(7)?,
        updated_position: unsigned(row.get(8)?),
    })
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
