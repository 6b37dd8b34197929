//! Runs one consumer: read a batch, handle it, commit rows and checkpoint, report the lag.
//!
//! A store that refuses is asked again, with back-off, from where it says it is. An event that fails
//! alone three times is parked together with all later events of its stream: loud, never
//! skipped silently, and nobody else waits for it.

use super::changes::{Changes, Sql};
use super::progress::Progress;
use super::rows::{Rows, RowsError};
use super::{Consumer, HandleError};
use crate::failpoint;
use crate::log::{LogError, LogReader, Need, Position, Recorded, Tail};
use crate::ports::Clock;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

static PARK: Sql =
    Sql { text: "INSERT INTO parked (consumer, position, stream, at, error) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING", types: "tiiit", key: 2 };
const TRIES: u32 = 3;

/// How a consumer is run.
#[derive(Debug, Clone, Copy)]
pub struct RunnerSettings {
    /// Events in one batch.
    pub batch: usize,
    /// How long to let events gather before a batch, unless somebody waits for them: rows that
    /// are written once instead of three times cost a third.
    pub linger: Duration,
    /// Pause after a first failure of the store; doubles up to a hundredfold.
    pub back_off: Duration,
}

impl Default for RunnerSettings {
    fn default() -> Self {
        Self { batch: 5_000, linger: Duration::ZERO, back_off: Duration::from_millis(50) }
    }
}

/// See the module.
pub struct Runner<C> {
    consumer: C,
    log: Arc<dyn LogReader>,
    tail: Arc<Tail>,
    rows: Arc<dyn Rows>,
    clock: Arc<dyn Clock>,
    progress: Progress,
    settings: RunnerSettings,
}

/// Why a consumer does not run any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to stop, or has come as far as it was told.
    AsTold,
    /// Another replica runs it.
    Fenced,
    /// There is an event that this version does not know; another replica may be newer.
    Newer,
}

/// Why a batch could not be taken in.
enum Trouble {
    Store(RowsError),
    Event(HandleError),
}

/// Why the runner could not go on.
enum Failure {
    /// Worth trying again.
    Passing(String),
    /// Not here.
    Ends(Ended),
}

impl From<RowsError> for Failure {
    fn from(error: RowsError) -> Self {
        match error {
            RowsError::Fenced => Self::Ends(Ended::Fenced),
            error => Self::Passing(error.to_string()),
        }
    }
}

impl<C: Consumer> Runner<C> {
    /// Puts the parts together.
    pub fn new(
        consumer: C,
        log: Arc<dyn LogReader>,
        tail: Arc<Tail>,
        rows: Arc<dyn Rows>,
        clock: Arc<dyn Clock>,
        progress: Progress,
        settings: RunnerSettings,
    ) -> Self {
        Self { consumer, log, tail, rows, clock, progress, settings }
    }

    /// Runs until told to stop, or, where `until` is given, until it has come that far, or until it can
    /// only run on another replica.
    pub async fn run(mut self, stop: CancellationToken, until: Option<Position>) -> Ended {
        let name = self.consumer.name();
        let _needed = self.tail.need(Need::ALL);
        let mut state: Option<(Position, HashSet<u64>)> = None;
        let mut failures = 0_u32;
        let mut head = self.tail.watch();
        let mut wanted = self.progress.wanted();
        while !stop.is_cancelled() {
            let Some((position, parked)) = &mut state else {
                match self.start().await {
                    Ok(start) => {
                        self.progress.advance(start.0);
                        state = Some(start);
                    }
                    Err(failure) => {
                        if let Some(ended) = self.pause(name, &mut failures, failure, &stop).await {
                            return ended;
                        }
                    }
                }
                continue;
            };
            if until.is_some_and(|until| *position >= until) {
                return Ended::AsTold;
            }
            if *position >= *head.borrow_and_update() {
                metrics::gauge!("bongsu_consumer_lag_events", "consumer" => name).set(0.0);
                tokio::select! {
                    changed = head.changed() => if changed.is_err() { return Ended::AsTold },
                    () = stop.cancelled() => return Ended::AsTold,
                }
                if !self.settings.linger.is_zero() && *wanted.borrow_and_update() <= *position {
                    tokio::select! {
                        () = self.clock.sleep(self.settings.linger) => {}
                        changed = wanted.changed() => if changed.is_err() { return Ended::AsTold },
                        () = stop.cancelled() => return Ended::AsTold,
                    }
                }
            }
            let taken = match self.page(*position).await {
                Ok(page) => self.take(&page, position, parked).await,
                Err(Unread::Store(error)) => Err(Failure::Passing(error)),
                Err(Unread::Newer(reason)) if self.rows.is_shared() => {
                    tracing::error!(consumer = name, reason, "this version does not know an event; a newer replica has to run this consumer");
                    Err(Failure::Ends(Ended::Newer))
                }
                Err(Unread::Newer(reason)) => Err(Failure::Passing(reason)),
                Err(Unread::Poison(at, stream, reason)) => self.park(at, stream, &reason, position, parked).await,
            };
            match taken {
                Ok(()) => {
                    failures = 0;
                    self.progress.advance(*position);
                    let head = self.tail.head();
                    #[allow(clippy::cast_precision_loss, reason = "a gauge")]
                    metrics::gauge!("bongsu_consumer_lag_events", "consumer" => name).set(head.saturating_sub(*position) as f64);
                }
                Err(failure) => {
                    if let Some(ended) = self.pause(name, &mut failures, failure, &stop).await {
                        return ended;
                    }
                    // A commit whose answer was lost may have taken place, and the next batch is longer
                    // than this one was: rows that count would count again. The store says how far it is.
                    state = None;
                }
            }
        }
        Ended::AsTold
    }

