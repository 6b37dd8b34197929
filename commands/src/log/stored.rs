//! An event as a store keeps it, and how it is read: the same for every store.

use super::append::LogError;
use super::recorded::{Position, Sequence, StreamNo};
use super::sealing::{SealError, Sealer};
use domain::event::DecodeError;
use domain::{AggregateKind, Fact, StreamId};
use uuid::Uuid;

/// An event type as stored: a row of the log names it by a small number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct EventType {
    pub kind: u8,
    pub name: String,
    pub version: u16,
}

/// A row of the log with its stream's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub position: Position,
    pub number: StreamNo,
    pub sequence: Sequence,
    /// The stream's kind and id.
    pub kind: u8,
    pub id: [u8; 16],
    pub payload: &'a [u8],
    pub sealed: Option<&'a [u8]>,
}

impl Stored<'_> {
    /// Its stream and what happened. `of` is its type, if the dictionary has it; the personal part
    /// is opened where there is a sealer.
    pub(crate) fn read(&self, of: Option<&EventType>, sealer: Option<&Sealer>) -> Result<(StreamId, Fact), LogError> {
        let Some(of) = of else {
            return Err(self.poison("its type is not in the dictionary".to_owned()));
        };
        let Some(aggregate) = AggregateKind::from_number(self.kind) else {
            return Err(LogError::Newer { position: self.position, reason: format!("aggregate kind {} at position {}", of.kind, self.position) });
        };
        let stream = StreamId::new(aggregate, Uuid::from_bytes(self.id));
        let personal = match (self.sealed, sealer) {
            (Some(sealed), Some(sealer)) => sealer.open(stream, &of.name, sealed).map_err(|error| match error {
                SealError::Cipher => self.poison("its personal part cannot be opened".to_owned()),
                SealError::Keys(error) => LogError::Keys { reason: error.to_string() },
            })?,
            _ => None,
        };
        let fact = Fact::decode(aggregate, &of.name, of.version, self.payload, personal.as_deref()).map_err(|error| match error {
            DecodeError::Unknown { .. } => LogError::Newer { position: self.position, reason: error.to_string() },
            DecodeError::Malformed { .. } => self.poison(error.to_string()),
        })?;
        Ok((stream, fact))
    }

    pub(crate) fn poison(&self, reason: String) -> LogError {
        LogError::Poison { position: self.position, stream: self.number, reason }
    }
}

/// Whose key seals a personal part.
pub(crate) fn subject(sealed: &[u8]) -> Option<Uuid> {
    sealed.first_chunk::<16>().map(|subject| Uuid::from_bytes(*subject))
}
