//! The ownership's events, state and decisions.

use crate::aggregate::Aggregate;
use crate::values::{AddressId, RecipientId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Belongs to this recipient from now on, and to nobody else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AddressBound {
    /// The address.
    pub address: AddressId,
    /// Its owner.
    pub recipient: RecipientId,
}

/// Belongs to nobody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AddressReleased {
    /// The address.
    pub address: AddressId,
}

crate::plain_bodies!(AddressBound, AddressReleased);
crate::events! {
    /// What can have happened to an address.
    AddressEvent of Address { AddressBound = 1, AddressReleased = 1 }
}

/// Who owns an address, as its events tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressOwnership {
    /// The owner.
    pub owner: Option<RecipientId>,
}

/// What can be asked of an address.
#[derive(Debug, Clone, Copy)]
pub enum AddressCommand {
    /// Bind it to a recipient.
    Bind {
        /// The address.
        address: AddressId,
        /// The new owner.
        recipient: RecipientId,
    },
    /// Release it, if it is this recipient's.
    Release {
        /// The address.
        address: AddressId,
        /// The owner that lets go.
        recipient: RecipientId,
    },
}

/// An address never says no; the type exists because every aggregate has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefusal {}

impl Aggregate for AddressOwnership {
    type Command = AddressCommand;
    type Event = AddressEvent;
    type Refusal = AddressRefusal;

    fn decide(&self, command: AddressCommand) -> Result<Vec<AddressEvent>, AddressRefusal> {
        Ok(match command {
            AddressCommand::Bind { address, recipient } if self.owner != Some(recipient) => {
                vec![AddressEvent::AddressBound(AddressBound { address, recipient })]
            }
            AddressCommand::Release { address, recipient } if self.owner == Some(recipient) => {
                vec![AddressEvent::AddressReleased(AddressReleased { address })]
            }
            _ => Vec::new(),
        })
    }

    fn evolve(&mut self, event: &AddressEvent) {
        self.owner = match event {
            AddressEvent::AddressBound(e) => Some(e.recipient),
            AddressEvent::AddressReleased(_) => None,
        };
    }
}
