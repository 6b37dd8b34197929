//! What lives off the log and sends nothing: read models, the live feed, the mirror; and, where other
//! replicas append to it too, hearing of them.

use super::{Engine, Together};
use crate::app::supervisor::Supervisor;
use crate::config::Role;
use commands::consumer::RunnerSettings;
use projections::feed::kurrentdb::{self, Mirror, MirrorSources};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How often to look which generations of the read models serve, where others may switch them.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// Rows that are written once instead of three times cost a third; who waits for a position does not
/// wait for this.
pub(super) const GATHERING: RunnerSettings = RunnerSettings { batch: 20_000, linger: Duration::from_millis(250), back_off: Duration::from_millis(50) };

impl Engine {
    pub(super) fn follow(&self, following: &Supervisor) {
        if let Some(Together { pool, membership, .. }) = &self.together {
            if let Some(membership) = membership.lock().unwrap_or_else(PoisonError::into_inner).take() {
                following.run("membership", |stop| membership.run(stop));
            }
            let (pool, committer, tail, clock) = (pool.clone(), self.bus.committer().clone(), Arc::clone(&self.tail), Arc::clone(&self.clock));
            following.run("others", |stop| commands::log::postgres::listen(pool, committer, tail, clock, stop));
            let (models, clock) = (self.read_models.clone(), Arc::clone(&self.clock));
            following.run("read models", |stop| async move { models.follow(clock, FOLLOW_EVERY, stop).await });
        }
        if self.settings.roles.has(Role::Projections) {
            for projection in self.read_models.all() {
                let (projection, sources, turn) = (Arc::clone(projection), self.sources(), self.turn(projection.name()));
                following.run(projection.name(), |stop| async move { projection.run(sources, GATHERING, turn, stop).await });
            }
            if let (Some(target), Some(progress)) = (&self.settings.mirror, &self.mirror) {
                let sources = MirrorSources { log: Arc::clone(&self.raw), tail: Arc::clone(&self.tail), clock: Arc::clone(&self.clock) };
                let (target, progress, turn, clock) = (target.clone(), progress.clone(), self.turn(kurrentdb::NAME), Arc::clone(&self.clock));
                following.run("mirror", |stop| async move {
                    let work = |_, stop| Mirror::new(target.clone(), sources.clone(), progress.clone()).run(stop);
                    turn.each(clock.as_ref(), &stop, work).await;
                });
            }
        }
        if self.settings.roles.has(Role::Api) {
            let (live, sources) = (Arc::clone(&self.live), self.sources());
            following.run("live", |stop| async move { live.run(sources, stop).await });
            let tracking = Arc::clone(&self.tracking);
            following.run("tracking", |stop| tracking.run(stop));
        }
    }
}
