//! Group commit: the commands of many callers become durable in one transaction.
//!
//! A thread of its own takes whatever is waiting, commits it and answers each caller; while it
//! waits for the disk the next batch gathers. So the batch grows with the load by itself, and
//! nobody waits for a timer when there is none. A commit per command would cost an fsync each.
//!
//! While the store refuses (disk full, failing disk) everybody is answered so, and nothing is
//! acknowledged. The thread then tries by itself whether it can write again: a server that is not
//! ready gets no requests, so waiting for one to prove the opposite would never end.

#[cfg(test)]
mod tests;

use super::append::{Batch, Commit, CommitOutcome, LogError, LogWriter, RowChanges};
use super::recorded::{Position, Recorded};
use super::tail::Tail;
use crate::consumer::Changes;
use crate::failpoint;
use crate::ports::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Called with the events of every commit before anybody is answered or woken: caches are
/// filled here, so that no follower can meet one that is older than the event it holds.
pub trait AfterCommit: Send + Sync + 'static {
    /// Takes the events of a transaction, in order.
    fn committed(&self, events: &[Arc<Recorded>]);
    /// Takes what other replicas have committed, as far as it is [told](super::Need).
    fn learned(&self, events: &[Arc<Recorded>]) {
        self.committed(events);
    }
    /// Everything up to here was committed by now, whoever did it. Said before anybody is answered.
    fn passed(&self, _: Position) {}
}

/// Who is asking: ours goes first, so that a flood of requests cannot hold up deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Requests from outside; refused when too many wait.
    Request,
    /// Requests from outside that must get through when the others do not: they wait apart, and go
    /// before them.
    Urgent,
    /// Our own workers and process managers; waits for room.
    Internal,
}

/// How long to let more gather, asked for each transaction; not at all by default.
#[derive(Clone, Default)]
pub struct Linger(Option<Arc<dyn Fn() -> Duration + Send + Sync>>);

impl Linger {
    /// As long as this says at the moment.
    pub fn of(how_long: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(how_long)))
    }

    fn now(&self) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |how_long| how_long())
    }
}

impl std::fmt::Debug for Linger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Linger").field(&self.now()).finish()
    }
}

/// Bounds of the committer.
#[derive(Debug, Clone)]
pub struct CommitterSettings {
    /// Events in one transaction, about.
    pub batch_events: usize,
    /// How long to let more gather once something has come, of our own or of others: worth it where a
    /// transaction costs several round trips, however small it is.
    pub linger: Linger,
    /// Requests that may wait in each lane.
    pub queue: usize,
    /// Pause between two tries to write, while the store refuses.
    pub probe: Duration,
}

impl Default for CommitterSettings {
    fn default() -> Self {
        Self { batch_events: 2_000, linger: Linger::default(), queue: 1_024, probe: Duration::from_secs(1) }
    }
}

enum Work {
    Commits { commits: Vec<Commit>, reply: oneshot::Sender<Result<Vec<CommitOutcome>, LogError>> },
    Rows { changes: Changes, reply: oneshot::Sender<Result<(), LogError>> },
}

/// The way in to the log. Clones share one thread.
#[derive(Clone)]
pub struct Committer {
    requests: mpsc::Sender<Work>,
    urgent: mpsc::Sender<Work>,
    internal: mpsc::Sender<Work>,
    wake: SyncSender<()>,
    others: Arc<AtomicBool>,
    trouble: watch::Receiver<Option<LogError>>,
}

impl std::fmt::Debug for Committer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Committer")
    }
}

