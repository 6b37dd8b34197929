//! Asks for what is due, in its order, and waits for what is next.
//!
//! One at a time does it, since more would only conflict; what is asked is put off until the table
//! shows what became of it. Time is looked at once a second at least, so a clock that is set ahead
//! fires what has come due by it, and one that is set back waits.

use super::TIMERS;
use super::asks::{Answer, Asks};
use super::project::Changed;
use super::put_off::PutOff;
use super::rows::{Row, TimerRows};
use commands::consumer::Progress;
use commands::due::DueTimer;
use commands::failpoint;
use commands::log::{LogError, Metadata, Tail};
use commands::ports::Clock;
use domain::values::Millis;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How timers are fired.
#[derive(Debug, Clone, Copy)]
pub struct FiringSettings {
    /// Timers asked at once.
    pub batch: usize,
    /// How often to look at the clock and the table at least.
    pub every: Duration,
    /// Pause after a first failure of the log; doubles up to a hundredfold.
    pub back_off: Duration,
}

impl Default for FiringSettings {
    fn default() -> Self {
        Self { batch: 500, every: Duration::from_secs(1), back_off: Duration::from_millis(100) }
    }
}

/// See the module. Clones fire the same timers.
#[derive(Clone)]
pub struct Firing {
    /// What is to be asked.
    pub rows: TimerRows,
    /// Who is asked.
    pub asks: Arc<dyn Asks>,
    /// How far the table is.
    pub table: Progress,
    /// Says when it has changed.
    pub changed: Changed,
    /// What happens.
    pub tail: Arc<Tail>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// See there.
    pub settings: FiringSettings,
}

impl Firing {
    /// Fires until told to stop, and then stops at once: what was asked and not answered is asked again.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = self.fire() => {}
            () = stop.cancelled() => {}
        }
    }

    async fn fire(&self) {
        let mut put_off = PutOff::default();
        let mut failures = 0_u32;
        loop {
            match self.round(&mut put_off).await {
                Ok(None) => failures = 0,
                Ok(Some(pause)) => {
                    failures = 0;
                    tokio::select! {
                        () = self.clock.sleep(pause) => {}
                        () = self.changed.notified() => {}
                    }
                }
                Err(error) => {
                    let pause = self.settings.back_off * 2_u32.pow(failures.min(7));
                    failures += 1;
                    metrics::counter!("bongsu_timers_errors_total").increment(1);
                    tracing::warn!(%error, reason = error.reason(), failures, "what is due cannot be asked; it is tried again");
                    self.clock.sleep(pause).await;
                }
            }
        }
    }

    /// Asks for the first that are due; where there are none, says how long to wait.
    async fn round(&self, put_off: &mut PutOff) -> Result<Option<Duration>, LogError> {
        let (now, monotonic) = (self.clock.now(), self.clock.monotonic());
        let due = self.look(put_off, now, monotonic).await?;
        if due.is_empty() {
            let next = self.rows.next(now).await?.map(|due| Duration::from_millis(due.abs_diff(now)));
            let again = put_off.next().map(|again| again.saturating_sub(monotonic));
            let pause = next.into_iter().chain(again).fold(self.settings.every, Duration::min);
            return Ok(Some(pause.max(Duration::from_millis(1))));
        }
        let answers = self.ask(&due).await?;
        for (row, answer) in due.iter().zip(&answers) {
            let times = match answer {
                Answer::Early { due } => put_off.early(row.key(), monotonic, Duration::from_millis(due.abs_diff(now))),
                Answer::Done | Answer::Failed { .. } => put_off.asked(row.key(), monotonic),
            };
            tell(row, answer, times, now);
        }
        // What was decided shows in the table. What does not is asked again after a pause.
        self.table.reached(self.tail.head()).await;
        Ok(None)
    }

    /// The first that are due and not put off.
    async fn look(&self, put_off: &mut PutOff, now: Millis, monotonic: Duration) -> Result<Vec<Row>, LogError> {
        #[allow(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("bongsu_timers_due").set(self.rows.count(now).await? as f64);
        let mut found = HashSet::with_capacity(put_off.len());
        let mut after = None;
        loop {
            let page = self.rows.due(now, after, self.settings.batch).await?;
            let last = page.last().map(Row::key);
            found.extend(page.iter().map(Row::key));
            let open: Vec<Row> = page.into_iter().filter(|row| put_off.allows(&row.key(), monotonic)).collect();
            if !open.is_empty() || last.is_none() {
                put_off.keep(&found, last.as_ref());
                return Ok(open);
            }
            after = last;
        }
    }

    /// An answer for each. What cannot be read for one keeps no other from being asked.
    async fn ask(&self, due: &[Row]) -> Result<Vec<Answer>, LogError> {
        let timers = |rows: &[Row]| rows.iter().map(|row| DueTimer { stream: row.stream, name: row.name }).collect();
        let metadata = Arc::new(Metadata::of(TIMERS));
        if failpoint::planted("timers-twice") {
            let (asked, _) = tokio::join!(self.asks.ask(Arc::clone(&metadata), timers(due)), self.asks.ask(Arc::clone(&metadata), timers(due)));
            return asked;
        }
        match self.asks.ask(Arc::clone(&metadata), timers(due)).await {
            Err(LogError::Poison { .. } | LogError::Newer { .. }) => {}
            answers => return answers,
        }
        let mut answers = Vec::with_capacity(due.len());
        for row in due {
            match self.asks.ask(Arc::clone(&metadata), timers(std::slice::from_ref(row))).await {
                Ok(answer) => answers.extend(answer),
                Err(LogError::Poison { reason, .. } | LogError::Newer { reason, .. }) => answers.push(Answer::Failed { reason }),
                Err(error) => return Err(error),
            }
        }
        Ok(answers)
    }
}

fn tell(row: &Row, answer: &Answer, times: u32, now: Millis) {
    let timer = row.name.name();
    let outcome = match answer {
        Answer::Done => "done",
        Answer::Early { .. } => "early",
        Answer::Failed { .. } => "failed",
    };
    metrics::counter!("bongsu_timers_asked_total", "timer" => timer, "answer" => outcome).increment(1);
    #[allow(clippy::cast_precision_loss, reason = "a histogram")]
    metrics::histogram!("bongsu_timers_lag_seconds", "timer" => timer).record(now.saturating_sub(row.due) as f64 / 1e3);
    match answer {
        Answer::Failed { reason } => {
            tracing::error!(timer, stream = %row.stream.id, number = row.number, times, reason, "what is due could not be decided; it is asked again after a pause");
        }
        Answer::Done if times > 1 => {
            tracing::warn!(timer, stream = %row.stream.id, number = row.number, times, "what was decided does not show in the table yet; it is asked again after a pause");
        }
        Answer::Done | Answer::Early { .. } => {}
    }
}
