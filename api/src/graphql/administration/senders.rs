//! Senders.

use crate::graphql::context::{administrator, metadata, services};
use crate::graphql::error::{bus_error, read_error};
use crate::graphql::position::Position;
use crate::graphql::problem::Refused;
use crate::graphql::wait::at_least;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject, Union};
use commands::bus::Refused as BusRefused;
use domain::sender::{RegisterSender, Sender};
use domain::values::SenderKey;
use domain::{AggregateKind, StreamId};

/// A sender to be.
#[derive(InputObject)]
pub struct RegisterSenderInput {
    /// Its key, e.g. `shop`: never changed.
    key: String,
    /// Its name, for people.
    name: String,
}

/// A service that sends.
#[derive(SimpleObject)]
#[graphql(name = "Sender")]
pub struct SenderObject {
    key: String,
    name: String,
}

/// Done.
#[derive(SimpleObject)]
pub struct SenderChanged {
    sender: SenderObject,
    position: Position,
}

/// Done, or refused with a reason.
#[derive(Union)]
pub enum SenderResult {
    /// Done.
    Changed(SenderChanged),
    /// Nothing was changed.
    Refused(Refused),
}

/// Mutations on senders.
#[derive(Default)]
pub struct SenderMutation;

#[Object]
impl SenderMutation {
    /// Registers a sender, or renames it.
    async fn register_sender(&self, ctx: &Context<'_>, input: RegisterSenderInput) -> Result<SenderResult> {
        administrator(ctx)?;
        let key = match SenderKey::new(&input.key) {
            Ok(key) => key,
            Err(error) => return Ok(SenderResult::Refused(Refused::at("key", "INVALID_KEY", error.to_string()))),
        };
        let stream = StreamId::of_key(AggregateKind::Sender, key.as_str());
        match services(ctx)?.engine.bus.execute::<Sender>(stream, &metadata(ctx)?, RegisterSender { key, name: input.name }).await {
            Ok(done) => Ok(SenderResult::Changed(SenderChanged {
                sender: SenderObject { key: done.state.key.to_string(), name: done.state.name },
                position: Position(done.position),
            })),
            Err(BusRefused::Refusal(refusal)) => Ok(SenderResult::Refused(Refused::at("name", "INVALID_NAME", refusal.to_string()))),
            Err(error) => Err(bus_error(error)),
        }
    }
}

/// Queries on senders.
#[derive(Default)]
pub struct SenderQuery;

#[Object]
impl SenderQuery {
    /// All senders, by key.
    async fn senders(&self, ctx: &Context<'_>, at_least_position: Option<Position>) -> Result<Vec<SenderObject>> {
        administrator(ctx)?;
        let directory = &services(ctx)?.directory;
        at_least(directory.projection(), at_least_position).await?;
        let rows = directory.senders().await.map_err(read_error)?;
        Ok(rows.into_iter().map(|row| SenderObject { key: row.key.to_string(), name: row.name }).collect())
    }
}
