//! An event of the log, and its commit, byte by byte.

use crate::log::recorded::{Position, Sequence};
use domain::StreamId;
use domain::values::Millis;
use std::sync::Arc;

/// One row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEvent {
    /// Its place in the log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamId,
    /// Its place in the stream.
    pub sequence: Sequence,
    /// Name of its type, of whatever version of bongsu.
    pub name: String,
    /// Version of its type.
    pub version: u16,
    /// What anybody may read: JSON, as it stands in the log.
    pub payload: String,
    /// Its personal part, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Together with what it was committed.
    pub commit: Arc<RawCommit>,
}

/// What is stored once for events that were committed together.
///
/// Its events became durable in one transaction: a copy that ends within one would hold a state
/// that never was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCommit {
    /// Of its first event.
    pub first: Position,
    /// Of its last event.
    pub last: Position,
    /// When (ms since the epoch).
    pub at: Millis,
    /// JSON, as it stands in the log.
    pub metadata: String,
}