impl Committer {
    /// Starts the thread. It ends when the last clone is gone; the handle reports a panic.
    pub fn start(
        writer: impl LogWriter,
        tail: Arc<Tail>,
        after: Vec<Arc<dyn AfterCommit>>,
        clock: Arc<dyn Clock>,
        settings: CommitterSettings,
    ) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (requests, from_requests) = mpsc::channel(settings.queue);
        let (urgent, from_urgent) = mpsc::channel(settings.queue);
        let (internal, from_internal) = mpsc::channel(settings.queue);
        // One token suffices: it says «look», not how much there is.
        let (wake, woken) = std::sync::mpsc::sync_channel(1);
        let (report, trouble) = watch::channel(None);
        let others = Arc::new(AtomicBool::new(false));
        let from_others = Arc::clone(&others);
        let thread = Thread { writer: Box::new(writer), tail, after, clock, settings, from_requests, from_urgent, from_internal, from_others, report };
        let handle = std::thread::Builder::new().name("committer".to_owned()).spawn(move || thread.run(&woken))?;
        Ok((Self { requests, urgent, internal, wake, others, trouble }, handle))
    }

    /// Appends the commits, each on its own merits; answers when they are durable.
    pub async fn commit(&self, lane: Lane, commits: Vec<Commit>) -> Result<Vec<CommitOutcome>, LogError> {
        let (reply, answer) = oneshot::channel();
        let work = Work::Commits { commits, reply };
        match lane {
            Lane::Request => offer(&self.requests, work)?,
            Lane::Urgent => offer(&self.urgent, work)?,
            Lane::Internal => self.internal.send(work).await.map_err(|_| LogError::Closed)?,
        }
        self.look();
        answer.await.map_err(|_| LogError::Closed)?
    }

    /// Changes a consumer's rows beside the log.
    pub async fn change_rows(&self, changes: Changes) -> Result<(), LogError> {
        let (reply, answer) = oneshot::channel();
        self.internal.send(Work::Rows { changes, reply }).await.map_err(|_| LogError::Closed)?;
        self.look();
        answer.await.map_err(|_| LogError::Closed)?
    }

    /// Why nothing can be committed at the moment; none while it can.
    pub fn trouble(&self) -> Option<LogError> {
        self.trouble.borrow().clone()
    }

    /// Says that others have appended something.
    pub fn look_for_others(&self) {
        self.others.store(true, Ordering::Release);
        self.look();
    }

    fn look(&self) {
        // Full means that the thread has been told already.
        let _ = self.wake.try_send(());
    }
}

/// Puts a request in line, if there is room.
fn offer(line: &mpsc::Sender<Work>, work: Work) -> Result<(), LogError> {
    line.try_send(work).map_err(|error| match error {
        mpsc::error::TrySendError::Full(_) => LogError::Overloaded,
        mpsc::error::TrySendError::Closed(_) => LogError::Closed,
    })
}

struct Thread {
    writer: Box<dyn LogWriter>,
    tail: Arc<Tail>,
    after: Vec<Arc<dyn AfterCommit>>,
    clock: Arc<dyn Clock>,
    settings: CommitterSettings,
    from_requests: mpsc::Receiver<Work>,
    from_urgent: mpsc::Receiver<Work>,
    from_internal: mpsc::Receiver<Work>,
    from_others: Arc<AtomicBool>,
    report: watch::Sender<Option<LogError>>,
}

enum Waiting {
    Commits(usize, oneshot::Sender<Result<Vec<CommitOutcome>, LogError>>),
    Rows(oneshot::Sender<Result<(), LogError>>),
}

/// What goes into one transaction, and who waits for it.
#[derive(Default)]
struct Gathered {
    batch: Batch,
    waiting: Vec<Waiting>,
    events: usize,
}

impl Thread {
    fn run(mut self, woken: &Receiver<()>) {
        loop {
            let mut gathered = Gathered::default();
            self.gather(&mut gathered);
            if gathered.waiting.is_empty() {
                if self.sleep(woken).is_err() {
                    // All senders are gone, and a last look found nothing: closed.
                    self.gather(&mut gathered);
                    if gathered.waiting.is_empty() {
                        return;
                    }
                    self.commit(gathered.batch, gathered.waiting);
                }
                continue;
            }
            self.linger(&mut gathered, woken);
            self.commit(gathered.batch, gathered.waiting);
        }
    }

