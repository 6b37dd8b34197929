//! The question in the words of Postgres.

use super::{Asked, Columns, Found, SEARCH};
use crate::store::ReadError;
use sqlx::PgPool;
use std::sync::LazyLock;

static STATEMENT: LazyLock<String> = LazyLock::new(|| SEARCH.replace('?', "$"));

pub(super) async fn search(pool: PgPool, asked: Asked) -> Result<Vec<Found>, ReadError> {
    let mut query = sqlx::query_as(STATEMENT.as_str());
    for pattern in asked.patterns {
        query = query.bind(pattern);
    }
    let rows: Vec<Columns> = query.bind(asked.rank).bind(asked.key).fetch_all(&pool).await?;
    rows.into_iter().map(Found::of).collect()
}
