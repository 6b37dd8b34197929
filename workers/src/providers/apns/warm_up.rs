//! One call at a time until APNs has seen a valid token.
//!
//! A connection allows a single stream until then, and says so only once it is open; calls started
//! together on a fresh connection would be refused in numbers. Rejected: leaving it to the HTTP/2
//! layer, which assumes a hundred streams until the first SETTINGS frame arrives.

use commands::ports::Clock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// See the module.
#[derive(Default)]
pub(super) struct WarmUp {
    passed: AtomicBool,
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
    /// Waits for the turn, at most for `patience`.
    pub(super) async fn turn(&self, clock: &dyn Clock, patience: Duration) -> Result<Turn<'_>, NoTurn> {
        if self.passed.load(Ordering::Acquire) {
            return Ok(Turn { _only: None });
        }
        tokio::select! {
            biased;
            only = self.one.lock() => Ok(Turn { _only: (!self.passed.load(Ordering::Acquire)).then_some(only) }),
            () = clock.sleep(patience) => Err(NoTurn),
        }
    }

    /// A valid token was seen.
    pub(super) fn passed(&self) {
        self.passed.store(true, Ordering::Release);
    }

    /// The connection is gone; the next one starts from nothing.
    pub(super) fn lost(&self) {
        self.passed.store(false, Ordering::Release);
    }
}
