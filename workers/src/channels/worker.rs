//! The loop of one provider: take, check, record, call.
//!
//! Only calls that start at once are recorded, never more than there are free slots. A call that
//! has not begun within a second of its record is not made (`NotMade`).

use super::attempts::{Attempt, Body, Checked, Prepared, check, content_of};
use super::barrier::{BEGIN_WITHIN, OptOutBarrier};
use super::breaker::{Admission, Breaker, BreakerSettings, Permit};
use super::concluding::{Concluded, Concluder};
use super::doubtful;
use super::pace::{Allowed, Pace};
use super::under_way::UnderWay;
use crate::pending::{DELIVERY, Item, Route};
use crate::providers::{Message, Provider};
use crate::queue::WorkQueue;
use crate::tracking::tracked;
use commands::accept::Facts;
use commands::bus::Bus;
use commands::failpoint;
use commands::links::Links;
use commands::log::{CommitOutcome, Lane, LogError, Metadata, Tail};
use commands::ports::{Clock, Random};
use commands::replicas::Peers;
use domain::policy::retry::RetrySchedule;
use domain::values::{Channel, Outcome};
use domain::{AggregateKind, Fact};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What all workers share.
pub struct Shared {
    /// What is ready.
    pub queue: Arc<dyn WorkQueue>,
    /// Who this replica is; nobody, where it is the only one.
    pub peers: watch::Receiver<Arc<Peers>>,
    /// The log.
    pub bus: Bus,
    /// Its newest events.
    pub tail: Arc<Tail>,
    /// The facts for the last check.
    pub facts: Arc<Facts>,
    /// Holds opt-outs' answers.
    pub barrier: Arc<OptOutBarrier>,
    /// What the workers have in their hands.
    pub under_way: Arc<UnderWay>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// Makes the links of e-mails.
    pub links: Arc<Links>,
    /// Retry schedule of each channel that has another than the default.
    pub schedules: HashMap<Channel, RetrySchedule>,
    /// Deliveries in one batch.
    pub batch: usize,
    /// Batches of one provider that are being recorded at once: more than one where recording waits for
    /// round trips, and not for the processor.
    pub recording: usize,
}

impl Shared {
    pub(super) fn schedule(&self, channel: Channel) -> RetrySchedule {
        self.schedules.get(&channel).copied().unwrap_or_else(|| RetrySchedule::default_for(channel))
    }

    pub(super) fn metadata(&self) -> Arc<Metadata> {
        let me = self.peers.borrow().me;
        Arc::new(Metadata { replica: (me != 0).then_some(me), ..Metadata::of(DELIVERY) })
    }

    /// Gives an item back; a queue that does not answer hands it out again by itself, or the table does.
    pub(super) async fn give_back(&self, items: Vec<Item>) {
        if !items.is_empty()
            && let Err(error) = self.queue.give_back(items).await
        {
            tracing::debug!(%error, "what was taken could not be given back");
        }
    }

    /// Lets go of items, likewise.
    pub(super) async fn settle(&self, items: Vec<Item>) {
        if !items.is_empty()
            && let Err(error) = self.queue.settle(items).await
        {
            tracing::debug!(%error, "what was taken could not be settled");
        }
    }
}

/// See the module. Clones are the same worker.
#[derive(Clone)]
pub struct ChannelWorker {
    shared: Arc<Shared>,
    provider: Arc<dyn Provider>,
    route: Route,
    breaker: Arc<Breaker>,
    /// How often it may be called, where that is bounded.
    pace: Option<Arc<Pace>>,
    slots: Arc<Semaphore>,
    recording: Arc<Semaphore>,
    /// The last batch could not be recorded.
    failing: Arc<AtomicBool>,
    calls: TaskTracker,
}

impl ChannelWorker {
    /// A worker for one provider, on the route that it serves.
    pub fn new(shared: Arc<Shared>, provider: Arc<dyn Provider>, sandbox: bool, breaker: BreakerSettings, pace: Option<Pace>) -> Self {
        let route = Route { channel: provider.channel(), sandbox };
        let slots = Arc::new(Semaphore::new(provider.concurrency().max(1)));
        let recording = Arc::new(Semaphore::new(shared.recording.max(1)));
        let (breaker, pace) = (Arc::new(Breaker::new(breaker)), pace.map(Arc::new));
        Self { shared, provider, route, breaker, pace, slots, recording, failing: Arc::default(), calls: TaskTracker::new() }
    }

