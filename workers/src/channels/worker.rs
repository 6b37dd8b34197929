//! The loop of one route, a channel or its rehearsal: take, choose a provider for each, check, record, call.
//!
//! Only calls that start at once are recorded, never more than the providers offer free slots
//! for. A call that
//! has not begun within a second of its record is not made (`NotMade`).

use super::abroad::Abroad;
use super::attempts::{Attempt, Body, Checked, Doubtful, Prepared, check, content_of};
use super::barrier::{BEGIN_WITHIN, OptOutBarrier};
use super::breaker::BreakerSettings;
use super::calling::{unbroken, with_links};
use super::choosing::Choosing;
use super::concluding::{Concluded, Concluder};
use super::doubtful;
use super::gate::{Gate, Offer, Opening, Serving, Watched};
use super::under_way::UnderWay;
use crate::pending::{DELIVERY, Item, Route};
use crate::providers::Message;
use crate::providers::files::files_of;
use crate::queue::WorkQueue;
use crate::tracking::tracked;
use commands::accept::Facts;
use commands::attachments::Attachments;
use commands::bus::Bus;
use commands::failpoint;
use commands::links::Links;
use commands::log::{CommitOutcome, Lane, LogError, Metadata, Tail};
use commands::ports::{Clock, Random};
use commands::replicas::Peers;
use commands::templates::Templates;
use domain::policy::retry::RetrySchedule;
use domain::policy::routing::Terms;
use domain::values::{Channel, Outcome};
use domain::{AggregateKind, Fact};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
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
    /// The files of e-mails.
    pub attachments: Attachments,
    /// Renders what is made from templates.
    pub templates: Templates,
    /// Retry schedule of each channel that has another than the default.
    pub schedules: HashMap<Channel, RetrySchedule>,
    /// Deliveries in one batch.
    pub batch: usize,
    /// Batches of one route that are being recorded at once: more than one where recording waits for
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
    route: Route,
    gates: Arc<[Arc<Gate>]>,
    /// What each is asked to serve, in the same order.
    terms: Arc<[Terms]>,
    /// Where it may send, where that is bounded.
    abroad: Option<Arc<Abroad>>,
    /// A call has ended.
    freed: Arc<Notify>,
    recording: Arc<Semaphore>,
    /// The last batch could not be recorded.
    failing: Arc<AtomicBool>,
    calls: TaskTracker,
}

impl ChannelWorker {
    /// A worker for the providers of one route; all serve its channel.
    pub fn new(shared: Arc<Shared>, route: Route, providers: Vec<Serving>, breaker: BreakerSettings, abroad: Option<Abroad>) -> Self {
        let recording = Arc::new(Semaphore::new(shared.recording.max(1)));
        let freed = Arc::<Notify>::default();
        let (gates, terms): (Vec<_>, Vec<_>) = providers
            .into_iter()
            .map(|serving| {
                let (gate, terms) = Gate::new(serving, breaker, Arc::clone(&freed));
                (Arc::new(gate), terms)
            })
            .unzip();
        let (gates, terms, abroad) = (gates.into(), terms.into(), abroad.map(Arc::new));
        Self { shared, route, gates, terms, abroad, freed, recording, failing: Arc::default(), calls: TaskTracker::new() }
    }

