//! The task that keeps the mirror up to date.
//!
//! It is not a [`Runner`](commands::consumer::Runner): that one keeps its checkpoint with rows in a
//! transaction, gives decoded events and parks what fails. A mirror with a parked event would not be
//! one.

use super::connection::{Connection, foreign_last};
use super::copy;
use super::error::MirrorError;
use super::target::Target;
use commands::consumer::Progress;
use commands::log::raw::RawReader;
use commands::log::{Position, Tail};
use commands::ports::Clock;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Its name among those who follow the log.
pub const NAME: &str = "kurrentdb";

/// Events read at once; as many may lie beyond a gap after a crash.
const PAGE: usize = 500;
/// First pause after an error; it doubles with every further one.
const BACK_OFF: Duration = Duration::from_millis(500);
/// Longest pause after an error that may pass by itself.
const LONGEST: Duration = Duration::from_secs(60);
/// Pause after which it is looked whether a person has put right what only a person can.
const LOOK_AGAIN: Duration = Duration::from_secs(300);

/// Where events and time come from.
#[derive(Clone)]
pub struct MirrorSources {
    /// The log as it is stored.
    pub log: Arc<dyn RawReader>,
    /// Wakes it, and says up to where commits have been answered: nothing beyond is copied, since it
    /// might yet be lost.
    pub tail: Arc<Tail>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// See the module.
pub struct Mirror {
    target: Target,
    sources: MirrorSources,
    progress: Progress,
    failures: u32,
}

impl Mirror {
    /// `progress` tells how far it is.
    pub const fn new(target: Target, sources: MirrorSources, progress: Progress) -> Self {
        Self { target, sources, progress, failures: 0 }
    }

    /// Copies until it is told to stop; being told in the middle of a page does no harm.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let ended = tokio::select! {
                ended = self.follow() => ended,
                () = stop.cancelled() => return,
            };
            let Err(error) = ended;
            tokio::select! {
                () = self.pause(&error) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Connects, finds out how far it is and copies what comes, until something fails.
    pub(super) async fn follow(&mut self) -> Result<std::convert::Infallible, MirrorError> {
        let connection = Connection::open(&self.target, &self.sources.clock)?;
        let mut heads = self.sources.tail.watch();
        let mut position = self.resume(&connection).await?;
        tracing::info!(mirror = %self.target.place(), position, "the mirror goes on");
        loop {
            self.reached(position);
            let head = *heads.borrow_and_update();
            if position >= head {
                if heads.changed().await.is_err() {
                    // The log is being closed, and the stop comes.
                    std::future::pending::<()>().await;
                }
                continue;
            }
            let mut page = self.sources.log.read_raw(position, PAGE).await?;
            page.retain(|event| event.position <= head);
            let Some(last) = page.last().map(|event| event.position) else {
                return Err(
                    commands::log::LogError::Unavailable { reason: format!("nothing is found behind position {position}, and it goes to {head}") }.into()
                );
            };
            copy::page(&connection, &self.target, self.sources.log.as_ref(), &page, position).await?;
            position = last;
            self.failures = 0;
        }
    }

    /// Where to go on: what the newest event in the mirror says. It must be of this log.
    async fn resume(&self, connection: &Connection) -> Result<Position, MirrorError> {
        let Some(last) = connection.last().await? else { return Ok(0) };
        let (mirrored, head) = (last.event.position, self.sources.tail.head());
        if mirrored > head {
            return Err(MirrorError::Ahead { mirrored, head });
        }
        let here = self.sources.log.read_raw(mirrored.saturating_sub(1), 1).await?;
        if here.first() != Some(&last.event) {
            return Err(foreign_last(&self.target, &last.event));
        }
        Ok(last.through)
    }

    fn reached(&self, position: Position) {
        self.progress.advance(position);
        self.tell_lag();
        metrics::gauge!("bongsu_mirror_halted").set(0.0);
    }

    fn tell_lag(&self) {
        let lag = self.sources.tail.head().saturating_sub(self.progress.position());
        #[allow(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("bongsu_consumer_lag_events", "consumer" => NAME).set(lag as f64);
    }

    /// Tells what is wrong and waits; how far behind it is stays known meanwhile.
    async fn pause(&mut self, error: &MirrorError) {
        metrics::counter!("bongsu_consumer_errors_total", "consumer" => NAME).increment(1);
        let pause = if error.needs_a_person() {
            metrics::gauge!("bongsu_mirror_halted").set(1.0);
            tracing::error!(mirror = %self.target.place(), %error, "the mirror has stopped; it looks again in {} s", LOOK_AGAIN.as_secs());
            LOOK_AGAIN
        } else {
            let pause = (BACK_OFF * 2_u32.pow(self.failures.min(7))).min(LONGEST);
            tracing::warn!(mirror = %self.target.place(), %error, failures = self.failures + 1, "the mirror could not go on; it tries again");
            pause
        };
        self.failures = self.failures.saturating_add(1);
        let mut heads = self.sources.tail.watch();
        let over = self.sources.clock.sleep(pause);
        tokio::pin!(over);
        loop {
            self.tell_lag();
            tokio::select! {
                () = &mut over => return,
                changed = heads.changed() => if changed.is_err() { return over.await },
            }
        }
    }
}