    /// Its breaker, to be shown to operators.
    pub fn breaker(&self) -> Arc<Breaker> {
        Arc::clone(&self.breaker)
    }

    /// Works until told to stop; then lets the calls under way end and records their outcomes.
    pub async fn run(self, stop: CancellationToken) {
        let (outcomes, concluded) = mpsc::channel(4_096);
        let concluder = tokio::spawn(Concluder::new(Arc::clone(&self.shared)).run(concluded));
        while !stop.is_cancelled() {
            // Only waiting is cut short: what was taken is recorded and called to the end.
            let pause = self.step(&outcomes, &stop).await;
            tokio::select! {
                () = self.wait(pause) => {}
                () = stop.cancelled() => break,
            }
        }
        self.calls.close();
        self.calls.wait().await;
        drop(outcomes);
        if concluder.await.is_err() {
            tracing::error!(provider = self.provider.name(), "recording outcomes broke off; they are recovered at the next start");
        }
    }

    async fn wait(&self, pause: Pause) {
        match pause {
            Pause::None => {}
            Pause::For(pause) => self.shared.clock.sleep(pause).await,
            // Waits for a slot without keeping it.
            Pause::Slot => drop(self.slots.acquire().await),
            Pause::Work => self.shared.queue.wait(self.route).await,
        }
    }

    /// Calls that were allowed and are not made.
    fn paced(&self, unmade: usize) {
        if let Some(pace) = self.pace.as_ref().filter(|_| unmade > 0) {
            pace.give_back(unmade);
        }
    }

    /// Nor is one of them the breaker's probe.
    fn unused(&self, permit: Permit, unmade: usize) {
        self.breaker.unused(permit);
        self.paced(unmade);
    }

    async fn step(&self, outcomes: &mpsc::Sender<Concluded>, stop: &CancellationToken) -> Pause {
        // Never closed, so there is one some time.
        let Ok(recording) = Arc::clone(&self.recording).acquire_owned().await else { return Pause::None };
        if self.failing.swap(false, Ordering::AcqRel) {
            return Pause::For(Duration::from_millis(200));
        }
        let (permit, most) = match self.breaker.admit(self.shared.clock.monotonic()) {
            Admission::Any(permit) => (permit, self.slots.available_permits().min(self.shared.batch)),
            Admission::Probe(permit) => (permit, 1),
            Admission::Wait(pause) => return Pause::For(pause.min(Duration::from_secs(1))),
        };
        if most == 0 {
            return Pause::Slot;
        }
        let most = match self.pace.as_ref().map(|pace| pace.take(most, self.shared.clock.monotonic())) {
            None => most,
            Some(Allowed::Calls(calls)) => calls,
            Some(Allowed::After(pause)) => {
                self.breaker.unused(permit);
                return Pause::For(pause.min(Duration::from_secs(1)));
            }
        };
        let items = match self.shared.queue.take(self.route, most).await {
            Ok(items) => items,
            Err(error) => {
                tracing::warn!(%error, provider = self.provider.name(), "nothing can be taken; it is tried again");
                self.unused(permit, most);
                return Pause::For(Duration::from_millis(200));
            }
        };
        self.paced(most - items.len().min(most));
        if items.is_empty() {
            self.breaker.unused(permit);
            return Pause::Work;
        }
        failpoint::reach("C6");
        // Only this loop takes slots, so there are as many as it has seen.
        let taken = items.len();
        let Ok(slots) = Arc::clone(&self.slots).try_acquire_many_owned(u32::try_from(taken).unwrap_or(u32::MAX)) else {
            self.shared.give_back(items).await;
            self.unused(permit, taken);
            return Pause::Slot;
        };
        let (worker, outcomes, stop) = (self.clone(), outcomes.clone(), stop.clone());
        self.calls.spawn(async move {
            match worker.begin(items, slots, permit, outcomes).await {
                Ok(0) => worker.unused(permit, taken),
                Ok(started) => worker.paced(taken - started.min(taken)),
                Err(Failed { error, doubtful }) => {
                    tracing::warn!(%error, provider = worker.provider.name(), "attempts could not be recorded; they are tried again");
                    worker.failing.store(true, Ordering::Release);
                    worker.breaker.unused(permit);
                    doubtful::settle(&worker.shared, doubtful, &stop).await;
                }
            }
            drop(recording);
        });
        Pause::None
    }

