//! Copying one page: streams side by side, events of a stream in their order.

use super::connection::{Connection, Stored, foreign};
use super::error::MirrorError;
use super::format;
use super::target::Target;
use commands::log::Position;
use commands::log::raw::{RawEvent, RawReader};
use eventstore::EventData;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::HashMap;
use uuid::Uuid;

/// Streams that are appended to at once.
const SIDE_BY_SIDE: usize = 32;
/// Bytes of one append; the server takes 1 MiB unless it is configured otherwise. An event that is
/// larger by itself goes alone.
const APPEND_BYTES: usize = 512 << 10;

/// Events of a page for one stream.
struct Part {
    stream: String,
    /// Of the first.
    revision: u64,
    events: Vec<Prepared>,
}

struct Prepared {
    id: Uuid,
    bytes: usize,
    data: EventData,
}

/// Stores a page, whose events follow position `through`. When it is done everything up to the
/// page's end is in the mirror; after an error some of it may be.
pub(super) async fn page(connection: &Connection, target: &Target, log: &dyn RawReader, events: &[RawEvent], through: Position) -> Result<(), MirrorError> {
    let parts = parts(target, log, events, through).await?;
    stream::iter(parts).map(|part| append(connection, part)).buffer_unordered(SIDE_BY_SIDE).try_collect::<()>().await
}

async fn parts(target: &Target, log: &dyn RawReader, events: &[RawEvent], through: Position) -> Result<Vec<Part>, MirrorError> {
    let mut ids: HashMap<Position, Uuid> = events.iter().map(|event| (event.position, format::event_id(event))).collect();
    let mut parts: Vec<Part> = Vec::new();
    let mut places = HashMap::new();
    for event in events {
        let causation = match format::cause(event) {
            Some(cause) => Some(id_of(log, cause, &mut ids).await?).flatten(),
            None => None,
        };
        let unfit = |reason| MirrorError::Unfit { position: event.position, reason };
        let data = format::appended(event, causation, through).map_err(unfit)?;
        let bytes = event.payload.len() + event.commit.metadata.len() + event.sealed.as_ref().map_or(0, |sealed| sealed.len().div_ceil(3) * 4) + 400;
        let place = *places.entry(event.stream).or_insert_with(|| {
            parts.push(Part { stream: format::stream_name(target, event.stream), revision: event.sequence.saturating_sub(1), events: Vec::new() });
            parts.len() - 1
        });
        parts[place].events.push(Prepared { id: format::event_id(event), bytes, data });
    }
    Ok(parts)
}

/// The id of the event at a position.
async fn id_of(log: &dyn RawReader, position: Position, ids: &mut HashMap<Position, Uuid>) -> Result<Option<Uuid>, MirrorError> {
    if let Some(id) = ids.get(&position) {
        return Ok(Some(*id));
    }
    let found = log.read_raw(position.saturating_sub(1), 1).await?;
    let id = found.first().filter(|event| event.position == position).map(format::event_id);
    if let Some(id) = id {
        ids.insert(position, id);
    }
    Ok(id)
}

/// Appends a stream's events, a few at a time.
async fn append(connection: &Connection, part: Part) -> Result<(), MirrorError> {
    let mut revision = part.revision;
    let mut waiting = part.events.into_iter().peekable();
    while waiting.peek().is_some() {
        let (mut chunk, mut bytes) = (Vec::new(), 0);
        while let Some(event) = waiting.next_if(|event| chunk.is_empty() || bytes + event.bytes <= APPEND_BYTES) {
            bytes += event.bytes;
            chunk.push(event);
        }
        let stored = chunk.len() as u64;
        chunk_of(connection, &part.stream, revision, chunk).await?;
        revision += stored;
    }
    Ok(())
}

/// Appends events that belong at a revision, or as many of them as are not there yet.
async fn chunk_of(connection: &Connection, stream: &str, revision: u64, chunk: Vec<Prepared>) -> Result<(), MirrorError> {
    let data = |events: &[Prepared]| events.iter().map(|event| event.data.clone()).collect();
    if connection.append(stream, revision, data(&chunk)).await? == Stored::Yes {
        return Ok(());
    }
    // Some are there, from an attempt that ended elsewhere, or others are, or some before are not.
    // The ids tell.
    let there = connection.stream(stream, revision, chunk.len()).await?;
    for (found, expected) in there.iter().zip(&chunk) {
        if found.id != expected.id {
            return Err(foreign(found, format!("has the id {}, where {} belongs", found.id, expected.id)));
        }
    }
    let missing = &chunk[there.len().min(chunk.len())..];
    if missing.is_empty() {
        return Ok(());
    }
    let next = revision + there.len() as u64;
    match connection.append(stream, next, data(missing)).await? {
        Stored::Yes => Ok(()),
        // Nobody else appends, so it did not move on meanwhile.
        Stored::WrongExpectedVersion => Err(MirrorError::Gone { stream: stream.to_owned(), revision: next }),
    }
}
