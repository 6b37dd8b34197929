//! Connections kept for the next message.
//!
//! Guarantee: only a connection whose last exchange is complete comes back; one whose call was given up
//! is closed by being dropped. Bounded by the number of calls that run at once.

use super::session::Session;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Longer than this a connection does not wait: servers close idle ones after minutes.
const LONGEST_IDLE: Duration = Duration::from_secs(60);

/// See the module.
pub(super) struct Pool {
    idle: Mutex<Vec<(Duration, Session)>>,
    most: usize,
}

impl Pool {
    pub(super) fn new(most: usize) -> Self {
        Self { idle: Mutex::new(Vec::new()), most }
    }

    /// The connection used last, if any is fresh enough. `now` is monotonic.
    pub(super) fn take(&self, now: Duration) -> Option<Session> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(since, _)| now.saturating_sub(*since) < LONGEST_IDLE);
        idle.pop().map(|(_, session)| session)
    }

    /// Keeps a connection.
    pub(super) fn put(&self, session: Session, now: Duration) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.most {
            idle.push((now, session));
        }
    }
}