    /// Lets more gather for a moment.
    fn linger(&mut self, gathered: &mut Gathered, woken: &Receiver<()>) {
        let linger = self.settings.linger.now();
        if linger.is_zero() {
            return;
        }
        let until = self.clock.monotonic() + linger;
        while gathered.events < self.settings.batch_events {
            let left = until.saturating_sub(self.clock.monotonic());
            if left.is_zero() || woken.recv_timeout(left) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
            self.gather(gathered);
        }
    }

    /// Waits for work; while the store refuses, also tries whether it still does, and where others
    /// append too, looks for what they did.
    fn sleep(&mut self, woken: &Receiver<()>) -> Result<(), RecvTimeoutError> {
        if self.report.borrow().is_some() {
            match woken.recv_timeout(self.settings.probe) {
                Err(RecvTimeoutError::Timeout) => {
                    let result = self.writer.probe();
                    self.tell_others();
                    self.tail.skip_to(self.writer.head());
                    self.tell_place();
                    self.note(result.err());
                }
                other => return other,
            }
        } else if let Some(pause) = self.writer.follow_every() {
            let mut token = woken.recv_timeout(pause);
            if token.is_ok() && self.from_others.load(Ordering::Acquire) {
                token = self.await_ours(woken);
                // Who appends reads what others did in any case.
                if token.is_ok() {
                    return token;
                }
            }
            if self.from_others.swap(false, Ordering::AcqRel) || token == Err(RecvTimeoutError::Timeout) {
                self.writer.heed(self.tail.needed());
                let followed = self.writer.follow();
                self.tell_others();
                // What could not be told is met in the store.
                self.tail.skip_to(self.writer.head());
                self.tell_place();
                self.note(followed.err());
            }
            if token == Err(RecvTimeoutError::Disconnected) {
                return token;
            }
        } else {
            return woken.recv().map_err(|_| RecvTimeoutError::Disconnected);
        }
        Ok(())
    }

    /// Others have appended: lets more come of theirs, so that it is read at once, or something of ours.
    fn await_ours(&mut self, woken: &Receiver<()>) -> Result<(), RecvTimeoutError> {
        let until = self.clock.monotonic() + self.settings.linger.now();
        loop {
            if !(self.from_internal.is_empty() && self.from_urgent.is_empty() && self.from_requests.is_empty()) {
                return Ok(());
            }
            let left = until.saturating_sub(self.clock.monotonic());
            if left.is_zero() {
                return Err(RecvTimeoutError::Timeout);
            }
            if let Err(RecvTimeoutError::Disconnected) = woken.recv_timeout(left) {
                return Err(RecvTimeoutError::Disconnected);
            }
        }
    }

    /// Tells the followers what others have appended.
    fn tell_others(&mut self) {
        for told in self.writer.take_others() {
            for after in &self.after {
                after.learned(&told.events);
            }
            self.tail.tell(&told);
        }
    }

    fn tell_place(&self) {
        let head = self.tail.head();
        for after in &self.after {
            after.passed(head);
        }
    }

    /// Keeps for those who ask whether the store refuses; tells the operator when that changes.
    fn note(&self, trouble: Option<LogError>) {
        self.report.send_if_modified(|known| {
            match (&*known, &trouble) {
                (None, None) => return false,
                (None, Some(error)) => tracing::error!(%error, reason = ?error, "the log cannot be written; nothing is accepted until it can"),
                (Some(_), None) => tracing::info!("the log can be written again"),
                (Some(_), Some(_)) => {}
            }
            *known = trouble;
            true
        });
    }

