//! Fills the shared queue from the table: what it has no room for at first, what it has lost, and what
//! comes due. One replica at a time does it; where two do, the second finds everything there.

use super::switching::{Mode, SwitchingQueue};
use crate::pending::PendingRows;
use crate::window::Passed;
use commands::failpoint;
use commands::log::{LogError, Position, Tail};
use commands::ports::Clock;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How the shared queue is filled.
#[derive(Debug, Clone, Copy)]
pub struct RefillSettings {
    /// How often the table is asked.
    pub every: Duration,
    /// How far ahead timers are loaded.
    pub horizon: Duration,
    /// Timers loaded at once.
    pub timers: usize,
    /// Items put into the queue at once.
    pub batch: usize,
}

impl Default for RefillSettings {
    fn default() -> Self {
        Self { every: Duration::from_millis(250), horizon: Duration::from_secs(2), timers: 2_000, batch: 500 }
    }
}

/// See the module.
#[derive(Clone)]
pub struct Refill {
    /// What is filled.
    pub queue: Arc<SwitchingQueue>,
    /// What is durably owed.
    pub rows: PendingRows,
    /// How far the log goes.
    pub tail: Arc<Tail>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// See there.
    pub settings: RefillSettings,
}

impl Refill {
    /// Fills until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let (mut mode, mut passed) = (self.queue.mode(), Passed::default());
        while !stop.is_cancelled() {
            let now = self.clock.monotonic();
            passed.note(self.tail.head(), now);
            if *mode.borrow_and_update() == Mode::Shared
                && let Err(error) = self.fill(passed.nobodys(now)).await
            {
                tracing::warn!(%error, "the shared queue could not be filled from the table; it is tried again");
            }
            tokio::select! {
                () = self.clock.sleep(self.settings.every) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Hands out what comes due, until told to stop. Every replica does it: what one has handed out, the
    /// next does not find.
    pub async fn ripen(self, stop: CancellationToken) {
        let mut mode = self.queue.mode();
        while !stop.is_cancelled() {
            let mut pause = self.settings.every;
            self.queue.tick(self.clock.now());
            if *mode.borrow_and_update() == Mode::Shared
                && let Some(shared) = self.queue.shared()
            {
                let now = self.clock.now() + failpoint::ahead("retries-early");
                match shared.ripen(now).await {
                    Ok(Some(due)) => pause = Duration::from_millis(u64::try_from(due - now).unwrap_or(0)).clamp(Duration::from_millis(5), pause),
                    Ok(None) => {}
                    Err(error) => self.queue.fail(&error),
                }
            }
            tokio::select! {
                () = self.clock.sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Where replicas keep what they accept, it is theirs unless it was requested up to a place.
    async fn fill(&self, nobodys: Position) -> Result<(), LogError> {
        let kept_after = self.queue.keeps().then_some(nobodys);
        let Some(shared) = self.queue.shared() else { return Ok(()) };
        let lanes = self.rows.lanes().await?;
        let room = match shared.room(lanes).await {
            Ok(room) => room,
            Err(error) => {
                self.queue.fail(&error);
                return Ok(());
            }
        };
        for (lane, most) in room {
            for chunk in self.rows.ready(lane, most, None, kept_after).await?.chunks(self.settings.batch) {
                if let Err(error) = shared.offer(chunk.to_vec()).await {
                    self.queue.fail(&error);
                    return Ok(());
                }
            }
        }
        let until = self.clock.now() + i64::try_from(self.settings.horizon.as_millis()).unwrap_or(0);
        for chunk in self.rows.due(until, self.settings.timers, None).await?.chunks(self.settings.batch) {
            if let Err(error) = shared.hold(chunk.to_vec()).await {
                self.queue.fail(&error);
                return Ok(());
            }
        }
        Ok(())
    }
}
