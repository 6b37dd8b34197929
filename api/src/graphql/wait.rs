//! Reading one's own writes: a query waits until its read model has come as far as the caller
//! has, a bounded time.

use super::error::failure;
use super::position::Position;
use async_graphql::{ErrorExtensions, Result};
use projections::store::Projection;
use std::time::Duration;

const LONGEST: Duration = Duration::from_secs(2);

/// Waits for a read model.
pub async fn at_least(projection: &Projection, position: Option<Position>) -> Result<()> {
    let Some(Position(position)) = position else { return Ok(()) };
    tokio::time::timeout(LONGEST, projection.reached(position)).await.map_err(|_| {
        failure("NOT_YET", "The read model has not come that far within two seconds; ask again.")
            .extend_with(|_, extensions| extensions.set("position", Position(projection.position()).encode()))
    })
}
