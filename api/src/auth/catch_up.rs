//! Keys that another replica has just issued.
//!
//! Who was given a key may use it at once and anywhere, but a replica hears of it a moment after
//! the one that issued it has answered. So a key that is not known is looked for once more when all that was
//! in the log at that moment has been read. Strangers can make this happen: however many ask, one
//! look at a time serves all who asked before it began.

use commands::log::{Committer, LogReader, Tail};
use commands::ports::Clock;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Who is refused after so long may try again.
const LONGEST: Duration = Duration::from_secs(1);

/// See the module.
pub struct CatchUp {
    log: Arc<dyn LogReader>,
    committer: Committer,
    tail: Arc<Tail>,
    clock: Arc<dyn Clock>,
    /// When the last look began.
    last: Mutex<Duration>,
}

impl CatchUp {
    /// Over the log that others append to.
    pub fn new(log: Arc<dyn LogReader>, committer: Committer, tail: Arc<Tail>, clock: Arc<dyn Clock>) -> Self {
        Self { log, committer, tail, clock, last: Mutex::default() }
    }

    /// Returns when everything that is in the log now has been read, or after a second, whoever else asks.
    pub async fn now(&self) {
        tokio::select! {
            () = self.look(self.clock.monotonic()) => {}
            () = self.clock.sleep(LONGEST) => {}
        }
    }

    async fn look(&self, asked: Duration) {
        let mut last = self.last.lock().await;
        if *last >= asked {
            return;
        }
        // Also where it fails or is given up: who waited in line learns nothing by failing again.
        *last = self.clock.monotonic();
        match self.log.head().await {
            Ok(head) if head > self.tail.head() => {
                self.committer.look_for_others();
                // Its sender ends with the process.
                let _ = self.tail.watch().wait_for(|reached| *reached >= head).await;
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "the log was not read up to its head; an unknown key stays unknown"),
        }
    }
}
