//! From what is owed to the providers.
//!
//! One process: the table catches up, what was in flight when the last process died is recorded as
//! unknown, and only then anything is sent. Several: the table is kept by one of them; what a dead one
//! had in flight is recorded by that one too; and the rest do not wait for it.

use super::following::GATHERING;
use super::{Engine, EngineError, ProviderStatus, REFILL, Together};
use crate::app::supervisor::Supervisor;
use crate::config::Role;
use commands::consumer::{Ended, Runner, RunnerSettings};
use commands::log::Position;
use commands::ports::Clock;
use commands::replicas::{Epoch, Peers, Share};
use domain::policy::routing::Terms;
use domain::values::Channel;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use workers::channels::{Abroad, ChannelWorker, Pace, Serving, Shared, recover};
use workers::pending::{DELIVERY, PendingDeliveries, Route};
use workers::providers::Provider;
use workers::providers::sandbox::SandboxProvider;
use workers::queue::{Mode, Refill, RefillSettings, SwitchingQueue, Wanted};
use workers::window::{Dispatcher, DispatcherSettings, Window};

/// Batches of one provider that are recorded at once, where each waits for round trips.
const RECORDING: usize = 4;
/// Attempts of dead processes that are recorded as unknown at once.
const LOST_AT_ONCE: usize = 500;
/// How often to look for them, and how far the table is where another replica keeps it.
const LOOK_EVERY: Duration = Duration::from_millis(250);

impl Engine {
    /// Starts what delivers. `head` is where the log ended when the process began.
    pub(super) async fn deliver(
        &self,
        providers: Vec<Arc<dyn Provider>>,
        head: Position,
        delivering: &Supervisor,
        following: &Supervisor,
    ) -> Result<Vec<ProviderStatus>, EngineError> {
        let shared = Arc::new(Shared {
            queue: Arc::clone(&self.queue),
            peers: self.peers.clone(),
            bus: self.bus.clone(),
            tail: Arc::clone(&self.tail),
            facts: Arc::clone(&self.facts),
            barrier: Arc::clone(&self.barrier),
            under_way: Arc::default(),
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            links: Arc::clone(&self.links),
            attachments: self.attachments.clone(),
            templates: self.templates.clone(),
            schedules: self.settings.schedules.clone(),
            batch: self.settings.batch,
            recording: if self.together.is_some() { RECORDING } else { 1 },
        });
        let from = match &self.together {
            None => self.recover_all(&shared, head).await?,
            Some(together) => {
                self.share_work(together, &shared, delivering, following);
                head
            }
        };
        self.keep_table(following);
        self.wait(delivering, following);
        let dispatcher = self.dispatcher();
        let switching = self.together.as_ref().and_then(|together| together.switching.as_ref()).map(|(switching, _)| Arc::clone(switching));
        match switching {
            None => delivering.run("window", |stop| async move { dispatcher.run(from, stop).await }),
            Some(queue) => delivering.run("window", |stop| dispatch_while_local(queue, dispatcher, stop)),
        }
        Ok(self.work(providers, &shared, delivering))
    }

    /// Of the only process: nothing is sent before it is known what the last one had in flight.
    async fn recover_all(&self, shared: &Arc<Shared>, head: Position) -> Result<Position, EngineError> {
        self.table_runner(0, RunnerSettings::default()).run(CancellationToken::new(), Some(head)).await;
        loop {
            let in_flight = self.pending.in_flight(&Peers::default(), LOST_AT_ONCE).await?;
            if in_flight.is_empty() {
                return Ok(self.tail.head());
            }
            let lost = recover(shared, in_flight).await?;
            tracing::warn!(attempts = lost, "attempts were under way when the process ended; they are recorded as of unknown outcome");
            self.table_runner(0, RunnerSettings::default()).run(CancellationToken::new(), Some(self.tail.head())).await;
        }
    }