    /// Its providers, in their order, to be shown to operators.
    pub fn watched(&self) -> Vec<Watched> {
        self.gates.iter().map(|gate| Watched(Arc::clone(gate))).collect()
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
            tracing::error!(channel = %self.route.channel, "recording outcomes broke off; they are recovered at the next start");
        }
    }

    async fn wait(&self, pause: Pause) {
        match pause {
            Pause::None => {}
            Pause::For(pause) => self.shared.clock.sleep(pause).await,
            Pause::Slot(None) => self.freed.notified().await,
            Pause::Slot(Some(pause)) => {
                tokio::select! {
                    () = self.freed.notified() => {}
                    () = self.shared.clock.sleep(pause) => {}
                }
            }
            Pause::Work => self.shared.queue.wait(self.route).await,
        }
    }

    /// What each provider offers; or what to wait for, where none does.
    fn open(&self) -> Result<Vec<Option<Offer>>, Pause> {
        let (now, date) = (self.shared.clock.monotonic(), self.shared.clock.now());
        let (mut offers, mut full, mut soonest) = (Vec::with_capacity(self.gates.len()), false, None::<Duration>);
        for gate in self.gates.iter() {
            offers.push(match gate.open(self.shared.batch, now, date) {
                Opening::Calls(offer) => Some(offer),
                Opening::Full => {
                    full = true;
                    None
                }
                Opening::Wait(pause) => {
                    soonest = Some(soonest.map_or(pause, |soonest| soonest.min(pause)).min(Duration::from_secs(1)));
                    None
                }
            });
        }
        match (offers.iter().any(Option::is_some), full, soonest) {
            (true, ..) => Ok(offers),
            (false, true, soonest) => Err(Pause::Slot(soonest)),
            (false, false, soonest) => Err(Pause::For(soonest.unwrap_or(Duration::from_secs(1)))),
        }
    }

    async fn step(&self, outcomes: &mpsc::Sender<Concluded>, stop: &CancellationToken) -> Pause {
        // Never closed, so there is one some time.
        let Ok(recording) = Arc::clone(&self.recording).acquire_owned().await else { return Pause::None };
        if self.failing.swap(false, Ordering::AcqRel) {
            return Pause::For(Duration::from_millis(200));
        }
        let mut offers = match self.open() {
            Ok(offers) => offers,
            Err(pause) => return pause,
        };
        let most = offers.iter().flatten().map(Offer::left).sum::<usize>().min(self.shared.batch);
        let items = match self.shared.queue.take(self.route, most).await {
            Ok(items) => items,
            Err(error) => {
                tracing::warn!(%error, channel = %self.route.channel, "nothing can be taken; it is tried again");
                return Pause::For(Duration::from_millis(200));
            }
        };
        if items.is_empty() {
            return Pause::Work;
        }
        failpoint::reach("C6");
        offers.iter_mut().flatten().for_each(|offer| offer.keep(items.len()));
        let (worker, outcomes, stop) = (self.clone(), outcomes.clone(), stop.clone());
        self.calls.spawn(async move {
            if let Err(Failed { error, doubtful }) = worker.begin(items, offers, outcomes).await {
                tracing::warn!(%error, channel = %worker.route.channel, "attempts could not be recorded; they are tried again");
                worker.failing.store(true, Ordering::Release);
                doubtful::settle(&worker.shared, doubtful, &stop).await;
            }
            drop(recording);
        });
        Pause::None
    }

    /// Chooses, checks, records and starts the calls of what was taken.
    async fn begin(&self, items: Vec<Item>, offers: Vec<Option<Offer>>, outcomes: mpsc::Sender<Concluded>) -> Result<(), Failed> {
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
        let (mut choosing, unread) = Choosing::among(&self.gates, &self.terms, self.abroad.as_deref(), offers, &self.shared, &items).await;
        failed = failed.or(unread);
        for item in items {
            if failed.is_some() {
                left.back.push(item);
                continue;
            }
            let Some(entered) = self.shared.under_way.enter(&item) else {
                left.over.push(item);
                continue;
            };
            match check(&self.shared, &mut choosing, &metadata, &suppressed, &item).await {
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
        // What nobody was chosen for is free while it is recorded.
        drop(choosing);
        // From before the commit: on another replica the opt-out that waits for this call to begin or
        // lapse counts from its own commit, which is later.
        let since = self.shared.clock.monotonic();
        let committed = match self.shared.bus.committer().commit(Lane::Internal, commits).await {
            Ok(committed) => committed,
            Err(error) => {
                left.let_go(&self.shared).await;
                // No call of theirs begins.
                let doubtful = prepared.into_iter().map(Prepared::unbegun).collect();
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
        let contents = content_of(&self.shared, &starting).await;
        if contents.iter().any(|content| matches!(content, Body::Unread)) {
            failed = Some(LogError::Unavailable { reason: "contents could not be read".to_owned() });
        }
        for (prepared, content) in starting.into_iter().zip(contents) {
            self.call(prepared, content, since, outcomes.clone());
        }
        if !moved.is_empty() {
            self.moved_on(moved, &mut left).await;
        }
        left.let_go(&self.shared).await;
        failed.map_or(Ok(()), |error| Err(Failed { error, doubtful: Vec::new() }))
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

    fn call(&self, prepared: Prepared, content: Body, since: Duration, outcomes: mpsc::Sender<Concluded>) {
        let Prepared { item, attempt, unbegun, entered } = prepared;
        let Some(Attempt { address, from, unsubscribe, tracking, mut slot }) = attempt else { return };
        let (clock, links, attachments) = (Arc::clone(&self.shared.clock), Arc::clone(&self.shared.links), self.shared.attachments.clone());
        self.calls.spawn(async move {
            failpoint::dawdle("calls-dawdle", clock.as_ref()).await;
            slot.used();
            let files = match &content {
                Body::Known(content) => files_of(&attachments, item.delivery.channel, content).await,
                _ => Ok(Vec::new()),
            };
            let began = clock.monotonic();
            let late = clock.monotonic().saturating_sub(since) >= BEGIN_WITHIN;
            let mut cost = None;
            let outcome = match (content, files) {
                _ if late => {
                    drop(unbegun);
                    Outcome::NotMade { code: "not begun in time".to_owned() }
                }
                (_, Err(outcome)) => {
                    drop(unbegun);
                    outcome
                }
                (Body::Erased, _) => {
                    drop(unbegun);
                    Outcome::Permanent { code: "content erased".to_owned() }
                }
                (Body::Damaged, _) => {
                    drop(unbegun);
                    Outcome::Permanent { code: "content damaged".to_owned() }
                }
                (Body::Unrendered(code), _) => {
                    drop(unbegun);
                    Outcome::Permanent { code: code.to_owned() }
                }
                (Body::Unread, _) => {
                    drop(unbegun);
                    Outcome::NotMade { code: "content not read".to_owned() }
                }
                (Body::Known(content), Ok(files)) => {
                    let message = Message {
                        notification: item.notification,
                        delivery: item.delivery.number,
                        attempt: item.delivery.attempt,
                        priority: item.priority,
                        content: with_links(&links, &item, unsubscribe.as_ref(), tracked(content, tracking.as_deref()), clock.now()),
                        address,
                        from,
                        files,
                        unsubscribe,
                        expires_at: item.expires_at,
                        requested_at: item.requested_at,
                        after_unknown: item.delivery.after_unknown || item.delivery.unknown_repeats > 0,
                    };
                    #[allow(clippy::cast_precision_loss, reason = "a histogram")]
                    metrics::histogram!("bongsu_accept_to_provider_seconds", "channel" => item.delivery.channel.name())
                        .record((clock.now() - item.requested_at) as f64 / 1e3);
                    let call = slot.provider().send(&message);
                    drop(unbegun);
                    let outcome = match unbroken(call).await {
                        Outcome::Unknown { code } if failpoint::planted("unknown-as-failed") => Outcome::Retry { after: None, code },
                        outcome => outcome,
                    };
                    cost = slot.cost(&message, &outcome);
                    failpoint::reach("C8");
                    metrics::histogram!("bongsu_provider_call_seconds", "provider" => slot.provider().name().to_owned())
                        .record(clock.monotonic().saturating_sub(began).as_secs_f64());
                    outcome
                }
            };
            failpoint::reach("C9");
            let now = clock.monotonic();
            slot.learn(&outcome, now.saturating_sub(began), now);
            let concluded = Concluded { item, outcome, trial: slot.is_trial(), cost, entered };
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
    doubtful: Vec<Doubtful>,
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
    /// A free slot, or a gate that opens.
    Slot(Option<Duration>),
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
    let lost = in_flight
        .into_iter()
        .map(|item| Concluded { item, outcome: Outcome::Unknown { code: "process ended".to_owned() }, trial: false, cost: None, entered: None })
        .collect();
    concluder.conclude(lost).await?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use super::unbroken;
    use domain::values::Outcome;

    #[tokio::test]
    async fn a_call_that_panics_is_of_unknown_outcome() {
        assert_eq!(unbroken(Box::pin(async { panic!("planted") })).await, Outcome::Unknown { code: "the call broke off".to_owned() });
        assert_eq!(unbroken(Box::pin(async { Outcome::Accepted { provider_id: None } })).await, Outcome::Accepted { provider_id: None });
    }
}
