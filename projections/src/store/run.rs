//! The consumer of a read model, live: on the serving generation, and after a switch on the next.

use super::projection::Projection;
use commands::consumer::{Changes, Consumer, Ended, HandleError, Runner, RunnerSettings};
use commands::log::{LogReader, Recorded, Tail};
use commands::ports::Clock;
use commands::replicas::{Epoch, Turn};
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Where events come from, and time.
#[derive(Clone)]
pub struct Sources {
    /// The log.
    pub log: Arc<dyn LogReader>,
    /// Its newest events.
    pub tail: Arc<Tail>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sources")
    }
}

/// A consumer made by a registration.
pub(super) struct Made(pub(super) Box<dyn Consumer + Sync>);

impl Consumer for Made {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn opens(&self) -> bool {
        self.0.opens()
    }
    fn handle(&mut self, events: &[Arc<Recorded>], changes: &mut Changes) -> Result<(), HandleError> {
        self.0.handle(events, changes)
    }
    fn committed(&mut self) {
        self.0.committed();
    }
    fn abandoned(&mut self) {
        self.0.abandoned();
    }
}

impl Projection {
    /// Keeps the read model up to date until told to stop, whenever it is this process's turn. Run it once
    /// for each read model.
    pub async fn run(&self, sources: Sources, settings: RunnerSettings, turn: Turn, stop: CancellationToken) {
        let clock = Arc::clone(&sources.clock);
        let work = |epoch, stop| self.run_under(epoch, &turn, &sources, settings, stop);
        turn.each(clock.as_ref(), &stop, work).await;
    }

    async fn run_under(&self, epoch: Epoch, turn: &Turn, sources: &Sources, settings: RunnerSettings, stop: CancellationToken) {
        let mut held = self.held.subscribe();
        while !stop.is_cancelled() {
            tokio::select! {
                () = becomes(&mut held, false) => {}
                () = stop.cancelled() => return,
            }
            let working = Working::begin(self);
            // A rebuild holds first and looks then, this begins first and looks then: whichever
            // way they meet, one of them sees the other.
            if *held.borrow() {
                continue;
            }
            let serving = self.serving();
            let halt = stop.child_token();
            let runner = Runner::new(
                Made((self.registration.consumer)()),
                Arc::clone(&sources.log),
                Arc::clone(&sources.tail),
                serving.rows_under(epoch),
                Arc::clone(&sources.clock),
                serving.progress().clone(),
                settings,
            );
            let mut run = pin!(runner.run(halt.clone(), None));
            let ended = tokio::select! {
                ended = &mut run => ended,
                () = becomes(&mut held, true) => {
                    halt.cancel();
                    run.await
                }
                // Another process has let another generation serve.
                () = self.replaced(serving.number()) => {
                    halt.cancel();
                    run.await
                }
            };
            drop(working);
            match ended {
                Ended::AsTold => {}
                Ended::Fenced => return,
                Ended::Newer => return turn.give_up(),
            }
        }
    }

    async fn replaced(&self, number: u64) {
        let _ = self.serving.subscribe().wait_for(|serving| serving.number() != number).await;
    }
}

/// Waits for a value; the sender lives as long as the read model, so waiting cannot fail.
pub(super) async fn becomes(watched: &mut watch::Receiver<bool>, wanted: bool) {
    let _ = watched.wait_for(|value| *value == wanted).await;
}

/// Says that the consumer is at work, and takes it back whatever happens.
struct Working<'a>(&'a Projection);

impl<'a> Working<'a> {
    fn begin(projection: &'a Projection) -> Self {
        projection.running.send_replace(true);
        Self(projection)
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.running.send_replace(false);
    }
}