    /// Checks, records and starts the calls of what was taken; says how many it started.
    async fn begin(&self, items: Vec<Item>, mut slots: OwnedSemaphorePermit, permit: Permit, outcomes: mpsc::Sender<Concluded>) -> Result<usize, Failed> {
        let mut prepared = Vec::with_capacity(items.len());
        let mut commits = Vec::with_capacity(items.len());
        let mut left = Left::default();
        let metadata = self.shared.metadata();
        let mut failed = self.shared.facts.prefetch(&self.shared.bus, items.iter().map(|item| item.recipient)).await.err();
        let suppressed = self.shared.facts.suppressed(&self.shared.bus, items.iter().filter_map(|item| item.delivery.address)).await;
        let suppressed = suppressed.unwrap_or_else(|error| {
            failed = Some(error);
            HashSet::new()
        });
        for item in items {
            if failed.is_some() {
                left.back.push(item);
                continue;
            }
            let Some(entered) = self.shared.under_way.enter(&item) else {
                left.over.push(item);
                continue;
            };
            match check(&self.shared, &self.provider, &metadata, &suppressed, &item).await {
                Ok(Checked::Gone) => left.over.push(item),
                Ok(Checked::Commit { commit, attempt }) => {
                    commits.push(*commit);
                    let unbegun = attempt.is_some().then(|| self.shared.barrier.register(item.recipient));
                    prepared.push(Prepared { unbegun, item, attempt, entered: Some(Arc::new(entered)) });
                }
                Err(error) => {
                    left.back.push(item);
                    failed = Some(error);
                }
            }
        }
        // From before the commit: on another replica the opt-out that waits for this call to begin or
        // lapse counts from its own commit, which is later.
        let since = self.shared.clock.monotonic();
        let committed = match self.shared.bus.committer().commit(Lane::Internal, commits).await {
            Ok(committed) => committed,
            Err(error) => {
                left.let_go(&self.shared).await;
                // No call of theirs begins.
                let doubtful = prepared.into_iter().map(|prepared| Prepared { unbegun: None, ..prepared }).collect();
                return Err(Failed { error, doubtful });
            }
        };
        failpoint::reach("C7");
        let mut starting = Vec::with_capacity(prepared.len());
        let mut moved = Vec::new();
        for (mut prepared, outcome) in prepared.into_iter().zip(committed) {
            match outcome {
                CommitOutcome::Committed { recorded, .. } => {
                    for event in &recorded {
                        if let Fact::Notification(fact) = &event.fact {
                            prepared.item.evolve(fact);
                        }
                        prepared.item.sequence = event.sequence;
                    }
                    if !self.shared.queue.follows_log() {
                        left.over.push(Item { requested: None, ..prepared.item.clone() });
                    }
                    if prepared.attempt.is_some() {
                        starting.push(prepared);
                    }
                }
                CommitOutcome::Conflict { stream } if stream.kind == AggregateKind::Notification => moved.push(prepared.item),
                CommitOutcome::Conflict { stream } => {
                    self.shared.facts.forget(stream);
                    left.back.push(prepared.item);
                }
            }
        }
        let started = starting.len();
        let contents = content_of(&self.shared, &starting).await;
        if contents.iter().any(|content| matches!(content, Body::Unread)) {
            failed = Some(LogError::Unavailable { reason: "contents could not be read".to_owned() });
        }
        for (prepared, content) in starting.into_iter().zip(contents) {
            // One was taken for each item.
            let Some(slot) = slots.split(1) else { break };
            self.call(prepared, content, since, permit, slot, outcomes.clone());
        }
        drop(slots);
        if !moved.is_empty() {
            self.moved_on(moved, &mut left).await;
        }
        left.let_go(&self.shared).await;
        failed.map_or(Ok(started), |error| Err(Failed { error, doubtful: Vec::new() }))
    }

    /// Their notifications moved on: what is left of them is decided anew on what is true now.
    async fn moved_on(&self, items: Vec<Item>, left: &mut Left) {
        match super::attempts::reload(&self.shared.bus, items.clone()).await {
            Ok((back, over)) => {
                left.back.extend(back);
                left.over.extend(over);
            }
            Err(error) => {
                tracing::warn!(%error, "deliveries could not be read again; they are tried later");
                left.back.extend(items);
            }
        }
    }

