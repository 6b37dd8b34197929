//! What a transaction will write: decided in memory, while the head is held, from streams that
//! were looked up before. Pure, so that nothing is written before everything is checked, and one
//! commit that loses leaves no trace in the others' transaction.

use super::types::{TypeKey, key};
use super::{signed, unsigned};
use crate::failpoint;
use crate::log::append::{Commit, CommitOutcome, LogError, Losers, StreamAppend};
use crate::log::recorded::{Metadata, Position, Recorded, Sequence, StreamNo};
use crate::log::sealing::Sealer;
use crate::recent::Recent;
use domain::notification::NotificationEvent;
use domain::values::Millis;
use domain::{AggregateKind, Fact, StreamId};
use std::collections::HashMap;
use std::sync::Arc;

/// Streams whose number and sequence are kept in memory.
const KEPT_STREAMS: usize = 100_000;

/// What is known of streams as of a position; exact, because this replica has read every event up
/// to there.
#[derive(Debug)]
pub(super) struct Streams {
    /// 0 for a stream that is known not to exist.
    numbers: Recent<StreamId, StreamNo>,
    sequences: Recent<StreamNo, Sequence>,
}

impl Default for Streams {
    fn default() -> Self {
        Self { numbers: Recent::new(KEPT_STREAMS), sequences: Recent::new(KEPT_STREAMS) }
    }
}

impl Streams {
    pub(super) fn number(&mut self, stream: StreamId) -> Option<StreamNo> {
        self.numbers.get(&stream).copied()
    }

    pub(super) fn sequence(&mut self, number: StreamNo) -> Option<Sequence> {
        if number == 0 { Some(0) } else { self.sequences.get(&number).copied() }
    }

    /// It is so now: it was read, or committed.
    pub(super) fn learn(&mut self, stream: Option<StreamId>, number: StreamNo, sequence: Sequence) {
        if let Some(stream) = stream {
            self.numbers.insert(stream, number);
        }
        if number != 0 {
            self.sequences.insert(number, sequence);
        }
    }

    /// Another replica has appended to it, which was not told whole.
    pub(super) fn moved_unseen(&mut self, number: StreamNo, sequence: Sequence) {
        if let Some(known) = self.sequences.get(&number) {
            *known = sequence.max(*known);
        }
    }

    /// A notification was not there, and others may open it without this process being told.
    pub(super) fn forget_absent(&mut self, stream: StreamId) {
        if stream.kind == AggregateKind::Notification && self.number(stream) == Some(0) {
            self.numbers.remove(&stream);
        }
    }

    /// Another replica has appended to it: it exists, and is as long as this.
    pub(super) fn moved(&mut self, stream: Option<StreamId>, number: StreamNo, sequence: Sequence) {
        if let Some(stream) = stream
            && self.numbers.get(&stream).is_some()
        {
            self.numbers.insert(stream, number);
        }
        if self.sequences.get(&number).is_some() || sequence == 1 {
            self.sequences.insert(number, sequence);
        }
    }
}

/// An event in the form in which it is stored.
struct Encoded {
    of: TypeKey,
    version: u16,
    payload: String,
    sealed: Option<Vec<u8>>,
}

/// A commit whose events are encoded and sealed, which needs keys and takes time: done before the
/// head is taken.
pub(super) struct Prepared {
    commit: Commit,
    encoded: Vec<Vec<Encoded>>,
}

impl Prepared {
    pub(super) fn new(commit: Commit, sealer: &Sealer) -> Result<Self, LogError> {
        let mut scratch = Vec::new();
        let encode = |append: &StreamAppend| append.events.iter().map(|fact| Encoded::new(append.stream, fact, sealer, &mut scratch)).collect();
        let encoded = commit.appends.iter().map(encode).collect::<Result<_, _>>()?;
        Ok(Self { commit, encoded })
    }

    pub(super) const fn commit(&self) -> &Commit {
        &self.commit
    }
}

impl Encoded {
    fn new(stream: StreamId, fact: &domain::Fact, sealer: &Sealer, scratch: &mut Vec<u8>) -> Result<Self, LogError> {
        let mut payload = Vec::new();
        fact.body().encode(&mut payload);
        let payload = String::from_utf8(payload).map_err(|error| LogError::Unavailable { reason: error.to_string() })?;
        let sealed = sealer.seal(stream, fact, scratch).map_err(|error| LogError::Keys { reason: error.to_string() })?;
        Ok(Self { of: key(fact), version: fact.body().version(), payload, sealed })
    }
}

/// Columns of new rows of `streams`.
#[derive(Debug, Default)]
pub(super) struct NewStreams {
    pub numbers: Vec<i64>,
    pub kinds: Vec<i16>,
    pub ids: Vec<String>,
}

/// Columns of new rows of `commits`.
#[derive(Debug, Default)]
pub(super) struct NewCommits {
    pub positions: Vec<i64>,
    pub metadata: Vec<String>,
}

/// Columns of new rows of `events`.
#[derive(Debug, Default)]
pub(super) struct NewEvents {
    pub positions: Vec<i64>,
    pub streams: Vec<i64>,
    pub sequences: Vec<i64>,
    pub types: Vec<(TypeKey, u16)>,
    pub payloads: Vec<String>,
    pub sealed: Vec<Option<Vec<u8>>>,
}

