//! What a mirror says of itself, for who looks whether it can be used. Nothing is written.

use super::connection::Connection;
use super::error::MirrorError;
use super::target::Target;
use commands::log::Position;
use commands::ports::Clock;
use std::sync::Arc;

/// The newest position that is there; none where there is nothing yet.
pub async fn inspect(target: &Target, clock: &Arc<dyn Clock>) -> Result<Option<Position>, MirrorError> {
    Ok(Connection::open(target, clock)?.last().await?.map(|mirrored| mirrored.event.position))
}
