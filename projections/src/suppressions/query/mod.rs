//! What administrators ask about the list; in the words of each store in [`sqlite`] and [`postgres`].

mod postgres;
mod sqlite;

use crate::store::{Projection, ReadError};
use commands::log::Position;
use domain::address::SuppressionReason;
use domain::values::{AddressId, Channel, Millis, RecipientId};
use std::sync::Arc;
use uuid::Uuid;

/// An address to which nothing goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressedRow {
    /// The address.
    pub address: AddressId,
    /// Why.
    pub reason: SuppressionReason,
    /// The provider's code or an operator's note.
    pub note: Option<String>,
    /// Since when (ms since the epoch).
    pub at: Millis,
    /// Of its event; the cursor.
    pub position: Position,
    /// Who has it now, and on which channel.
    pub holders: Vec<(RecipientId, Channel)>,
}

/// The columns of an address as both stores give them: address, reason, note, at, position.
type Columns = ([u8; 16], String, Option<String>, Millis, i64);

const UNREADABLE: ReadError = ReadError::Unreadable { model: super::NAME };

impl SuppressedRow {
    fn of((address, reason, note, at, position): Columns) -> Result<Self, ReadError> {
        Ok(Self {
            address: AddressId(Uuid::from_bytes(address)),
            reason: serde_json::from_value(serde_json::Value::String(reason)).map_err(|_| UNREADABLE)?,
            note,
            at,
            position: u64::try_from(position).unwrap_or(0),
            holders: Vec::new(),
        })
    }
}

fn holder(recipient: [u8; 16], channel: i64) -> Result<(RecipientId, Channel), ReadError> {
    let channel = u8::try_from(channel).ok().and_then(Channel::from_number).ok_or(UNREADABLE)?;
    Ok((RecipientId(Uuid::from_bytes(recipient)), channel))
}

/// Queries over the serving generation. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Suppressions {
    projection: Arc<Projection>,
}

impl Suppressions {
    /// Over the read model of this name.
    pub const fn new(projection: Arc<Projection>) -> Self {
        Self { projection }
    }

    /// The read model, for waiting until it has come far enough.
    pub const fn projection(&self) -> &Arc<Projection> {
        &self.projection
    }

    /// Addresses suppressed after a position, in that order; of one reason where one is given.
    pub async fn list(&self, reason: Option<SuppressionReason>, after: Position, first: usize) -> Result<Vec<SuppressedRow>, ReadError> {
        let reason = reason.and_then(|reason| serde_json::to_value(reason).ok()).and_then(|value| value.as_str().map(str::to_owned));
        let (after, first, copy) = (signed(after), signed(first as u64), reason.clone());
        self.projection
            .read(move |connection| sqlite::list(connection, reason.as_deref(), after, first), move |pool| postgres::list(pool, copy.clone(), after, first))
            .await
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