/// See the module.
pub(super) struct Draft<'a> {
    pub head: Position,
    pub newest_stream: StreamNo,
    pub streams: NewStreams,
    pub commits: NewCommits,
    pub events: NewEvents,
    pub outcomes: Vec<CommitOutcome>,
    known: &'a mut Streams,
    opened: HashMap<StreamId, StreamNo>,
    described: Option<Arc<Metadata>>,
    losers: Losers,
    at: Millis,
}

impl<'a> Draft<'a> {
    pub(super) fn new(head: Position, newest_stream: StreamNo, known: &'a mut Streams, at: Millis) -> Self {
        Self {
            head,
            newest_stream,
            streams: NewStreams::default(),
            commits: NewCommits::default(),
            events: NewEvents::default(),
            outcomes: Vec::new(),
            losers: Losers::default(),
            known,
            opened: HashMap::new(),
            described: None,
            at,
        }
    }

    /// Decides one commit.
    pub(super) fn add(&mut self, prepared: Prepared) -> Result<(), LogError> {
        let outcome = self.decide(prepared)?;
        self.outcomes.push(outcome);
        Ok(())
    }

    /// The streams that it appends to, each with its sequence, or the one at which it loses.
    fn admit(&mut self, commit: &Commit) -> Result<Result<Vec<(StreamNo, Sequence)>, StreamId>, LogError> {
        for (stream, expected) in &commit.expectations {
            if self.place(*stream)?.1 != *expected {
                return Ok(Err(*stream));
            }
        }
        let mut numbers = Vec::with_capacity(commit.appends.len());
        for append in &commit.appends {
            let (number, sequence) = match append.number {
                Some(number) => (number, self.sequence(number)?),
                None => self.place(append.stream)?,
            };
            if sequence != append.expected && !unexpected(append) {
                return Ok(Err(append.stream));
            }
            numbers.push((number, sequence));
        }
        Ok(self.losers.of(commit).map_or(Ok(numbers), Err))
    }

    fn decide(&mut self, Prepared { commit, encoded }: Prepared) -> Result<CommitOutcome, LogError> {
        let numbers = match self.admit(&commit)? {
            Ok(numbers) => numbers,
            Err(stream) => {
                self.losers.lost(&commit);
                return Ok(CommitOutcome::Conflict { stream });
            }
        };
        self.describe(&commit)?;
        let mut recorded = Vec::new();
        for ((append, encoded), (number, mut sequence)) in commit.appends.into_iter().zip(encoded).zip(numbers) {
            if append.events.is_empty() {
                continue;
            }
            let number = if number == 0 { self.open(append.stream) } else { number };
            for (fact, encoded) in append.events.into_iter().zip(encoded) {
                sequence += 1;
                self.head += 1;
                self.events.positions.push(signed(self.head));
                self.events.streams.push(signed(number));
                self.events.sequences.push(signed(sequence));
                self.events.types.push((encoded.of, encoded.version));
                self.events.payloads.push(encoded.payload);
                self.events.sealed.push(encoded.sealed);
                let metadata = Arc::clone(&commit.metadata);
                recorded.push(Arc::new(Recorded { position: self.head, stream: append.stream, number, sequence, at: self.at, fact, metadata }));
            }
            self.known.learn(Some(append.stream), number, sequence);
        }
        Ok(CommitOutcome::Committed { position: self.head, recorded })
    }

    fn describe(&mut self, commit: &Commit) -> Result<(), LogError> {
        let same = self.described.as_ref().is_some_and(|known| Arc::ptr_eq(known, &commit.metadata) || **known == *commit.metadata);
        if same || commit.appends.iter().all(|append| append.events.is_empty()) {
            return Ok(());
        }
        let metadata = serde_json::to_string(commit.metadata.as_ref()).map_err(|error| LogError::Unavailable { reason: error.to_string() })?;
        self.commits.positions.push(signed(self.head + 1));
        self.commits.metadata.push(metadata);
        self.described = Some(Arc::clone(&commit.metadata));
        Ok(())
    }

    fn place(&mut self, stream: StreamId) -> Result<(StreamNo, Sequence), LogError> {
        let number = match self.opened.get(&stream) {
            Some(number) => *number,
            None => self.known.number(stream).ok_or_else(not_looked_up)?,
        };
        Ok((number, self.sequence(number)?))
    }

    fn sequence(&mut self, number: StreamNo) -> Result<Sequence, LogError> {
        self.known.sequence(number).ok_or_else(not_looked_up)
    }

    /// A commit may open the same stream twice; the second append finds it here.
    fn open(&mut self, stream: StreamId) -> StreamNo {
        if let Some(number) = self.opened.get(&stream) {
            return *number;
        }
        self.newest_stream += 1;
        self.streams.numbers.push(signed(self.newest_stream));
        self.streams.kinds.push(i16::from(stream.kind.number()));
        self.streams.ids.push(stream.id.to_string());
        self.opened.insert(stream, self.newest_stream);
        self.newest_stream
    }

    /// Of the first event that it writes.
    pub(super) fn first(&self) -> Option<Position> {
        self.events.positions.first().map(|position| unsigned(*position))
    }
}

fn not_looked_up() -> LogError {
    LogError::Unavailable { reason: "a stream was not looked up before it was decided on".to_owned() }
}

/// Whether a fault is planted by which this append does not expect its stream as it was.
fn unexpected(append: &StreamAppend) -> bool {
    let fault = match append.events.first() {
        Some(Fact::Digest(_)) => "digest-unexpected",
        Some(Fact::Schedule(_) | Fact::Notification(NotificationEvent::Released(_))) => "due-unexpected",
        _ => return false,
    };
    failpoint::planted(fault)
}
