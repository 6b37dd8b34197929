//! The suppression list: addresses to which nothing goes, whoever asks, until an administrator says so.

use crate::accept::address_stream;
use crate::bus::{Bus, Done, Refused};
use crate::log::Metadata;
use domain::address::{AddressCommand, AddressOwnership, AddressRefusal, ReplyWord, SuppressionReason};
use domain::values::AddressId;
use std::sync::Arc;

/// Lets nothing go to an address any more. `note` is a provider's code or an operator's words, not
/// personal. Changes nothing where it is suppressed already: the first reason stays.
pub async fn suppress(
    bus: &Bus,
    metadata: &Arc<Metadata>,
    address: AddressId,
    reason: SuppressionReason,
    note: Option<String>,
) -> Result<Done<AddressOwnership>, Refused<AddressRefusal>> {
    bus.execute(address_stream(address), metadata, AddressCommand::Suppress { address, reason, note }).await
}

/// Lets notifications go to an address again, for a reason in an administrator's words. Changes nothing
/// where it is not suppressed.
pub async fn reinstate(bus: &Bus, metadata: &Arc<Metadata>, address: AddressId, reason: String) -> Result<Done<AddressOwnership>, Refused<AddressRefusal>> {
    bus.execute(address_stream(address), metadata, AddressCommand::Reinstate { address, reason }).await
}

/// Does as somebody at an address answered. `id` is the provider's for the answer: it counts once.
pub async fn hear(
    bus: &Bus,
    metadata: &Arc<Metadata>,
    address: AddressId,
    word: ReplyWord,
    id: String,
) -> Result<Done<AddressOwnership>, Refused<AddressRefusal>> {
    bus.execute(address_stream(address), metadata, AddressCommand::Hear { address, word, id }).await
}