    fn call(&self, prepared: Prepared, content: Body, since: Duration, permit: Permit, slot: OwnedSemaphorePermit, outcomes: mpsc::Sender<Concluded>) {
        let Prepared { item, attempt, unbegun, entered } = prepared;
        let Some(Attempt { address, unsubscribe, tracking }) = attempt else { return };
        let provider = Arc::clone(&self.provider);
        let breaker = Arc::clone(&self.breaker);
        let clock = Arc::clone(&self.shared.clock);
        self.calls.spawn(async move {
            failpoint::dawdle("calls-dawdle", clock.as_ref()).await;
            let late = clock.monotonic().saturating_sub(since) >= BEGIN_WITHIN;
            let outcome = match content {
                _ if late => {
                    drop(unbegun);
                    Outcome::NotMade { code: "not begun in time".to_owned() }
                }
                Body::Erased => {
                    drop(unbegun);
                    Outcome::Permanent { code: "content erased".to_owned() }
                }
                Body::Damaged => {
                    drop(unbegun);
                    Outcome::Permanent { code: "content damaged".to_owned() }
                }
                Body::Unread => {
                    drop(unbegun);
                    Outcome::NotMade { code: "content not read".to_owned() }
                }
                Body::Known(content) => {
                    let message = Message {
                        notification: item.notification,
                        delivery: item.delivery.number,
                        attempt: item.delivery.attempt,
                        priority: item.priority,
                        content: tracked(content, tracking.as_ref()),
                        address,
                        unsubscribe,
                        expires_at: item.expires_at,
                        requested_at: item.requested_at,
                        after_unknown: item.delivery.after_unknown || item.delivery.unknown_repeats > 0,
                    };
                    #[allow(clippy::cast_precision_loss, reason = "a histogram")]
                    metrics::histogram!("bongsu_accept_to_provider_seconds", "channel" => item.delivery.channel.name())
                        .record((clock.now() - item.requested_at) as f64 / 1e3);
                    let began = clock.monotonic();
                    let call = provider.send(&message);
                    drop(unbegun);
                    let outcome = match call.await {
                        Outcome::Unknown { code } if failpoint::planted("unknown-as-failed") => Outcome::Retry { after: None, code },
                        outcome => outcome,
                    };
                    failpoint::reach("C8");
                    metrics::histogram!("bongsu_provider_call_seconds", "provider" => provider.name().to_owned())
                        .record(clock.monotonic().saturating_sub(began).as_secs_f64());
                    outcome
                }
            };
            failpoint::reach("C9");
            breaker.learn(permit, &outcome, clock.monotonic());
            let concluded = Concluded { item, outcome, entered };
            if outcomes.send(concluded).await.is_err() {
                tracing::error!("an outcome could not be handed over; the attempt is recovered at the next start");
            }
            drop(slot);
        });
    }
}

/// Why not all of what was taken was called.
struct Failed {
    error: LogError,
    /// What may have been recorded all the same.
    doubtful: Vec<Prepared>,
}

/// What was taken and is not called.
#[derive(Default)]
pub(super) struct Left {
    /// To be tried again.
    pub back: Vec<Item>,
    /// Not the queue's any more.
    pub over: Vec<Item>,
}

impl Left {
    pub(super) async fn let_go(self, shared: &Shared) {
        shared.give_back(self.back).await;
        shared.settle(self.over).await;
    }
}

/// What to wait for before the next step.
enum Pause {
    None,
    For(Duration),
    Slot,
    Work,
}

/// Records attempts of processes that have ended as unknown. Gives how many.
pub async fn recover(shared: &Arc<Shared>, in_flight: Vec<Item>) -> Result<usize, LogError> {
    let count = in_flight.len();
    // It is asked four times a second, and to append nothing takes a turn at the head of the log all the same.
    if count == 0 {
        return Ok(0);
    }
    let concluder = Concluder::new(Arc::clone(shared));
    let lost = in_flight.into_iter().map(|item| Concluded { item, outcome: Outcome::Unknown { code: "process ended".to_owned() }, entered: None }).collect();
    concluder.conclude(lost).await?;
    Ok(count)
}
