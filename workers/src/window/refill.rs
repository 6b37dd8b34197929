//! Feeds the window: from the log's tail as things happen, from the table when there is room.

use super::Window;
use super::keeping::{LOOK_EVERY, Passed, Stirred};
use crate::pending::PendingRows;
use commands::consumer::Progress;
use commands::failpoint;
use commands::log::{LogError, LogReader, Need, Position, Tail};
use commands::ports::Clock;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How the window is fed.
#[derive(Debug, Clone, Copy)]
pub struct DispatcherSettings {
    /// Events taken in at once.
    pub batch: usize,
    /// How often the table is asked.
    pub every: Duration,
    /// How far ahead timers are loaded.
    pub horizon: Duration,
    /// Timers loaded at once.
    pub timers: usize,
}

impl Default for DispatcherSettings {
    fn default() -> Self {
        Self { batch: 4_000, every: Duration::from_millis(200), horizon: Duration::from_secs(5), timers: 2_000 }
    }
}

/// See the module.
#[derive(Clone)]
pub struct Dispatcher {
    /// What is fed.
    pub window: Arc<Window>,
    /// What is durably owed.
    pub rows: PendingRows,
    /// How far the table is.
    pub table: Progress,
    /// What happens.
    pub tail: Arc<Tail>,
    /// What has happened.
    pub log: Arc<dyn LogReader>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// See there.
    pub settings: DispatcherSettings,
}

impl Dispatcher {
    /// Feeds until told to stop. `from` is the position up to which the table was complete when
    /// nothing was in the window.
    pub async fn run(self, from: Position, stop: CancellationToken) {
        let mut position = from;
        let needed = self.tail.need(self.need());
        let mut head = self.tail.watch();
        let (mut asked, mut looked, mut passed) = (None, None, Passed::default());
        let mut stirred = Some((from, Stirred { sweep: true, regardless: true }));
        while !stop.is_cancelled() {
            needed.change(self.need());
            let followed = self.follow(&mut position).await;
            if let Err(LogError::Newer { .. } | LogError::Poison { .. }) = followed {
                // The table is kept by somebody who can read it, or who sets it aside: from there.
                position = self.tail.head();
                self.window.clear();
                stirred = None;
            } else if let Err(error) = followed {
                tracing::warn!(%error, "the delivery window could not read the log; it tries again");
                self.clock.sleep(self.settings.every).await;
                continue;
            }
            if stirred.is_none() {
                stirred = self.window.take_stirred().map(|found| (position, found));
            }
            let next = self.window.ripen(self.clock.now() + failpoint::ahead("retries-early"));
            let now = self.clock.monotonic();
            passed.note(self.tail.head(), now);
            if asked.is_none_or(|then| now.saturating_sub(then) >= self.settings.every) {
                asked = Some(now);
                let look = self.window.keeps() && looked.is_none_or(|then| now.saturating_sub(then) >= LOOK_EVERY);
                if look {
                    looked = Some(now);
                }
                if let Err(error) = self.ask_table(&mut stirred, look, passed.nobodys(now)).await {
                    tracing::warn!(%error, "the delivery window could not be refilled; it tries again");
                }
            }
            if position < *head.borrow_and_update() {
                continue;
            }
            let pause = next.map_or(self.settings.every, |due| {
                Duration::from_millis(u64::try_from(due - self.clock.now()).unwrap_or(0)).clamp(Duration::from_millis(1), self.settings.every)
            });
            tokio::select! {
                changed = head.changed() => if changed.is_err() { return },
                () = self.clock.sleep(pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// The notifications of the window's share; none where others keep what they accept.
    fn need(&self) -> Need {
        if self.window.keeps() {
            return Need::NONE;
        }
        self.window.share().as_ref().map_or(Need::ALL, Need::of)
    }

    async fn follow(&self, position: &mut Position) -> Result<(), LogError> {
        loop {
            let (page, upto) = match self.tail.read(*position, self.settings.batch, self.need()) {
                Some(read) => read,
                None => {
                    let page = self.log.read_after(*position, self.settings.batch, true).await?;
                    let Some(last) = page.last() else { return Ok(()) };
                    let upto = last.position;
                    (page, upto)
                }
            };
            if upto <= *position {
                return Ok(());
            }
            *position = upto;
            self.window.apply_all(&page, |position| self.tail.committed_here(position));
            failpoint::reach("C5");
        }
    }

    /// Asks for what stirred, if the table is so far; and where it is time to `look`, for what nobody keeps any more:
    /// whatever was requested up to a place.
    async fn ask_table(&self, stirred: &mut Option<(Position, Stirred)>, look: bool, nobodys: Position) -> Result<(), LogError> {
        let (share, keeps) = (self.window.share(), self.window.keeps());
        let reached = stirred.as_ref().filter(|(at, _)| self.table.position() >= *at);
        let (is_reached, found) = (reached.is_some(), reached.map_or_else(Stirred::default, |(_, found)| *found));
        if found.sweep || look {
            for lane in self.rows.lanes().await? {
                self.window.overflow(lane);
            }
        }
        let kept_after = (keeps && !found.regardless).then_some(nobodys);
        for (lane, here) in self.window.hungry() {
            // Only a table that had caught up before the look can say that there is no more.
            let caught_up = self.table.position() >= self.tail.head();
            let most = self.window.settings.lane + here;
            let items = self.rows.ready(lane.clone(), most, share.as_ref(), kept_after).await?;
            // Where what nobody keeps is looked for, it comes to light the next time.
            let all = items.len() < most && (caught_up || keeps);
            self.window.refill(&lane, items, all);
        }
        if is_reached {
            *stirred = None;
        }
        let until = self.clock.now() + i64::try_from(self.settings.horizon.as_millis()).unwrap_or(0);
        for item in self.rows.due(until, self.settings.timers, share.as_ref()).await? {
            self.window.offer(item);
        }
        Ok(())
    }
}
