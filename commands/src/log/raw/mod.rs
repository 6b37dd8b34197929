//! The log as it is stored: payloads as text, personal parts sealed, commits with their metadata.
//!
//! Two small ports beside [`LogReader`](crate::log::LogReader) and
//! [`LogWriter`](crate::log::LogWriter), for whoever copies a log whole. A copy by way of the
//! decoded [`Recorded`](crate::log::Recorded) was rejected: upcasting and encoding anew would
//! change old events' bytes, an event of a newer version could not be copied at all, and sealed
//! parts would have to be opened and sealed under new nonces.
//!
//! Guarantee: what [`RawWriter::write`] took of what [`RawReader::read_raw`] gave makes tables that
//! are equal byte by byte, so that read models, keys and positions known outside still fit.

mod event;

pub use event::{RawCommit, RawEvent};

use super::append::LogError;
use super::reader::Reading;
use super::recorded::Position;

/// Why events could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RawError {
    /// The store refuses.
    #[error("{error} ({})", error.reason())]
    Log {
        /// What it says.
        #[from]
        error: LogError,
    },
    /// They do not follow what is there.
    #[error("the event of position {position} cannot be written: {reason}; what it was copied from is damaged, or belongs to another log")]
    Order {
        /// Of the event.
        position: Position,
        /// What is wrong.
        reason: String,
    },
}

/// Reads committed events as they are stored.
pub trait RawReader: Send + Sync + 'static {
    /// Events after a position in order, without gaps, at most `limit`. Events of a kind of stream
    /// that only a newer build knows are [`LogError::Newer`].
    fn read_raw(&self, after: Position, limit: usize) -> Reading<'_, Vec<RawEvent>>;
}

/// Fills an empty log, or one that was filled in the same way. Blocking, like
/// [`LogWriter`](crate::log::LogWriter).
pub trait RawWriter: Send + 'static {
    /// The newest position.
    fn head(&self) -> Position;
    /// Appends events that follow what is there, whole commits only, durably. On an error nothing of
    /// them is there.
    fn write(&mut self, events: &[RawEvent]) -> Result<(), RawError>;
}

/// Whether events follow `head` without a gap, and end with a commit: what every writer demands first.
pub(super) fn whole_commits(events: &[RawEvent], head: Position) -> Result<(), RawError> {
    let (mut head, mut until) = (head, head);
    for event in events {
        let refuse = |reason: String| RawError::Order { position: event.position, reason };
        if event.position != head + 1 {
            return Err(refuse(format!("the log ends at {head}")));
        }
        head += 1;
        if event.position > until {
            if event.commit.first != event.position || event.commit.last < event.position {
                return Err(refuse(format!("a commit begins here, and it names its commit {} to {}", event.commit.first, event.commit.last)));
            }
            until = event.commit.last;
        }
    }
    if until == head { Ok(()) } else { Err(RawError::Order { position: head, reason: format!("its commit goes on to {until}") }) }
}
