//! Senders.

use super::sent_from::{SentFromInput, SentFromObject, not_allowed};
use crate::graphql::context::{administrator, metadata, services};
use crate::graphql::error::{bus_error, log_error, read_error};
use crate::graphql::position::Position;
use crate::graphql::problem::Refused;
use crate::graphql::wait::at_least;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject, Union};
use commands::bus::Refused as BusRefused;
use domain::aggregate::Aggregate as _;
use domain::sender::{RegisterSender, Sender, SenderRefusal};
use domain::values::{SenderKey, SentFrom};
use domain::{AggregateKind, Fact, StreamId};
use std::collections::HashMap;

/// A sender to be.
#[derive(InputObject)]
pub struct RegisterSenderInput {
    /// Its key, e.g. `shop`: never changed.
    key: String,
    /// Its name, for people.
    name: String,
    /// Whom its messages come from, where that is not as configured for the provider. Left out, they come from
    /// what is configured, also when it is registered anew.
    from: Option<SentFromInput>,
}

/// A service that sends.
#[derive(SimpleObject)]
#[graphql(name = "Sender")]
pub struct SenderObject {
    key: String,
    name: String,
    /// Whom its messages come from.
    from: SentFromObject,
}

impl From<&Sender> for SenderObject {
    fn from(state: &Sender) -> Self {
        Self { key: state.key.to_string(), name: state.name.clone(), from: (&state.from).into() }
    }
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
    /// Registers a sender, or registers it anew.
    async fn register_sender(&self, ctx: &Context<'_>, input: RegisterSenderInput) -> Result<SenderResult> {
        administrator(ctx)?;
        let key = match SenderKey::new(&input.key) {
            Ok(key) => key,
            Err(error) => return Ok(SenderResult::Refused(Refused::at("key", "INVALID_KEY", error.to_string()))),
        };
        let stream = StreamId::of_key(AggregateKind::Sender, key.as_str());
        let from: SentFrom = input.from.map(Into::into).unwrap_or_default();
        if let Some(refused) = not_allowed(&from, &services(ctx)?.also_from) {
            return Ok(SenderResult::Refused(refused));
        }
        match services(ctx)?.engine.bus.execute::<Sender>(stream, &metadata(ctx)?, RegisterSender { key, name: input.name, from }).await {
            Ok(done) => Ok(SenderResult::Changed(SenderChanged { sender: (&done.state).into(), position: Position(done.position) })),
            Err(BusRefused::Refusal(refusal @ SenderRefusal::Name)) => Ok(SenderResult::Refused(Refused::at("name", "INVALID_NAME", refusal.to_string()))),
            Err(BusRefused::Refusal(refusal @ SenderRefusal::From(_))) => Ok(SenderResult::Refused(Refused::at("from", "FROM_INVALID", refusal.to_string()))),
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
        // The read model finds them; what they say is in the log.
        let streams = rows.iter().map(|row| StreamId::of_key(AggregateKind::Sender, row.key.as_str())).collect();
        let mut states: HashMap<StreamId, Sender> = HashMap::new();
        for event in services(ctx)?.engine.log.bare_streams(streams, false).await.map_err(log_error)? {
            if let Fact::Sender(fact) = &event.fact {
                states.entry(event.stream).or_default().evolve(fact);
            }
        }
        let state = |key: &str| states.get(&StreamId::of_key(AggregateKind::Sender, key));
        Ok(rows.iter().filter_map(|row| state(row.key.as_str())).map(Into::into).collect())
    }
}
