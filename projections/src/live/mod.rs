//! What happens to a recipient's notifications, as it happens: port, and an adapter over the
//! log's tail in this process.
//!
//! A follower names the last position it has seen and gets everything that became visible since,
//! in order, without a gap and without a repeat, then whatever comes. Its cursor is all that a
//! follower has to keep: whoever is cut off comes back with it.

mod local;

pub use local::LocalFeed;

use crate::store::ReadError;
use commands::log::{Position, Recorded, StreamNo};
use domain::values::{Millis, NotificationId, RecipientId};
use futures_util::Stream;
use std::pin::Pin;
use std::sync::Arc;

/// A notification became visible to its recipient.
#[derive(Debug, Clone)]
pub struct LiveNotification {
    /// The notification.
    pub id: NotificationId,
    /// Its stream's number.
    pub number: StreamNo,
    /// When it became visible in the order of the log: the cursor.
    pub position: Position,
    /// When it was accepted (ms since the epoch).
    pub at: Millis,
    /// Where its content is in the log.
    pub requested_position: Position,
    /// The `Requested` event with its content, where it is at hand; else read it from the log.
    pub requested: Option<Arc<Recorded>>,
    /// Shown already; only a notification from the backlog can be.
    pub seen: bool,
    /// Read already.
    pub read: bool,
    /// Put away already.
    pub archived: bool,
}

/// What a recipient did with a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was shown.
    Seen,
    /// It was read.
    Read,
    /// It was put away.
    Archived,
}

/// A recipient did something with a notification, on whatever device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveChange {
    /// The notification.
    pub id: NotificationId,
    /// Its stream's number.
    pub number: StreamNo,
    /// Of the event.
    pub position: Position,
    /// When (ms since the epoch).
    pub at: Millis,
    /// What.
    pub kind: ChangeKind,
}

/// What a follower gets. Changes are told live only: the backlog has notifications with their
/// present flags.
#[derive(Debug, Clone)]
pub enum LiveItem {
    /// A notification became visible.
    Notification(LiveNotification),
    /// One that is visible was seen, read or archived.
    Change(LiveChange),
}

impl LiveItem {
    /// Where in the log; the cursor to come back with.
    pub const fn position(&self) -> Position {
        match self {
            Self::Notification(notification) => notification.position,
            Self::Change(change) => change.position,
        }
    }
}

/// Why a follower was let go. Its last item's position is the cursor to come back with.
#[derive(Debug, thiserror::Error)]
pub enum FollowEnd {
    /// It did not keep up.
    #[error("the live feed was ahead of this client for too long; follow again from the last cursor")]
    Lagged,
    /// The server is shutting down.
    #[error("the server is shutting down; follow again from the last cursor")]
    Closed,
    /// The backlog cannot be read.
    #[error(transparent)]
    Unavailable(#[from] ReadError),
}

/// Items until the one error that ends it.
pub type Following = Pin<Box<dyn Stream<Item = Result<LiveItem, FollowEnd>> + Send>>;

/// Port to the live feed.
pub trait LiveFeed: Send + Sync + 'static {
    /// Follows a recipient from a position on, or from now on where there is none.
    fn follow(&self, recipient: RecipientId, after: Option<Position>) -> Following;
}
