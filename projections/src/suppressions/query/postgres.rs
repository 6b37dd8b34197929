//! The question in the words of Postgres.

use super::{Columns, SuppressedRow, holder};
use crate::store::ReadError;
use domain::values::AddressId;
use sqlx::PgPool;
use std::collections::HashMap;
use uuid::Uuid;

const LIST: &str =
    "SELECT address, reason, note, at, position FROM suppressed WHERE position > $1 AND ($3::text IS NULL OR reason = $3) ORDER BY position LIMIT $2";
const HOLDERS: &str = "SELECT address, recipient, channel FROM holders WHERE address = ANY($1) ORDER BY address, recipient";

pub(super) async fn list(pool: PgPool, reason: Option<String>, after: i64, first: i64) -> Result<Vec<SuppressedRow>, ReadError> {
    let rows: Vec<Columns> = sqlx::query_as(LIST).bind(after).bind(first).bind(reason).fetch_all(&pool).await?;
    let mut found = rows.into_iter().map(SuppressedRow::of).collect::<Result<Vec<_>, _>>()?;
    let addresses: Vec<Vec<u8>> = found.iter().map(|row| row.address.0.as_bytes().to_vec()).collect();
    let holders: Vec<([u8; 16], [u8; 16], i64)> = sqlx::query_as(HOLDERS).bind(addresses).fetch_all(&pool).await?;
    let places: HashMap<AddressId, usize> = found.iter().enumerate().map(|(place, row)| (row.address, place)).collect();
    for (address, recipient, channel) in holders {
        let place = places.get(&AddressId(Uuid::from_bytes(address)));
        if let Some(row) = place.and_then(|place| found.get_mut(*place)) {
            row.holders.push(holder(recipient, channel)?);
        }
    }
    Ok(found)
}
