//! Runs one consumer: read a batch, handle it, commit rows and checkpoint, report the lag.
//!
//! A store that refuses is asked again, with back-off, with the same batch. An event that fails
//! alone three times is parked together with all later events of its stream: loud, never
//! skipped silently, and nobody else waits for it.

use super::changes::{Changes, Sql};
use super::progress::Progress;
use super::rows::Rows;
use super::{Consumer, HandleError};
use crate::failpoint;
use crate::log::{LogError, LogReader, Position, Recorded, Tail};
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

/// Why a batch could not be taken in.
enum Trouble {
    Store(String),
    Event(HandleError),
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

    /// Runs until told to stop, or, where `until` is given, until it has come that far.
    pub async fn run(mut self, stop: CancellationToken, until: Option<Position>) {
        let name = self.consumer.name();
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
                    Err(error) => self.pause(name, &mut failures, &error, &stop).await,
                }
                continue;
            };
            if until.is_some_and(|until| *position >= until) {
                return;
            }
            if *position >= *head.borrow_and_update() {
                metrics::gauge!("bongsu_consumer_lag_events", "consumer" => name).set(0.0);
                tokio::select! {
                    changed = head.changed() => if changed.is_err() { return },
                    () = stop.cancelled() => return,
                }
                if !self.settings.linger.is_zero() && *wanted.borrow_and_update() <= *position {
                    tokio::select! {
                        () = self.clock.sleep(self.settings.linger) => {}
                        changed = wanted.changed() => if changed.is_err() { return },
                        () = stop.cancelled() => return,
                    }
                }
            }
            let taken = match self.page(*position).await {
                Ok(page) => self.take(&page, position, parked).await,
                Err(Unread::Store(error)) => Err(error),
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
                Err(error) => self.pause(name, &mut failures, &error, &stop).await,
            }
        }
    }

    async fn start(&self) -> Result<(Position, HashSet<u64>), String> {
        let name = self.consumer.name();
        let position = self.rows.checkpoint(name).await.map_err(|error| error.to_string())?;
        let parked = self.rows.parked(name).await.map_err(|error| error.to_string())?;
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
                Err(error) => return Err(Unread::Store(format!("{error} ({error:?})"))),
            }
        }
    }

    /// Takes a page in: as a whole, or, if an event of it fails, one by one.
    async fn take(&mut self, page: &[Arc<Recorded>], position: &mut Position, parked: &mut HashSet<u64>) -> Result<(), String> {
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
                Err(Trouble::Store(error)) => return Err(error),
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
                    Err(Trouble::Store(error)) => return Err(error),
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
                Err(Trouble::Store(error.to_string()))
            }
        }
    }

    async fn park(&self, at: Position, stream: u64, reason: &str, position: &mut Position, parked: &mut HashSet<u64>) -> Result<(), String> {
        let name = self.consumer.name();
        let mut changes = Changes::default();
        changes.push(&PARK, vec![name.into(), at.into(), stream.into(), self.clock.now().into(), reason.into()]);
        self.rows.apply(name, changes, at).await.map_err(|error| error.to_string())?;
        *position = at;
        parked.insert(stream);
        metrics::counter!("bongsu_consumer_parked_total", "consumer" => name).increment(1);
        tracing::error!(consumer = name, position = at, stream, reason, "an event was parked; see `bongsu projection parked`");
        Ok(())
    }

    async fn pause(&self, name: &'static str, failures: &mut u32, error: &str, stop: &CancellationToken) {
        let pause = self.settings.back_off * 2_u32.pow((*failures).min(7));
        *failures += 1;
        metrics::counter!("bongsu_consumer_errors_total", "consumer" => name).increment(1);
        tracing::warn!(consumer = name, error, failures = *failures, "a consumer could not go on; it tries again");
        tokio::select! {
            () = self.clock.sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

enum Unread {
    Store(String),
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
