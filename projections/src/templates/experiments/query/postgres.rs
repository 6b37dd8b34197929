//! The question in the words of Postgres.

use super::{Columns, RESULTS, VariantRow};
use crate::store::ReadError;
use sqlx::PgPool;
use std::sync::LazyLock;

static STATEMENT: LazyLock<String> = LazyLock::new(|| RESULTS.replace('?', "$"));

pub(super) async fn results(pool: PgPool, template: String) -> Result<Vec<VariantRow>, ReadError> {
    let rows: Vec<Columns> = sqlx::query_as(STATEMENT.as_str()).bind(template).fetch_all(&pool).await?;
    Ok(rows.into_iter().map(VariantRow::of).collect())
}
