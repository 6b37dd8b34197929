//! Events to rows. Who has an address is kept for all of them, since it may be suppressed later.

use commands::consumer::{Changes, Consumer, HandleError, Sql};
use commands::log::Recorded;
use domain::Fact;
use domain::address::AddressEvent;
use domain::recipient::RecipientEvent;
use domain::values::{AddressId, Channel, RecipientId};
use std::sync::Arc;

static SUPPRESS: Sql = Sql {
    text: "INSERT INTO suppressed (address, reason, note, at, position) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (address) DO UPDATE SET reason = excluded.reason, note = excluded.note, at = excluded.at, position = excluded.position",
    types: "bttii",
    key: 1,
};
static REINSTATE: Sql = Sql { text: "DELETE FROM suppressed WHERE address = ?1", types: "b", key: 1 };
// A recipient's addresses are one row to the order of changes: all of them go at once.
static HOLD: Sql = Sql {
    text: "INSERT INTO holders (recipient, address, channel) VALUES (?1, ?2, ?3) ON CONFLICT (address, recipient) DO UPDATE SET channel = excluded.channel",
    types: "bbi",
    key: 1,
};
static LET_GO: Sql = Sql { text: "DELETE FROM holders WHERE recipient = ?1 AND address = ?2", types: "bb", key: 1 };
static FORGET: Sql = Sql { text: "DELETE FROM holders WHERE recipient = ?1", types: "b", key: 1 };

/// The consumer; see the module.
#[derive(Debug, Default, Clone, Copy)]
pub struct SuppressionsProjection;

impl Consumer for SuppressionsProjection {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn handle(&mut self, events: &[Arc<Recorded>], changes: &mut Changes) -> Result<(), HandleError> {
        for event in events {
            match &event.fact {
                Fact::Address(AddressEvent::AddressSuppressed(e)) => {
                    let reason = serde_json::to_value(e.reason).map_err(|error| HandleError { reason: error.to_string() })?;
                    let reason = reason.as_str().unwrap_or_default();
                    changes.push(&SUPPRESS, vec![e.address.0.into(), reason.into(), e.note.clone().into(), event.at.into(), event.position.into()]);
                }
                Fact::Address(AddressEvent::AddressReinstated(e)) => changes.push(&REINSTATE, vec![e.address.0.into()]),
                Fact::Recipient(fact) => of_recipient(RecipientId(event.stream.id), fact, changes),
                _ => {}
            }
        }
        Ok(())
    }
}

fn of_recipient(recipient: RecipientId, fact: &RecipientEvent, changes: &mut Changes) {
    let hold = |changes: &mut Changes, address: AddressId, channel: Channel| {
        changes.push(&HOLD, vec![recipient.0.into(), address.0.into(), channel.number().into()]);
    };
    let let_go = |changes: &mut Changes, address: AddressId| changes.push(&LET_GO, vec![recipient.0.into(), address.0.into()]);
    match fact {
        RecipientEvent::AddressChanged(e) => hold(changes, e.address, e.channel),
        RecipientEvent::DeviceRegistered(e) => hold(changes, e.address, e.channel),
        RecipientEvent::AddressRemoved(e) => let_go(changes, e.address),
        RecipientEvent::DeviceRemoved(e) => let_go(changes, e.address),
        RecipientEvent::Erased(_) => changes.push(&FORGET, vec![recipient.0.into()]),
        RecipientEvent::ProfileChanged(_) => {}
    }
}