    /// Uses the queue of all replicas while it answers, and puts into it what this one accepts: also where it
    /// delivers nothing itself.
    pub(super) fn feed_queue(&self, delivering: &Supervisor) {
        let Some(together) = &self.together else { return };
        let Some((queue, items)) = &together.switching else { return };
        let (watched, clock) = (Arc::clone(queue), Arc::clone(&self.clock));
        let (always, role, peers) = (self.settings.share_always, Role::Workers.name(), self.peers.clone());
        delivering.run("queue", |stop| async move { watched.watch(clock.as_ref(), Wanted { always, role, peers: peers.clone() }, stop).await });
        let (mode, shares) = (queue.mode(), Arc::clone(&together.shares));
        delivering.run("queue in use", |stop| tell_mode(mode, shares, stop));
        if let Some(items) = items.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let queue = Arc::clone(queue);
            delivering.run("fresh", |stop| items.run(queue, stop));
        }
    }

    /// What replicas do for each other.
    fn share_work(&self, together: &Together, shared: &Arc<Shared>, delivering: &Supervisor, following: &Supervisor) {
        let (turn, clock, table, tail) = (self.turn(DELIVERY), Arc::clone(&self.clock), self.table.clone(), Arc::clone(&self.tail));
        let (pending, peers, shared) = (self.pending.clone(), self.peers.clone(), Arc::clone(shared));
        following.run("recovery", |stop| async move {
            let work = |_, stop: CancellationToken| {
                let (pending, peers, shared, table, tail) = (&pending, &peers, &shared, &table, &tail);
                async move {
                    while !stop.is_cancelled() {
                        let found = Arc::clone(&peers.borrow());
                        let recovered = async { recover(shared, pending.in_flight(&found, LOST_AT_ONCE).await?).await };
                        match recovered.await {
                            Ok(0) => {}
                            Ok(lost) => {
                                tracing::warn!(attempts = lost, "attempts were under way when a replica ended; they are recorded as of unknown outcome");
                                // The table shows it.
                                tokio::select! {
                                    () = table.reached(tail.head()) => {}
                                    () = stop.cancelled() => {}
                                }
                            }
                            Err(error) => tracing::warn!(%error, "what a replica left under way could not be recorded; it is tried again"),
                        }
                        pause(shared.clock.as_ref(), LOOK_EVERY, &stop).await;
                    }
                }
            };
            turn.each(clock.as_ref(), &stop, work).await;
        });

        let (turn, clock, table) = (self.turn(DELIVERY), Arc::clone(&self.clock), self.table.clone());
        let rows = self.beside.rows(self.bus.committer(), 0);
        following.run("table elsewhere", |stop| async move {
            while !stop.is_cancelled() {
                if turn.held().is_none()
                    && let Ok(position) = rows.checkpoint(DELIVERY).await
                {
                    table.learn(position);
                }
                pause(clock.as_ref(), LOOK_EVERY, &stop).await;
            }
        });

        let (window, peers) = (Arc::clone(&self.window), self.peers.clone());
        let mode = together.switching.as_ref().map_or_else(|| watch::channel(Mode::Local).1, |(queue, _)| queue.mode());
        let may_keep = !self.settings.share_always;
        delivering.run("share", |stop| share(window, peers, mode, may_keep, stop));

        if let Some((queue, _)) = &together.switching {
            let refill = Refill {
                queue: Arc::clone(queue),
                rows: self.pending.clone(),
                tail: Arc::clone(&self.tail),
                clock: Arc::clone(&self.clock),
                settings: RefillSettings::default(),
            };
            let ripening = refill.clone();
            delivering.run("timers", |stop| ripening.ripen(stop));
            let (turn, clock) = (self.turn(REFILL), Arc::clone(&self.clock));
            delivering.run("refill", |stop| async move { turn.each(clock.as_ref(), &stop, |_, stop| refill.clone().run(stop)).await });
        }
    }

    /// Keeps the table of what is owed up to date, whenever it is our turn.
    fn keep_table(&self, following: &Supervisor) {
        let (turn, clock) = (self.turn(DELIVERY), Arc::clone(&self.clock));
        let (beside, committer) = (self.beside.clone(), self.bus.committer().clone());
        let (log, tail, table) = (Arc::clone(&self.log), Arc::clone(&self.tail), self.table.clone());
        following.run(DELIVERY, |stop| async move {
            let work = |epoch, stop| {
                let rows = beside.rows(&committer, epoch);
                let runner = Runner::new(PendingDeliveries::default(), Arc::clone(&log), Arc::clone(&tail), rows, Arc::clone(&clock), table.clone(), GATHERING);
                let turn = &turn;
                async move {
                    if runner.run(stop, None).await == Ended::Newer {
                        turn.give_up();
                    }
                }
            };
            turn.each(clock.as_ref(), &stop, work).await;
        });
    }

    fn table_runner(&self, epoch: Epoch, settings: RunnerSettings) -> Runner<PendingDeliveries> {
        let rows = self.beside.rows(self.bus.committer(), epoch);
        Runner::new(PendingDeliveries::default(), Arc::clone(&self.log), Arc::clone(&self.tail), rows, Arc::clone(&self.clock), self.table.clone(), settings)
    }

    fn dispatcher(&self) -> Dispatcher {
        Dispatcher {
            window: Arc::clone(&self.window),
            rows: self.pending.clone(),
            table: self.table.clone(),
            tail: Arc::clone(&self.tail),
            log: Arc::clone(&self.log),
            clock: Arc::clone(&self.clock),
            settings: DispatcherSettings::default(),
        }
    }

    /// A worker for each channel that has providers, and one for each channel of the sandbox.
    fn work(&self, providers: Vec<Arc<dyn Provider>>, shared: &Arc<Shared>, delivering: &Supervisor) -> Vec<ProviderStatus> {
        let mut statuses = Vec::new();
        let mut served: HashMap<Channel, Vec<Serving>> = HashMap::new();
        for provider in providers {
            served.entry(provider.channel()).or_default().push(self.serving(provider));
        }
        for channel in Channel::ALL.into_iter().filter(|channel| channel.has_provider()) {
            if let Some(serving) = served.remove(&channel) {
                let names: Vec<String> = serving.iter().map(|serving| serving.provider.name().to_owned()).collect();
                let abroad = self.settings.abroad.get(&channel).map(|allowed| Abroad::new(channel, allowed.clone()));
                let worker = ChannelWorker::new(Arc::clone(shared), Route { channel, sandbox: false }, serving, self.settings.breaker, abroad);
                statuses.extend(names.into_iter().zip(worker.watched()).map(|(name, watched)| ProviderStatus { name, channel, watched }));
                delivering.run(&format!("worker {channel}"), |stop| async move { worker.run(stop).await });
            } else {
                tracing::info!(%channel, "no provider is configured for this channel; what is queued on it waits");
            }
            let sandbox = vec![Serving::any(Arc::new(SandboxProvider::new(channel)))];
            let rehearsal = ChannelWorker::new(Arc::clone(shared), Route { channel, sandbox: true }, sandbox, self.settings.breaker, None);
            delivering.run(&format!("sandbox {channel}"), |stop| async move { rehearsal.run(stop).await });
        }
        statuses
    }

    /// A provider with what was configured for it.
    fn serving(&self, provider: Arc<dyn Provider>) -> Serving {
        let (name, settings) = (provider.name(), &self.settings);
        let steady = settings.rates.get(name).map(|rate| Pace::new(*rate, self.peers.clone(), Role::Workers.name()));
        let ramp = settings.ramps.get(name).map(|ramp| Pace::ramping(*ramp, self.peers.clone(), Role::Workers.name()));
        let terms = settings.terms.get(name).cloned().unwrap_or_else(|| Terms::any(name));
        let also_from = settings.also_from.get(name).map(|(_, from)| from.clone()).unwrap_or_default();
        let prices = settings.prices.get(name).cloned().unwrap_or_default();
        Serving { terms, also_from, prices, paces: steady.into_iter().chain(ramp).collect(), provider }
    }
}

