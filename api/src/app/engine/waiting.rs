//! What waits: the table of timers, and asking for what is due. One turn for both, so that who fires hears
//! of each change of the table at once.

use super::Engine;
use super::following::GATHERING;
use crate::app::supervisor::Supervisor;
use commands::consumer::{Ended, Runner};
use std::sync::Arc;
use std::time::Duration;
use workers::timers::{Changed, Firing, FiringSettings, TIMERS, Timers};

/// How often to look how far the table is where another replica keeps it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Engine {
    /// Starts what keeps the table and what fires; `delivering` ends first.
    pub(super) fn wait(&self, delivering: &Supervisor, following: &Supervisor) {
        let changed = Changed::default();
        self.keep_timers(&changed, following);
        let (turn, clock) = (self.turn(TIMERS), Arc::clone(&self.clock));
        let firing = Firing {
            rows: self.beside.timers(),
            asks: Arc::new(self.due.clone()),
            table: self.timers.clone(),
            changed,
            tail: Arc::clone(&self.tail),
            clock: Arc::clone(&self.clock),
            settings: FiringSettings::default(),
        };
        delivering.run("firing", |stop| async move { turn.each(clock.as_ref(), &stop, |_, stop| firing.clone().run(stop)).await });
    }

    fn keep_timers(&self, changed: &Changed, following: &Supervisor) {
        let (turn, clock, changed) = (self.turn(TIMERS), Arc::clone(&self.clock), Arc::clone(changed));
        let (beside, committer) = (self.beside.clone(), self.bus.committer().clone());
        let (log, tail, progress) = (Arc::clone(&self.log), Arc::clone(&self.tail), self.timers.clone());
        following.run(TIMERS, |stop| async move {
            let work = |epoch, stop| {
                let rows = beside.rows(&committer, epoch);
                let timers = Timers::new(Arc::clone(&changed));
                let runner = Runner::new(timers, Arc::clone(&log), Arc::clone(&tail), rows, Arc::clone(&clock), progress.clone(), GATHERING);
                let turn = &turn;
                async move {
                    if runner.run(stop, None).await == Ended::Newer {
                        turn.give_up();
                    }
                }
            };
            turn.each(clock.as_ref(), &stop, work).await;
        });
        if self.together.is_some() {
            let (turn, clock, progress) = (self.turn(TIMERS), Arc::clone(&self.clock), self.timers.clone());
            let rows = self.beside.rows(self.bus.committer(), 0);
            following.run("timers elsewhere", |stop| async move {
                while !stop.is_cancelled() {
                    if turn.held().is_none()
                        && let Ok(position) = rows.checkpoint(TIMERS).await
                    {
                        progress.learn(position);
                    }
                    tokio::select! {
                        () = clock.sleep(LOOK_EVERY) => {}
                        () = stop.cancelled() => {}
                    }
                }
            });
        }
    }
}
