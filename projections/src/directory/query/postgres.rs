//! The questions in the words of Postgres.

use super::{ApiKeyRow, CategoryRow, SenderRow, columns};
use crate::store::ReadError;
use domain::values::KeyId;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::QueryAs;
use sqlx::{FromRow, PgPool, Postgres, query_as};

const CATEGORIES: &str = concat!("SELECT ", columns!(categories), " FROM categories ORDER BY key");
const CATEGORY: &str = concat!("SELECT ", columns!(categories), " FROM categories WHERE key = $1");
const SENDERS: &str = concat!("SELECT ", columns!(senders), " FROM senders ORDER BY key");
const SENDER: &str = concat!("SELECT ", columns!(senders), " FROM senders WHERE key = $1");
const KEYS: &str = concat!("SELECT ", columns!(api_keys), " FROM api_keys ORDER BY issued_at, id");
const KEY: &str = concat!("SELECT ", columns!(api_keys), " FROM api_keys WHERE id = $1");
const KEYS_OF_PREFIX: &str = concat!("SELECT ", columns!(api_keys), " FROM api_keys WHERE prefix = $1 ORDER BY id");

pub(super) async fn categories(pool: PgPool) -> Result<Vec<CategoryRow>, ReadError> {
    select(&pool, query_as(CATEGORIES), super::category).await
}

pub(super) async fn category(pool: PgPool, key: String) -> Result<Option<CategoryRow>, ReadError> {
    Ok(select(&pool, query_as(CATEGORY).bind(key), super::category).await?.pop())
}

pub(super) async fn senders(pool: PgPool) -> Result<Vec<SenderRow>, ReadError> {
    select(&pool, query_as(SENDERS), super::sender).await
}

pub(super) async fn sender(pool: PgPool, key: String) -> Result<Option<SenderRow>, ReadError> {
    Ok(select(&pool, query_as(SENDER).bind(key), super::sender).await?.pop())
}

pub(super) async fn api_keys(pool: PgPool) -> Result<Vec<ApiKeyRow>, ReadError> {
    select(&pool, query_as(KEYS), super::api_key).await
}

pub(super) async fn api_key(pool: PgPool, id: KeyId) -> Result<Option<ApiKeyRow>, ReadError> {
    Ok(select(&pool, query_as(KEY).bind(id.0.into_bytes()), super::api_key).await?.pop())
}

pub(super) async fn api_keys_of_prefix(pool: PgPool, prefix: String) -> Result<Vec<ApiKeyRow>, ReadError> {
    select(&pool, query_as(KEYS_OF_PREFIX).bind(prefix), super::api_key).await
}

async fn select<C, T>(pool: &PgPool, query: QueryAs<'static, Postgres, C, PgArguments>, read: impl Fn(C) -> Result<T, ReadError>) -> Result<Vec<T>, ReadError>
where
    C: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    query.fetch_all(pool).await?.into_iter().map(read).collect()
}