    async fn start(&self) -> Result<(Position, HashSet<u64>), Failure> {
        let name = self.consumer.name();
        let position = self.rows.begin(name).await?;
        let parked = self.rows.parked(name).await?;
        Ok((position, parked.into_iter().collect()))
    }

    async fn page(&self, after: Position) -> Result<Vec<Arc<Recorded>>, Unread> {
        if let Some(page) = self.tail.read_after(after, self.settings.batch) {
            return Ok(whole(page, self.settings.batch));
        }
        let mut limit = self.settings.batch;
        loop {
            match self.log.read_after(after, limit, self.consumer.opens()).await {
                Ok(page) => return Ok(whole(page, limit)),
                Err(LogError::Poison { position, stream, reason }) => {
                    if position <= after + 1 {
                        return Err(Unread::Poison(position, stream, reason));
                    }
                    limit = usize::try_from(position - 1 - after).unwrap_or(limit).min(limit);
                }
                Err(LogError::Newer { reason, .. }) => return Err(Unread::Newer(reason)),
                Err(error) => return Err(Unread::Store(format!("{error} ({error:?})"))),
            }
        }
    }

    /// Takes a page in: as a whole, or, if an event of it fails, one by one.
    async fn take(&mut self, page: &[Arc<Recorded>], position: &mut Position, parked: &mut HashSet<u64>) -> Result<(), Failure> {
        let Some(last) = page.last() else {
            return Ok(());
        };
        let touched = !parked.is_empty() && page.iter().any(|event| parked.contains(&event.number));
        if !touched {
            match self.try_apply(page, last.position).await {
                Ok(()) => {
                    *position = last.position;
                    return Ok(());
                }
                Err(Trouble::Store(_)) if failpoint::planted("batch-skipped") => {
                    *position = last.position;
                    return Ok(());
                }
                Err(Trouble::Store(error)) => return Err(error.into()),
                Err(Trouble::Event(error)) => {
                    tracing::warn!(consumer = self.consumer.name(), %error, "a batch failed; its events are taken one by one")
                }
            }
        }
        for event in page {
            if parked.contains(&event.number) {
                self.park(event.position, event.number, "an earlier event of this stream is parked", position, parked).await?;
                continue;
            }
            let mut tries = 0;
            loop {
                match self.try_apply(std::slice::from_ref(event), event.position).await {
                    Ok(()) => {
                        *position = event.position;
                        break;
                    }
                    Err(Trouble::Store(error)) => return Err(error.into()),
                    Err(Trouble::Event(error)) => {
                        tries += 1;
                        if tries == TRIES {
                            self.park(event.position, event.number, &error.reason, position, parked).await?;
                            break;
                        }
                    }
                }
            }
            self.progress.advance(*position);
        }
        Ok(())
    }

    async fn try_apply(&mut self, events: &[Arc<Recorded>], checkpoint: Position) -> Result<(), Trouble> {
        let mut changes = Changes::default();
        if let Err(error) = self.consumer.handle(events, &mut changes) {
            self.consumer.abandoned();
            return Err(Trouble::Event(error));
        }
        if failpoint::planted("checkpoint-first") {
            drop(self.rows.apply(self.consumer.name(), Changes::default(), checkpoint).await);
            failpoint::dawdle("checkpoint-first", self.clock.as_ref()).await;
        }
        match self.rows.apply(self.consumer.name(), changes, checkpoint).await {
            Ok(()) => {
                self.consumer.committed();
                Ok(())
            }
            Err(error) => {
                self.consumer.abandoned();
                Err(Trouble::Store(error))
            }
        }
    }

    async fn park(&self, at: Position, stream: u64, reason: &str, position: &mut Position, parked: &mut HashSet<u64>) -> Result<(), Failure> {
        let name = self.consumer.name();
        let mut changes = Changes::default();
        changes.push(&PARK, vec![name.into(), at.into(), stream.into(), self.clock.now().into(), reason.into()]);
        self.rows.apply(name, changes, at).await?;
        *position = at;
        parked.insert(stream);
        metrics::counter!("bongsu_consumer_parked_total", "consumer" => name).increment(1);
        tracing::error!(consumer = name, position = at, stream, reason, "an event was parked; see `bongsu projection parked`");
        Ok(())
    }

    /// Waits before another try, where that is worth it.
    async fn pause(&self, name: &'static str, failures: &mut u32, failure: Failure, stop: &CancellationToken) -> Option<Ended> {
        let error = match failure {
            Failure::Passing(error) => error,
            Failure::Ends(ended) => return Some(ended),
        };
        let pause = self.settings.back_off * 2_u32.pow((*failures).min(7));
        *failures += 1;
        metrics::counter!("bongsu_consumer_errors_total", "consumer" => name).increment(1);
        tracing::warn!(consumer = name, error, failures = *failures, "a consumer could not go on; it tries again");
        tokio::select! {
            () = self.clock.sleep(pause) => {}
            () = stop.cancelled() => {}
        }
        None
    }
}

enum Unread {
    Store(String),
    Newer(String),
    Poison(Position, u64, String),
}

/// A full page without its last stream's last events, since more of the same commit may follow:
/// a consumer sees what was committed to a stream at once in one batch.
fn whole(mut page: Vec<Arc<Recorded>>, limit: usize) -> Vec<Arc<Recorded>> {
    if page.len() < limit {
        return page;
    }
    let Some(last) = page.last().map(|event| event.number) else { return page };
    let keep = page.iter().rposition(|event| event.number != last).map_or(page.len(), |index| index + 1);
    page.truncate(keep);
    page
}