/// Takes our share of the work, as others come and go; nothing of the table while the shared queue has that.
async fn share(window: Arc<Window>, mut peers: watch::Receiver<Arc<Peers>>, mut mode: watch::Receiver<Mode>, may_keep: bool, stop: CancellationToken) {
    // Without such a queue nobody ever changes it.
    let mut switches = true;
    while !stop.is_cancelled() {
        let found = Arc::clone(&peers.borrow_and_update());
        let workers = found.sharing(Role::Workers.name());
        // Whoever cannot ask who lives goes on as he did.
        if workers.contains(&found.me) {
            let keeps = may_keep && found.living.len() > 1 && found.all_do(Role::Workers.name());
            let share = if *mode.borrow_and_update() == Mode::Shared { Share::none() } else { Share::of(found.me, &workers) };
            window.set_share(share, keeps);
        }
        tokio::select! {
            // The other side ends before us when the process does.
            changed = peers.changed() => if changed.is_err() { stop.cancelled().await },
            changed = mode.changed(), if switches => switches = changed.is_ok(),
            () = stop.cancelled() => {}
        }
    }
}

/// Lets others know whether we take a share of the table.
async fn tell_mode(mut mode: watch::Receiver<Mode>, shares: Arc<AtomicBool>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        shares.store(*mode.borrow_and_update() == Mode::Local, Ordering::Release);
        tokio::select! {
            changed = mode.changed() => if changed.is_err() { return },
            () = stop.cancelled() => {}
        }
    }
}

/// Fills the window whenever the shared queue is not used.
async fn dispatch_while_local(queue: Arc<SwitchingQueue>, dispatcher: Dispatcher, stop: CancellationToken) {
    let mut mode = queue.mode();
    while !stop.is_cancelled() {
        if *mode.borrow_and_update() == Mode::Local {
            dispatcher.window.clear();
            let (halt, from) = (stop.child_token(), dispatcher.tail.head());
            let running = dispatcher.clone().run(from, halt.clone());
            tokio::pin!(running);
            tokio::select! {
                () = running.as_mut() => continue,
                _ = mode.wait_for(|mode| *mode == Mode::Shared) => {}
            }
            halt.cancel();
            running.await;
            // Nobody feeds it from here on: what is left would count as kept, and pass for what was taken from it.
            dispatcher.window.clear();
        }
        tokio::select! {
            changed = mode.changed() => if changed.is_err() { return },
            () = stop.cancelled() => {}
        }
    }
}

async fn pause(clock: &dyn Clock, pause: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = clock.sleep(pause) => {}
        () = stop.cancelled() => {}
    }
}
