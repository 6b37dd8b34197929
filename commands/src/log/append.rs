//! What is asked of the store, and what it answers.

use super::need::Need;
use super::recorded::{Metadata, Position, Recorded, Sequence, StreamNo};
use super::tail::Told;
use crate::consumer::Changes;
use domain::values::Millis;
use domain::{AggregateKind, Fact, StreamId};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Events of one commit for one stream; nearly always one to four.
pub type Events = Vec<Fact>;

/// Events to append to one stream.
#[derive(Debug, Clone)]
pub struct StreamAppend {
    /// The stream.
    pub stream: StreamId,
    /// Its number, where the caller knows it: saves the look-up.
    pub number: Option<StreamNo>,
    /// The sequence that the caller decided on; 0 for a new stream.
    pub expected: Sequence,
    /// The events.
    pub events: Events,
}

/// Appends that happen all or not at all.
#[derive(Debug, Clone)]
pub struct Commit {
    /// By whom and why; shared by the commits of one request.
    pub metadata: Arc<Metadata>,
    /// The appends.
    pub appends: Vec<StreamAppend>,
    /// Other streams that must still be at the sequence that was decided on.
    pub expectations: Vec<(StreamId, Sequence)>,
}

/// Streams at which commits of a batch lost.
///
/// Commits that are submitted together may each count on what the one before leaves behind. Where that one
/// loses, somebody else's events may have brought the stream to the very sequence that the next one
/// expects; but they are not the ones that it was decided on. So who follows a loser at a stream loses, where
/// commits are made to follow one another: at what recipients were told, and at digests.
#[derive(Debug, Default)]
pub(super) struct Losers(HashSet<StreamId>);

impl Losers {
    /// This one has lost.
    pub(super) fn lost(&mut self, commit: &Commit) {
        let chained = |stream: &StreamId| matches!(stream.kind, AggregateKind::Frequency | AggregateKind::Digest);
        self.0.extend(commit.appends.iter().map(|append| append.stream).filter(chained));
    }

    /// A stream that it rests on and at which another has lost.
    pub(super) fn of(&self, commit: &Commit) -> Option<StreamId> {
        if self.0.is_empty() {
            return None;
        }
        let streams = commit.appends.iter().map(|append| append.stream).chain(commit.expectations.iter().map(|(stream, _)| *stream));
        streams.into_iter().find(|stream| self.0.contains(stream))
    }
}

/// What became of one commit.
#[derive(Debug, Clone)]
pub enum CommitOutcome {
    /// Durable.
    Committed {
        /// Of its last event; of the log's head where there was nothing to append.
        position: Position,
        /// The events as recorded, in order.
        recorded: Vec<Arc<Recorded>>,
    },
    /// A stream has moved on: load it anew and decide again.
    Conflict {
        /// Which.
        stream: StreamId,
    },
}

/// Rows of a consumer that lives beside the log, with its checkpoint.
#[derive(Debug)]
pub struct RowChanges {
    /// The rows.
    pub changes: Changes,
}

/// Everything that goes into one transaction.
#[derive(Debug, Default)]
pub struct Batch {
    /// Appends.
    pub commits: Vec<Commit>,
    /// Consumers' rows.
    pub rows: Vec<RowChanges>,
}

/// Why the log could not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// The store refuses for now (disk full, I/O error): nothing was appended.
    #[error("the log cannot be written at the moment; nothing was changed, try again")]
    Unavailable {
        /// For the operator's trace.
        reason: String,
    },
    /// Too much is waiting already.
    #[error("too many requests are waiting; try again")]
    Overloaded,
    /// The log is being closed.
    #[error("the server is shutting down; try again")]
    Closed,
    /// An event is of a kind or version that only a newer build knows.
    #[error("the log holds events of a newer version of bongsu; upgrade this one")]
    Newer {
        /// Where.
        position: Position,
        /// For the operator's trace.
        reason: String,
    },
    /// An event cannot be read.
    #[error("an event in the log cannot be read")]
    Poison {
        /// Which.
        position: Position,
        /// Of which stream.
        stream: StreamNo,
        /// For the operator's trace.
        reason: String,
    },
    /// The key store refuses.
    #[error("the key store cannot be used at the moment; nothing was changed, try again")]
    Keys {
        /// For the operator's trace.
        reason: String,
    },
}

impl LogError {
    /// What the store says, for the operator.
    pub fn reason(&self) -> String {
        match self {
            Self::Unavailable { reason } | Self::Newer { reason, .. } | Self::Poison { reason, .. } | Self::Keys { reason } => reason.clone(),
            Self::Overloaded | Self::Closed => self.to_string(),
        }
    }
}

impl LogWriter for Box<dyn LogWriter> {
    fn append(&mut self, batch: Batch, at: Millis) -> Result<Vec<CommitOutcome>, LogError> {
        (**self).append(batch, at)
    }
    fn probe(&mut self) -> Result<(), LogError> {
        (**self).probe()
    }
    fn follow(&mut self) -> Result<(), LogError> {
        (**self).follow()
    }
    fn follow_every(&self) -> Option<Duration> {
        (**self).follow_every()
    }
    fn heed(&mut self, need: Need) {
        (**self).heed(need);
    }
    fn take_others(&mut self) -> Vec<Told> {
        (**self).take_others()
    }
    fn head(&self) -> Position {
        (**self).head()
    }
}

/// Port to a store that appends batches. Blocking: it lives on the committer's own thread.
pub trait LogWriter: Send + 'static {
    /// Appends the batch in one transaction, durably. One commit's conflict does not touch the
    /// others. On an error nothing of the batch is in the log.
    fn append(&mut self, batch: Batch, at: Millis) -> Result<Vec<CommitOutcome>, LogError>;
    /// Writes durably what changes nothing: whether an append could succeed.
    fn probe(&mut self) -> Result<(), LogError>;
    /// For a store that others append to as well: reads what they have appended.
    fn follow(&mut self) -> Result<(), LogError> {
        Ok(())
    }
    /// How long what others append may stay unread; never, where nobody else does.
    fn follow_every(&self) -> Option<Duration> {
        None
    }
    /// What of others' events is to be told from now on, at least; at first everything.
    fn heed(&mut self, _: Need) {}
    /// What others appended, in order and as far as it was to be told and can be read: what lies before
    /// that which the last append answered for. Each is given once.
    fn take_others(&mut self) -> Vec<Told> {
        Vec::new()
    }
    /// The newest position that is durable. After an error it may be beyond what was answered: a
    /// commit whose failure was reported can turn out to be in the file.
    fn head(&self) -> Position;
}
