//! Rebuilding read models.

use crate::graphql::context::{administrator, services};
use crate::graphql::error::failure;
use crate::graphql::position::Position;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

/// Which read model.
#[derive(InputObject)]
pub struct RebuildProjectionInput {
    /// Its name: see `status.consumers`.
    name: String,
}

/// It was rebuilt and serves.
#[derive(SimpleObject)]
pub struct ProjectionRebuilt {
    name: String,
    /// How far it has come.
    position: Position,
}

/// Mutations on read models.
#[derive(Default)]
pub struct ProjectionMutation;

#[Object]
impl ProjectionMutation {
    /// Builds a read model anew from the log, beside the one that serves, and switches. Nothing
    /// is sent by it. Answered when it is done; the metric `bongsu_projection_rebuild_position`
    /// shows how far it is.
    async fn rebuild_projection(&self, ctx: &Context<'_>, input: RebuildProjectionInput) -> Result<ProjectionRebuilt> {
        administrator(ctx)?;
        let services = services(ctx)?;
        let Some(projection) = services.engine.read_models.find(&input.name) else {
            return Err(failure("NOT_FOUND", "There is no read model of this name."));
        };
        let name = projection.name();
        #[allow(clippy::cast_precision_loss, reason = "a gauge")]
        let told = projection
            .rebuild(&services.engine.sources(), &services.stopping, |progress| {
                metrics::gauge!("bongsu_projection_rebuild_position", "projection" => name).set(progress.position as f64)
            })
            .await;
        told.map_err(|error| failure("REBUILD_FAILED", error.to_string()))?;
        Ok(ProjectionRebuilt { name: input.name, position: Position(projection.position()) })
    }
}
