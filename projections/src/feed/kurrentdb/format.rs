//! How an event of the log looks in the mirror.
//!
//! | There | Is |
//! | --- | --- |
//! | stream | `<prefix>.<kind>-<id>`, so that KurrentDB's categories are kinds of aggregate |
//! | revision | sequence - 1 |
//! | event id | version 5, of everything that the event consists of |
//! | type | the event's name |
//! | data | the payload, as it stands in the log |
//! | metadata | the [`Envelope`] |
//!
//! Everything of the log's tables is in it, byte by byte: `tests.rs` rebuilds and compares them.

use super::target::Target;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use commands::log::raw::{RawCommit, RawEvent};
use commands::log::{Metadata, Position, Sequence};
use domain::values::Millis;
use domain::{AggregateKind, StreamId};
use eventstore::{EventData, RecordedEvent};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use uuid::Uuid;

/// Of our ids of events: version 5 of `bongsu/kurrentdb/1` under the URL namespace.
const NAMESPACE: Uuid = Uuid::from_u128(0xbd5a_f40b_ea00_557a_ba04_ed91_fde3_05f2);

/// Metadata of an event in the mirror. `$correlationId` and `$causationId` are names that the
/// server's own projections know.
#[derive(Debug, Serialize, Deserialize)]
pub struct Envelope {
    /// What belongs together: of the commit, or else the stream itself.
    #[serde(rename = "$correlationId")]
    pub correlation: String,
    /// Id of the event that caused it; where it is absent, the cause is the event before it in the
    /// stream, or the command itself for the first.
    #[serde(rename = "$causationId", default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<Uuid>,
    /// Its place in the log.
    pub position: Position,
    /// Its place in the stream, from 1.
    pub sequence: Sequence,
    /// Version of its type.
    pub version: u16,
    /// When it was committed (ms since the epoch).
    pub at: Millis,
    /// Positions of the first and last event that were committed with it.
    pub commit: (Position, Position),
    /// Of its commit, as it stands in the log: actor, command, cause, trace.
    pub metadata: Box<RawValue>,
    /// Its personal part in base64, sealed as in the log. The key is not in the mirror.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
    /// Everything up to this position was in the mirror before this event.
    pub through: Position,
}

/// An event read back.
#[derive(Debug, Clone)]
pub struct Mirrored {
    /// As it stood in the log.
    pub event: RawEvent,
    /// Everything up to this position was in the mirror before it.
    pub through: Position,
}

/// The name of a stream.
pub fn stream_name(target: &Target, stream: StreamId) -> String {
    format!("{}.{}-{}", target.prefix(), stream.kind.name(), stream.id)
}

/// The id of an event.
pub fn event_id(event: &RawEvent) -> Uuid {
    let (kind, id) = (event.stream.kind.number(), event.stream.id);
    let mut whole = Vec::with_capacity(200 + event.payload.len() + event.sealed.as_ref().map_or(0, Vec::len) + event.commit.metadata.len());
    for number in [event.position, event.sequence, event.commit.first, event.commit.last] {
        whole.extend_from_slice(&number.to_be_bytes());
    }
    whole.extend_from_slice(&event.commit.at.to_be_bytes());
    whole.push(kind);
    whole.extend_from_slice(id.as_bytes());
    whole.extend_from_slice(&event.version.to_be_bytes());
    whole.push(u8::from(event.sealed.is_some()));
    // Preceded by their lengths, so that parts cannot run into each other.
    for part in [event.name.as_bytes(), event.payload.as_bytes(), event.sealed.as_deref().unwrap_or_default(), event.commit.metadata.as_bytes()] {
        whole.extend_from_slice(&(part.len() as u64).to_be_bytes());
        whole.extend_from_slice(part);
    }
    Uuid::new_v5(&NAMESPACE, &whole)
}

/// The position of the event that caused it, where its commit names one.
pub fn cause(event: &RawEvent) -> Option<Position> {
    serde_json::from_str::<Metadata>(&event.commit.metadata).ok()?.cause
}

/// An event as it is appended. The error says why it cannot be.
pub fn appended(event: &RawEvent, causation: Option<Uuid>, through: Position) -> Result<EventData, String> {
    let metadata = verbatim(&event.commit.metadata).ok_or_else(|| format!("the metadata of its commit are not JSON: {:?}", event.commit.metadata))?;
    let correlation = serde_json::from_str::<Metadata>(&event.commit.metadata).ok().and_then(|metadata| metadata.correlation);
    let envelope = Envelope {
        correlation: correlation.unwrap_or_else(|| event.stream.to_string()),
        causation,
        position: event.position,
        sequence: event.sequence,
        version: event.version,
        at: event.commit.at,
        commit: (event.commit.first, event.commit.last),
        metadata,
        sealed: event.sealed.as_deref().map(|sealed| STANDARD.encode(sealed)),
        through,
    };
    let payload = verbatim(&event.payload).ok_or("its payload is not JSON")?;
    let unwritten = |error: serde_json::Error| error.to_string();
    EventData::json(&event.name, &payload).and_then(|data| data.id(event_id(event)).metadata_as_json(&envelope)).map_err(unwritten)
}

