//! The calls that the mirror makes, each with a time limit.
//!
//! A client that has once failed to connect answers nothing more, so a connection is given up after
//! the first error that may be of the network, and a new one made.

use super::error::MirrorError;
use super::format::{self, Mirrored};
use super::target::Target;
use commands::ports::Clock;
use eventstore::{
    AppendToStreamOptions, Client, EventData, Position as Place, ReadAllOptions, ReadStream, ReadStreamOptions, RecordedEvent, StreamPosition, StreamState,
};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// Time for one call or one event of an answer. The server lets a repeat wait that is not yet
/// replicated, until the client gives up and asks again.
const WITHIN: Duration = Duration::from_secs(30);

/// What became of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// It is there, now or since an earlier attempt.
    Yes,
    /// The stream is elsewhere than was expected.
    WrongExpectedVersion,
}

/// See the module.
pub(super) struct Connection {
    client: Client,
    target: Target,
    clock: Arc<dyn Clock>,
}

impl Connection {
    /// Nothing is sent yet.
    pub(super) fn open(target: &Target, clock: &Arc<dyn Clock>) -> Result<Self, MirrorError> {
        let client = Client::new(target.settings().clone()).map_err(|error| MirrorError::Unreachable { reason: error.to_string() })?;
        Ok(Self { client, target: target.clone(), clock: Arc::clone(clock) })
    }

    /// Appends to a stream whose newest revision is the one before `revision`.
    pub(super) async fn append(&self, stream: &str, revision: u64, events: Vec<EventData>) -> Result<Stored, MirrorError> {
        let expected = revision.checked_sub(1).map_or(StreamState::NoStream, StreamState::StreamRevision);
        let options = AppendToStreamOptions::default().stream_state(expected);
        match self.within(self.client.append_to_stream(stream, &options, events)).await? {
            Ok(_) => Ok(Stored::Yes),
            Err(eventstore::Error::WrongExpectedVersion { .. }) => Ok(Stored::WrongExpectedVersion),
            Err(error) => Err(error.into()),
        }
    }

    /// At most so many events of a stream from a revision on; none where there is no such stream.
    pub(super) async fn stream(&self, stream: &str, from: u64, most: usize) -> Result<Vec<RecordedEvent>, MirrorError> {
        let options = ReadStreamOptions::default().forwards().position(StreamPosition::Position(from)).max_count(most);
        let mut read = self.within(self.client.read_stream(stream, &options)).await??;
        let mut found = Vec::new();
        loop {
            match self.within(read.next()).await? {
                Ok(Some(event)) => found.extend(event.event),
                Ok(None) | Err(eventstore::Error::ResourceNotFound) => return Ok(found),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The newest of our events.
    pub(super) async fn last(&self) -> Result<Option<Mirrored>, MirrorError> {
        let options = ReadAllOptions::default().backwards().position(StreamPosition::End).filter(self.target.filter()).max_count(1);
        let mut read = All { read: self.within(self.client.read_all(&options)).await??, connection: self };
        read.next().await.map(|found| found.map(|(event, _)| event))
    }

    /// All our events in the order of `$all`, from a place on.
    pub(super) async fn all(&self, from: Option<Place>) -> Result<All<'_>, MirrorError> {
        let position = from.map_or(StreamPosition::Start, StreamPosition::Position);
        let options = ReadAllOptions::default().forwards().position(position).filter(self.target.filter());
        Ok(All { read: self.within(self.client.read_all(&options)).await??, connection: self })
    }

    async fn within<T>(&self, call: impl Future<Output = T>) -> Result<T, MirrorError> {
        tokio::select! {
            answer = call => Ok(answer),
            () = self.clock.sleep(WITHIN) => Err(MirrorError::Unreachable { reason: format!("no answer within {} s", WITHIN.as_secs()) }),
        }
    }
}

/// Events of `$all` being read.
pub(super) struct All<'a> {
    read: ReadStream,
    connection: &'a Connection,
}

impl All<'_> {
    /// The next one and its place in `$all`.
    pub(super) async fn next(&mut self) -> Result<Option<(Mirrored, Place)>, MirrorError> {
        loop {
            let Some(found) = self.connection.within(self.read.next()).await?? else { return Ok(None) };
            if let Some(event) = found.event {
                let mirrored = format::read_back(&self.connection.target, &event).map_err(|reason| foreign(&event, reason))?;
                return Ok(Some((mirrored, event.position)));
            }
        }
    }
}

/// An event that is not ours.
pub(super) fn foreign(event: &RecordedEvent, reason: String) -> MirrorError {
    MirrorError::Foreign { stream: event.stream_id().to_owned(), revision: event.revision, reason }
}

/// The newest event of the mirror, where the log has another at its position.
pub(super) fn foreign_last(target: &Target, event: &commands::log::raw::RawEvent) -> MirrorError {
    MirrorError::Foreign {
        stream: format::stream_name(target, event.stream),
        revision: event.sequence.saturating_sub(1),
        reason: format!("is of position {}, where the log has another event", event.position),
    }
}
