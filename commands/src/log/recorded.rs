//! An event as it stands in the log, and the metadata it was committed with.

use crate::replicas::ReplicaNo;
use domain::values::Millis;
use domain::{Fact, StreamId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// Place in the log, from 1. Opaque and ordered outside the log.
pub type Position = u64;
/// Place in the stream, from 1; 0 stands for a stream that does not exist.
pub type Sequence = u64;
/// A stream's number, in order of arrival.
pub type StreamNo = u64;

/// Why and by whom a commit was made. Stored once for all events of the commit.
///
/// Where `correlation` is absent, the stream is its own correlation; where `cause` is absent,
/// the cause is the event before it in the stream, or the command itself for the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Who: `key:<id>`, `recipient`, `operator`, or a process of ours such as `delivery`.
    pub actor: String,
    /// Identifies the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Uuid>,
    /// Position of the event that caused it, where it is in another stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Position>,
    /// What belongs together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// Which replica an attempt was made by, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica: Option<ReplicaNo>,
    /// W3C `traceparent` of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

impl Metadata {
    /// Metadata of a process of ours.
    pub fn of(actor: &str) -> Self {
        Self { actor: actor.to_owned(), ..Self::default() }
    }
}

/// An event in the log.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its place in the log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamId,
    /// Its stream's number.
    pub number: StreamNo,
    /// Its place in the stream.
    pub sequence: Sequence,
    /// When it was committed (ms since the epoch).
    pub at: Millis,
    /// The event.
    pub fact: Fact,
    /// Of its commit.
    pub metadata: Arc<Metadata>,
}

/// An event without what its commit says: who only wants the fact need not read the commit.
#[derive(Debug, Clone)]
pub struct Bare {
    /// Its place in the log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamId,
    /// Its place in the stream.
    pub sequence: Sequence,
    /// The event.
    pub fact: Fact,
}

impl From<Arc<Recorded>> for Bare {
    fn from(event: Arc<Recorded>) -> Self {
        let (position, stream, sequence) = (event.position, event.stream, event.sequence);
        let fact = Arc::try_unwrap(event).map_or_else(|shared| shared.fact.clone(), |owned| owned.fact);
        Self { position, stream, sequence, fact }
    }
}