    fn gather(&mut self, gathered: &mut Gathered) {
        let Gathered { batch, waiting, events } = gathered;
        while *events < self.settings.batch_events {
            // Alternately, ours first: no side can keep another out of a batch.
            let mut found = false;
            for lane in [&mut self.from_internal, &mut self.from_urgent, &mut self.from_requests] {
                let Ok(work) = lane.try_recv() else { continue };
                found = true;
                match work {
                    Work::Commits { commits, reply } => {
                        *events += commits.iter().flat_map(|commit| &commit.appends).map(|append| append.events.len()).sum::<usize>() + 1;
                        waiting.push(Waiting::Commits(commits.len(), reply));
                        batch.commits.extend(commits);
                    }
                    Work::Rows { changes, reply } => {
                        *events += changes.len() / 2 + 1;
                        waiting.push(Waiting::Rows(reply));
                        batch.rows.push(RowChanges { changes });
                    }
                }
            }
            if !found {
                break;
            }
        }
    }

    /// Before what was appended now is told: what came into the file before without being told.
    fn skip_untold(&self, outcomes: &[CommitOutcome]) {
        let first = outcomes.iter().find_map(|outcome| match outcome {
            CommitOutcome::Committed { recorded, .. } => recorded.first(),
            CommitOutcome::Conflict { .. } => None,
        });
        self.tail.skip_to(first.map_or_else(|| self.writer.head(), |event| event.position - 1));
    }

    fn commit(&mut self, batch: Batch, waiting: Vec<Waiting>) {
        failpoint::reach("C1");
        let at = self.clock.now();
        // What others appended before this is read with it.
        self.from_others.store(false, Ordering::Release);
        self.writer.heed(self.tail.needed());
        let answer = self.writer.append(batch, at);
        self.tell_others();
        if let Ok(outcomes) = &answer {
            self.skip_untold(outcomes);
        } else {
            self.tail.skip_to(self.writer.head());
        }
        self.note(answer.as_ref().err().cloned());
        if let Ok(outcomes) = &answer {
            failpoint::reach("C3");
            let recorded: Vec<Arc<Recorded>> = outcomes
                .iter()
                .flat_map(|outcome| match outcome {
                    CommitOutcome::Committed { recorded, .. } => recorded.as_slice(),
                    CommitOutcome::Conflict { .. } => &[],
                })
                .cloned()
                .collect();
            for after in &self.after {
                after.committed(&recorded);
            }
            self.tail.publish(&recorded);
            metrics::counter!("bongsu_log_events_total").increment(recorded.len() as u64);
            metrics::counter!("bongsu_log_transactions_total").increment(1);
        }
        self.tell_place();
        // A caller that has gone away needs no answer: what it asked for is in the log.
        match answer {
            Ok(outcomes) => {
                let mut outcomes = outcomes.into_iter();
                for waiter in waiting {
                    match waiter {
                        Waiting::Commits(count, reply) => drop(reply.send(Ok(outcomes.by_ref().take(count).collect()))),
                        Waiting::Rows(reply) => drop(reply.send(Ok(()))),
                    }
                }
                failpoint::reach("C4");
            }
            Err(error) => {
                tracing::warn!(%error, reason = ?error, "the log refused a batch");
                metrics::counter!("bongsu_log_refusals_total").increment(1);
                // Before anybody is answered: who asks after that may have more luck.
                self.refuse_waiting(&error);
                for waiter in waiting {
                    match waiter {
                        Waiting::Commits(_, reply) => drop(reply.send(Err(error.clone()))),
                        Waiting::Rows(reply) => drop(reply.send(Err(error.clone()))),
                    }
                }
            }
        }
    }

    /// Requests that came while the store did not answer are told so now: each further batch would make
    /// them wait as long again. Our own work stays in line.
    fn refuse_waiting(&mut self, error: &LogError) {
        for lane in [&mut self.from_urgent, &mut self.from_requests] {
            while let Ok(work) = lane.try_recv() {
                match work {
                    Work::Commits { reply, .. } => drop(reply.send(Err(error.clone()))),
                    Work::Rows { reply, .. } => drop(reply.send(Err(error.clone()))),
                }
            }
        }
    }
}
