//! Putting addresses on the list, and taking them off with a reason.

use crate::graphql::context::{administrator, metadata, services};
use crate::graphql::error::bus_error;
use crate::graphql::names::Channel;
use crate::graphql::position::Position;
use crate::graphql::problem::Refused;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject, Union};
use commands::accept::recipient_stream;
use commands::addresses;
use commands::bus::Refused as BusRefused;
use domain::address::{AddressRefusal, SuppressionReason};
use domain::recipient::Recipient;
use domain::values::{self, AddressId};

/// Which addresses: one by its text, all of a recipient on a channel, or one by its id.
#[derive(InputObject)]
pub struct AddressInput {
    /// The id of an address, as the list and recipients show it; leave the rest out with it.
    id: Option<ID>,
    /// The channel; with `address` or `recipient`.
    channel: Option<Channel>,
    /// The e-mail address, device token or URL itself.
    address: Option<String>,
    /// Your id of the recipient: all its addresses on the channel.
    recipient: Option<String>,
}

/// What is to get nothing any more.
#[derive(InputObject)]
pub struct SuppressAddressInput {
    /// Which.
    of: AddressInput,
    /// Why, in words that are nothing personal; at most 500 characters.
    note: Option<String>,
}

/// What is to get notifications again.
#[derive(InputObject)]
pub struct ReinstateAddressInput {
    /// Which.
    of: AddressInput,
    /// Why: 1 to 500 characters, nothing personal.
    reason: String,
}

/// Done.
#[derive(SimpleObject)]
pub struct AddressesChanged {
    /// Ids of the addresses that are so now.
    addresses: Vec<ID>,
    /// How many of them were not so before.
    changed: i32,
    /// From here on queries show it.
    position: Position,
}

/// Done, or refused with a reason.
#[derive(Union)]
pub enum AddressResult {
    /// Done.
    Changed(AddressesChanged),
    /// Nothing was changed.
    Refused(Refused),
}

fn refused(refusal: AddressRefusal) -> Refused {
    let (field, code) = match refusal {
        AddressRefusal::Reason => ("reason", "REASON_INVALID"),
        AddressRefusal::Note => ("note", "NOTE_INVALID"),
    };
    Refused::at(field, code, refusal.to_string())
}

async fn meant(ctx: &Context<'_>, input: &AddressInput) -> Result<Result<Vec<AddressId>, Refused>> {
    let engine = &services(ctx)?.engine;
    Ok(match (&input.id, input.channel, &input.address, &input.recipient) {
        (Some(id), None, None, None) => id.parse().map(|id| vec![id]).map_err(|_| Refused::at("of.id", "NOT_FOUND", "This is not the id of an address.")),
        (None, Some(channel), Some(address), None) => Ok(vec![engine.hashing.address(channel.into(), address.trim())]),
        (None, Some(channel), None, Some(recipient)) => {
            let id = engine.hashing.recipient(recipient);
            let loaded = engine.bus.load::<Recipient>(recipient_stream(id)).await.map_err(bus_error)?;
            let channel: values::Channel = channel.into();
            let found: Vec<AddressId> = loaded.state.addresses_on(channel).map(|address| address.id).collect();
            if found.is_empty() {
                return Ok(Err(Refused::at("of.recipient", "NOT_FOUND", "There is no such recipient, or it has no address on this channel.")));
            }
            Ok(found)
        }
        _ => Err(Refused::at("of", "ADDRESS_AMBIGUOUS", "Give `id`, or `channel` with `address`, or `channel` with `recipient`.")),
    })
}

/// Mutations on the list.
#[derive(Default)]
pub struct AddressMutation;

#[Object]
impl AddressMutation {
    /// Lets nothing go to an address any more, whoever asks and whoever has it. Where it is on the list
    /// already, the first reason stays.
    async fn suppress_address(&self, ctx: &Context<'_>, input: SuppressAddressInput) -> Result<AddressResult> {
        administrator(ctx)?;
        let addresses = match meant(ctx, &input.of).await? {
            Ok(addresses) => addresses,
            Err(refused) => return Ok(AddressResult::Refused(refused)),
        };
        let (engine, metadata) = (&services(ctx)?.engine, metadata(ctx)?);
        let mut answer = AddressesChanged { addresses: Vec::new(), changed: 0, position: Position(0) };
        for address in addresses {
            match addresses::suppress(&engine.bus, &metadata, address, SuppressionReason::Manual, input.note.clone()).await {
                Ok(done) => answer.take(address, &done),
                Err(BusRefused::Refusal(refusal)) => return Ok(AddressResult::Refused(refused(refusal))),
                Err(error) => return Err(bus_error(error)),
            }
        }
        Ok(AddressResult::Changed(answer))
    }

    /// Lets notifications go to an address again.
    async fn reinstate_address(&self, ctx: &Context<'_>, input: ReinstateAddressInput) -> Result<AddressResult> {
        administrator(ctx)?;
        let addresses = match meant(ctx, &input.of).await? {
            Ok(addresses) => addresses,
            Err(refused) => return Ok(AddressResult::Refused(refused)),
        };
        let (engine, metadata) = (&services(ctx)?.engine, metadata(ctx)?);
        let mut answer = AddressesChanged { addresses: Vec::new(), changed: 0, position: Position(0) };
        for address in addresses {
            match addresses::reinstate(&engine.bus, &metadata, address, input.reason.clone()).await {
                Ok(done) => answer.take(address, &done),
                Err(BusRefused::Refusal(refusal)) => return Ok(AddressResult::Refused(refused(refusal))),
                Err(error) => return Err(bus_error(error)),
            }
        }
        Ok(AddressResult::Changed(answer))
    }
}

impl AddressesChanged {
    fn take<A>(&mut self, address: AddressId, done: &commands::bus::Done<A>) {
        self.addresses.push(ID(address.to_string()));
        self.changed += i32::from(!done.recorded.is_empty());
        self.position = self.position.max(Position(done.position));
    }
}
