//! Building the next generation from the first event on, beside the one that serves.
//!
//! It is the same consumer in the same runner, with the same parking of events that fail, over
//! the log instead of its tail. Only the last stretch needs the live consumer held still: then
//! the new generation is brought to at least where the old one stands, so that nobody who saw
//! an event's effect can miss it after the switch.

use super::error::RebuildError;
use super::generation::Generation;
use super::projection::Projection;
use super::read_ahead::ReadAhead;
use super::run::{Made, Sources, becomes};
use commands::consumer::{Runner, RunnerSettings};
use commands::log::{LogReader, Position, Tail};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Events in one transaction.
const BATCH: usize = 10_000;

/// How far a rebuild has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RebuildProgress {
    /// The last event taken in.
    pub position: Position,
    /// The newest event when the present stretch began.
    pub head: Position,
    /// Events in a second, on average so far.
    pub events_per_s: f64,
}

/// A rebuild's result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rebuilt {
    /// The generation that serves now.
    pub generation: u64,
    /// Where it stood at the switch.
    pub position: Position,
    /// How long it took.
    pub took: Duration,
    /// Events that could not be taken in; see `bongsu projection parked`.
    pub parked: usize,
}

impl Projection {
    /// Builds the next generation and lets it serve. On any error, and when it is stopped, the
    /// present generation goes on as if nothing had happened.
    pub async fn rebuild(&self, sources: &Sources, stop: &CancellationToken, mut report: impl FnMut(RebuildProgress) + Send) -> Result<Rebuilt, RebuildError> {
        let _one = self.rebuilding.try_lock().map_err(|_| RebuildError::Already)?;
        let Some(mut alone) = self.store.rebuilding(self.name()).await? else {
            return Err(RebuildError::Already);
        };
        let rebuilt = tokio::select! {
            rebuilt = self.rebuild_alone(sources, stop, &mut report) => rebuilt,
            error = alone.lost(&*sources.clock) => Err(RebuildError::Store(error)),
        };
        alone.release().await;
        rebuilt
    }

    async fn rebuild_alone(
        &self,
        sources: &Sources,
        stop: &CancellationToken,
        report: &mut (impl FnMut(RebuildProgress) + Send),
    ) -> Result<Rebuilt, RebuildError> {
        self.follow_switch().await?;
        let old = self.serving();
        // Dropped with its rows, until it serves.
        let fresh = Arc::new(self.store.create(&self.registration, old.number()).await?);
        let build = Build {
            projection: self,
            fresh: &fresh,
            log: Arc::new(ReadAhead::new(Arc::clone(&sources.log))),
            sources,
            stop,
            started: sources.clock.monotonic(),
        };
        build.until(sources.log.head().await?, report).await?;
        fresh.complete().await?;
        // What was committed meanwhile.
        loop {
            let head = sources.log.head().await?;
            build.until(head, report).await?;
            if sources.log.head().await?.saturating_sub(head) <= BATCH as u64 {
                break;
            }
        }
        let held = Held::by(&self.held);
        let mut running = self.running.subscribe();
        tokio::select! {
            () = becomes(&mut running, false) => {}
            () = stop.cancelled() => return Err(RebuildError::Stopped),
        }
        let switch = self.store.begin_switch(self.name(), &old).await?;
        build.until(switch.reached(), report).await?;
        let switching = self.switching.lock().await;
        switch.commit(&fresh).await?;
        self.serving.send_replace(Arc::clone(&fresh));
        drop(switching);
        old.keep(false);
        drop(held);
        let parked = self.parked().await.map_or(0, |parked| parked.len());
        Ok(Rebuilt { generation: fresh.number(), position: fresh.progress().position(), took: sources.clock.monotonic().saturating_sub(build.started), parked })
    }
}

struct Build<'a> {
    projection: &'a Projection,
    fresh: &'a Generation,
    log: Arc<dyn LogReader>,
    sources: &'a Sources,
    stop: &'a CancellationToken,
    started: Duration,
}

impl Build<'_> {
    async fn until(&self, head: Position, report: &mut (impl FnMut(RebuildProgress) + Send)) -> Result<(), RebuildError> {
        let progress = self.fresh.progress();
        let runner = Runner::new(
            Made((self.projection.registration.consumer)()),
            Arc::clone(&self.log),
            // A tail without events sends the runner to the log.
            Arc::new(Tail::at(head)),
            self.fresh.rows(),
            Arc::clone(&self.sources.clock),
            progress.clone(),
            RunnerSettings { batch: BATCH, ..RunnerSettings::default() },
        );
        let mut run = pin!(runner.run(self.stop.clone(), Some(head)));
        loop {
            let position = progress.position();
            tokio::select! {
                _ = &mut run => break,
                () = progress.reached(position + 1) => report(self.progress(head)),
            }
        }
        if self.stop.is_cancelled() && progress.position() < head {
            return Err(RebuildError::Stopped);
        }
        report(self.progress(head));
        Ok(())
    }

    fn progress(&self, head: Position) -> RebuildProgress {
        let position = self.fresh.progress().position();
        let seconds = self.sources.clock.monotonic().saturating_sub(self.started).as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "a display")]
        let events_per_s = if seconds > 0.0 { position as f64 / seconds } else { 0.0 };
        RebuildProgress { position, head: head.max(position), events_per_s }
    }
}

/// Holds the live consumer still, and lets it go whatever happens.
struct Held<'a>(&'a watch::Sender<bool>);

impl<'a> Held<'a> {
    fn by(held: &'a watch::Sender<bool>) -> Self {
        held.send_replace(true);
        Self(held)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}
