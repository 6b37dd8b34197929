//! One call at a time until APNs has seen a valid token.
//!
//! A connection allows a single stream until then, and says so only once it is open; calls started
//! together on a fresh connection would be refused in numbers. Rejected: leaving it to the HTTP/2
//! layer, which assumes a hundred streams until the first SETTINGS frame arrives.

use commands::ports::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// See the module.
pub(super) struct WarmUp {
    clock: Arc<dyn Clock>,
    /// Without an answer for this long the connection is closed.
    idle: Duration,
    /// When a valid token was last seen, in ms of the running clock and one more; 0 for never.
    seen: AtomicU64,
    one: Mutex<()>,
}

/// The turn did not come in time; nothing was sent.
#[derive(Debug)]
pub(super) struct NoTurn;

/// Permission for one call; the only one there is where it holds the lock.
pub(super) struct Turn<'a> {
    _only: Option<MutexGuard<'a, ()>>,
}

impl WarmUp {
    pub(super) fn new(clock: Arc<dyn Clock>, idle: Duration) -> Self {
        Self { clock, idle, seen: AtomicU64::new(0), one: Mutex::new(()) }
    }

    /// Waits for the turn, at most for `patience`.
    pub(super) async fn turn(&self, patience: Duration) -> Result<Turn<'_>, NoTurn> {
        if self.is_warm() {
            return Ok(Turn { _only: None });
        }
        tokio::select! {
            biased;
            only = self.one.lock() => Ok(Turn { _only: (!self.is_warm()).then_some(only) }),
            () = self.clock.sleep(patience) => Err(NoTurn),
        }
    }

    /// A valid token was seen.
    pub(super) fn passed(&self) {
        self.seen.store(self.now() + 1, Ordering::Release);
    }

    /// The connection is gone; the next one starts from nothing.
    pub(super) fn lost(&self) {
        self.seen.store(0, Ordering::Release);
    }

    fn is_warm(&self) -> bool {
        match self.seen.load(Ordering::Acquire) {
            0 => false,
            seen => u128::from(self.now().saturating_sub(seen - 1)) < self.idle.as_millis(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.monotonic().as_millis()).unwrap_or(u64::MAX - 1)
    }
}