/// An event as it stood in the log. The error says what is wrong with it.
pub fn read_back(target: &Target, recorded: &RecordedEvent) -> Result<Mirrored, String> {
    let envelope: Envelope =
        serde_json::from_slice(&recorded.custom_metadata).map_err(|error| format!("has metadata that this log does not write ({error})"))?;
    let stream = stream_of(target, recorded.stream_id()).ok_or("is in a stream of a kind that this build does not know")?;
    let sealed = envelope.sealed.map(|text| STANDARD.decode(text)).transpose().map_err(|error| format!("has a damaged sealed part ({error})"))?;
    let payload = String::from_utf8(recorded.data.to_vec()).map_err(|error| format!("has a damaged payload ({error})"))?;
    let event = RawEvent {
        position: envelope.position,
        stream,
        sequence: envelope.sequence,
        name: recorded.event_type.clone(),
        version: envelope.version,
        payload,
        sealed,
        commit: Arc::new(RawCommit {
            first: envelope.commit.0,
            last: envelope.commit.1,
            at: envelope.at,
            metadata: Box::<str>::from(envelope.metadata).into_string(),
        }),
    };
    if event.sequence != recorded.revision + 1 {
        return Err(format!("is of revision {} and says that it is event {} of its stream", recorded.revision, event.sequence));
    }
    if recorded.id != event_id(&event) {
        return Err(format!("has the id {}, which is not that of its content", recorded.id));
    }
    Ok(Mirrored { event, through: envelope.through })
}

fn stream_of(target: &Target, name: &str) -> Option<StreamId> {
    let (kind, id) = name.strip_prefix(target.prefix())?.strip_prefix('.')?.split_once('-')?;
    let kind = AggregateKind::ALL.iter().copied().find(|known| known.name() == kind)?;
    Some(StreamId::new(kind, Uuid::parse_str(id).ok()?))
}

/// JSON that is written as it is; none where it would not come out byte by byte.
fn verbatim(text: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(text.to_owned()).ok().filter(|value| value.get().len() == text.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{NAMESPACE, appended, event_id, stream_name, stream_of};
    use crate::feed::kurrentdb::Target;
    use commands::log::raw::{RawCommit, RawEvent};
    use domain::{AggregateKind, StreamId};
    use std::sync::Arc;
    use uuid::Uuid;

    fn event() -> RawEvent {
        RawEvent {
            position: 3,
            stream: StreamId::new(AggregateKind::Recipient, Uuid::from_u128(7)),
            sequence: 2,
            name: "ProfileChanged".to_owned(),
            version: 1,
            payload: r#"{"a": 1}"#.to_owned(),
            sealed: Some(vec![1, 2, 3]),
            commit: Arc::new(RawCommit { first: 2, last: 4, at: 1_000, metadata: r#"{"actor":"x"}"#.to_owned() }),
        }
    }

    fn with_commit(change: impl FnOnce(&mut RawCommit)) -> RawEvent {
        let mut commit = event().commit.as_ref().clone();
        change(&mut commit);
        RawEvent { commit: Arc::new(commit), ..event() }
    }

    #[test]
    fn ids_stay_what_they_are() {
        assert_eq!(NAMESPACE, Uuid::new_v5(&Uuid::NAMESPACE_URL, b"bongsu/kurrentdb/1"));
        // Another one would make every mirror there is a foreign one.
        assert_eq!(event_id(&event()).to_string(), "8acc0c2d-c737-5b26-ad42-004c576bbaad");
    }

    #[test]
    fn whatever_differs_gives_another_id() {
        let all = [
            event(),
            RawEvent { position: 4, ..event() },
            RawEvent { stream: StreamId::new(AggregateKind::Recipient, Uuid::from_u128(8)), ..event() },
            RawEvent { stream: StreamId::new(AggregateKind::Subscription, Uuid::from_u128(7)), ..event() },
            RawEvent { sequence: 3, ..event() },
            RawEvent { name: "ProfileChange".to_owned(), ..event() },
            RawEvent { version: 2, ..event() },
            RawEvent { payload: r#"{"a":1}"#.to_owned(), ..event() },
            RawEvent { sealed: None, ..event() },
            RawEvent { sealed: Some(Vec::new()), ..event() },
            with_commit(|commit| commit.first = 1),
            with_commit(|commit| commit.last = 3),
            with_commit(|commit| commit.at = 1_001),
            with_commit(|commit| commit.metadata = "{}".to_owned()),
        ];
        let mut ids: Vec<Uuid> = all.iter().map(event_id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all.len());
    }

    #[test]
    fn names_of_streams_can_be_read_back_and_others_cannot() {
        let target = Target::new("esdb://host", "my.log").unwrap();
        for kind in AggregateKind::ALL {
            let stream = StreamId::new(*kind, Uuid::from_u128(7));
            assert_eq!(stream_of(&target, &stream_name(&target, stream)), Some(stream));
        }
        for name in [
            "my.log.recipient",
            "my.log.nobody-00000000-0000-0000-0000-000000000007",
            "other.recipient-00000000-0000-0000-0000-000000000007",
            "my.logrecipient-x",
        ] {
            assert_eq!(stream_of(&target, name), None, "{name}");
        }
    }

    #[test]
    fn what_would_not_come_out_byte_by_byte_is_refused() {
        for broken in ["", "{", " {}", "{} "] {
            assert!(appended(&RawEvent { payload: broken.to_owned(), ..event() }, None, 0).is_err(), "{broken:?}");
            assert!(appended(&with_commit(|commit| commit.metadata = broken.to_owned()), None, 0).is_err(), "{broken:?}");
        }
        assert!(appended(&event(), None, 0).is_ok(), "white space within it is kept");
    }
}
