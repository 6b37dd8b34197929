//! What authentication and administrators ask; in the words of each store in [`sqlite`] and
//! [`postgres`].

mod postgres;
mod sqlite;

use crate::store::{Projection, ReadError};
use commands::log::Position;
use domain::api_key::Role;
use domain::values::{CategoryKey, Channel, KeyId, Millis, Priority, SenderKey};
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

/// The columns of the rows as both stores give them, in order.
macro_rules! columns {
    (categories) => {
        "key, name, description, required, default_channels, priority, defined_at, updated_position"
    };
    (senders) => {
        "key, name, registered_at, updated_position"
    };
    (api_keys) => {
        "id, name, prefix, hash, role, issued_at, expires_at, revoked_at, updated_position"
    };
}
use columns;
type CategoryColumns = (String, String, String, i64, String, i64, Millis, i64);
type SenderColumns = (String, String, Millis, i64);
type ApiKeyColumns = ([u8; 16], String, String, String, String, Millis, Option<Millis>, Option<Millis>, i64);

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
        self.projection.read(sqlite::categories, postgres::categories).await
    }

    /// Keys of categories with a text in key, name or description, whatever its case; after a key, at
    /// most so many. Looked for here and not by the stores, which differ in what they hold to be the
    /// same letter; categories are few.
    pub async fn search_categories(&self, text: &str, after: Option<&str>, first: usize) -> Result<Vec<CategoryKey>, ReadError> {
        let wanted = text.trim().to_lowercase();
        let found = |text: &str| text.to_lowercase().contains(&wanted);
        let rows = self.categories().await?.into_iter().filter(|row| after.is_none_or(|after| row.key.as_str() > after));
        let matching = rows.filter(|row| wanted.is_empty() || found(row.key.as_str()) || found(&row.name) || found(&row.description));
        Ok(matching.take(first).map(|row| row.key).collect())
    }

    /// A category.
    pub async fn category(&self, key: CategoryKey) -> Result<Option<CategoryRow>, ReadError> {
        let wanted = key.as_str().to_owned();
        self.projection.read(move |connection| sqlite::category(connection, &key), |pool| postgres::category(pool, wanted.clone())).await
    }

    /// All senders, by key.
    pub async fn senders(&self) -> Result<Vec<SenderRow>, ReadError> {
        self.projection.read(sqlite::senders, postgres::senders).await
    }

    /// A sender.
    pub async fn sender(&self, key: SenderKey) -> Result<Option<SenderRow>, ReadError> {
        let wanted = key.as_str().to_owned();
        self.projection.read(move |connection| sqlite::sender(connection, &key), |pool| postgres::sender(pool, wanted.clone())).await
    }

    /// All API keys, revoked ones too, in the order in which they were issued.
    pub async fn api_keys(&self) -> Result<Vec<ApiKeyRow>, ReadError> {
        self.projection.read(sqlite::api_keys, postgres::api_keys).await
    }

    /// An API key by its public id.
    pub async fn api_key(&self, id: KeyId) -> Result<Option<ApiKeyRow>, ReadError> {
        self.projection.read(move |connection| sqlite::api_key(connection, id), move |pool| postgres::api_key(pool, id)).await
    }

    /// API keys of a public prefix; nearly always one.
    pub async fn api_keys_of_prefix(&self, prefix: String) -> Result<Vec<ApiKeyRow>, ReadError> {
        let wanted = prefix.clone();
        self.projection.read(move |connection| sqlite::api_keys_of_prefix(connection, &prefix), |pool| postgres::api_keys_of_prefix(pool, wanted.clone())).await
    }
}

fn category((key, name, description, required, channels, priority, defined_at, updated): CategoryColumns) -> Result<CategoryRow, ReadError> {
    Ok(CategoryRow {
        key: CategoryKey::new(&key).map_err(|_| UNREADABLE)?,
        name,
        description,
        required: required != 0,
        default_channels: serde_json::from_str(&channels).map_err(|_| UNREADABLE)?,
        priority: u8::try_from(priority).ok().and_then(Priority::from_rank).ok_or(UNREADABLE)?,
        defined_at,
        updated_position: unsigned(updated),
    })
}

fn sender((key, name, registered_at, updated): SenderColumns) -> Result<SenderRow, ReadError> {
    Ok(SenderRow { key: SenderKey::new(&key).map_err(|_| UNREADABLE)?, name, registered_at, updated_position: unsigned(updated) })
}

fn api_key((id, name, prefix, hash, role, issued_at, expires_at, revoked_at, updated): ApiKeyColumns) -> Result<ApiKeyRow, ReadError> {
    let role = serde_json::from_str(&role).map_err(|_| UNREADABLE)?;
    Ok(ApiKeyRow { id: KeyId(Uuid::from_bytes(id)), name, prefix, hash, role, issued_at, expires_at, revoked_at, updated_position: unsigned(updated) })
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
