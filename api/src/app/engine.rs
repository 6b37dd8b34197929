//! Everything but the API: log, consumers, read models, delivery. The order of starting and
//! stopping is the point of this file.
//!
//! Start: open the log; let the table of what is owed catch up; record what was in flight when
//! the process died as unknown; only then workers. Stop: workers first (calls under way end and
//! are recorded), then consumers, then the log.

use super::stores::{Beside, ClusterError, SharedLog, Stores};
use super::supervisor::Supervisor;
use commands::accept::{Acceptor, Facts, FactsSettings};
use commands::bus::Bus;
use commands::consumer::{Progress, Runner, RunnerSettings};
use commands::failpoint;
use commands::log::raw::RawReader;
use commands::log::{
    AfterCommit, Committer, CommitterSettings, ForgetErased, Hashing, KeyStore, LogError, LogReader, LogWriter as _, MasterKey, Tail, erase_keys_of_erased,
};
use commands::ports::{Clock, Random};
use domain::policy::retry::RetrySchedule;
use domain::values::Channel;
use projections::feed::kurrentdb::{Mirror, MirrorSources, Target};
use projections::live::LocalFeed;
use projections::store::{ReadModels, Sources};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use workers::channels::{Breaker, BreakerSettings, ChannelWorker, OptOutBarrier, Shared, recover};
use workers::pending::{PendingDeliveries, PendingRows};
use workers::providers::Provider;
use workers::providers::sandbox::SandboxProvider;
use workers::window::{Dispatcher, DispatcherSettings, Window, WindowSettings};

/// Events read at the start to make good an erasure that a crash cut short.
const ERASURE_LOOK_BACK: u64 = 100_000;

/// How often to look which generations of the read models serve, where others may switch them.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The log.
    #[error("the log cannot be opened: {0} ({0:?})")]
    Log(#[from] LogError),
    /// The key store.
    #[error("the key store cannot be opened: {0}")]
    Keys(#[from] commands::log::KeyError),
    /// The read models.
    #[error(transparent)]
    ReadModels(#[from] projections::store::OpenError),
    /// The database of the cluster profile.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A thread.
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// Retry schedules by channel.
    pub schedules: HashMap<Channel, RetrySchedule>,
    /// Deliveries a worker takes at once.
    pub batch: usize,
    /// Deliveries kept in memory in one lane.
    pub lane: usize,
    /// When providers are held.
    pub breaker: BreakerSettings,
    /// Where the log is mirrored, if it is.
    pub mirror: Option<Target>,
}

/// A provider at work, as operators see it.
#[derive(Debug, Clone)]
pub struct ProviderStatus {
    /// Its configured name.
    pub name: String,
    /// The channel it serves.
    pub channel: Channel,
    /// Whether it is held, and why.
    pub breaker: Arc<Breaker>,
}

/// See the module.
pub struct Engine {
    /// The command bus.
    pub bus: Bus,
    /// Accepts notifications.
    pub acceptor: Acceptor,
    /// Keyed hashes of what callers supply.
    pub hashing: Hashing,
    /// Recipients' keys.
    pub keys: Arc<KeyStore>,
    /// Reads the log.
    pub log: Arc<dyn LogReader>,
    /// Reads the log as it is stored.
    pub raw: Arc<dyn RawReader>,
    /// The newest events.
    pub tail: Arc<Tail>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// Read models.
    pub read_models: ReadModels,
    /// The live feed.
    pub live: Arc<LocalFeed>,
    /// Holds opt-outs' answers.
    pub barrier: Arc<OptOutBarrier>,
    /// What is owed, durably.
    pub pending: PendingRows,
    /// How far the table of what is owed is.
    pub table: Progress,
    /// What is owed, in memory.
    pub window: Arc<Window>,
    /// How far the mirror of the log is, if there is one.
    pub mirror: Option<Progress>,
    facts: Arc<Facts>,
    beside: Beside,
    shared: Mutex<Option<SharedLog>>,
    settings: EngineSettings,
    committer_thread: std::thread::JoinHandle<()>,
}

impl Engine {
    /// Over stores that are open. Nothing is delivered yet.
    pub fn over(
        stores: Stores,
        master: &MasterKey,
        settings: EngineSettings,
        mut hooks: Vec<Arc<dyn AfterCommit>>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, EngineError> {
        let Stores { keys, writer, log, raw, pending, read_models, shared, beside } = stores;
        let tail = Arc::new(Tail::at(writer.head()));
        let facts = Arc::new(Facts::new(FactsSettings::default()));
        hooks.push(Arc::<Facts>::clone(&facts));
        if shared.is_some() {
            hooks.push(Arc::new(ForgetErased(Arc::clone(&keys))));
        }
        let (committer, committer_thread) = Committer::start(writer, Arc::clone(&tail), hooks, Arc::clone(&clock), CommitterSettings::default())?;
        let bus = Bus::new(committer, Arc::clone(&log));
        let hashing = master.hashing();
        let acceptor = Acceptor::new(bus.clone(), Arc::clone(&facts), hashing.clone(), Arc::clone(&clock), Arc::clone(&random));
        let sources = Sources { log: Arc::clone(&log), tail: Arc::clone(&tail), clock: Arc::clone(&clock) };
        let live = Arc::new(LocalFeed::new(&sources, read_models.notifications()?));
        let window = Arc::new(Window::new(WindowSettings { lane: settings.lane, ..WindowSettings::default() }));
        Ok(Self {
            bus,
            acceptor,
            hashing,
            keys,
            log,
            raw,
            tail,
            barrier: Arc::new(OptOutBarrier::new(Arc::clone(&clock))),
            clock,
            random,
            read_models,
            live,
            pending,
            table: Progress::default(),
            window,
            mirror: settings.mirror.is_some().then(Progress::default),
            facts,
            beside,
            shared: Mutex::new(shared),
            settings,
            committer_thread,
        })
    }

    /// Starts consumers and workers. They end when their supervisor stops them: `delivering`
    /// first, `following` after it.
    pub async fn start(&self, providers: Vec<Arc<dyn Provider>>, delivering: &Supervisor, following: &Supervisor) -> Result<Vec<ProviderStatus>, EngineError> {
        let head = self.tail.head();
        erase_keys_of_erased(self.log.as_ref(), &self.keys, head.saturating_sub(ERASURE_LOOK_BACK)).await?;
        for projection in self.read_models.all() {
            let projection = Arc::clone(projection);
            let sources = self.sources();
            // Rows that are written once instead of three times cost a third; who waits for
            // a position does not wait for this.
            let settings = RunnerSettings { batch: 20_000, linger: Duration::from_millis(250), ..RunnerSettings::default() };
            following.run(projection.name(), |stop| async move { projection.run(sources, settings, stop).await });
        }
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(SharedLog { pool, alone }) = shared {
            let (pool, committer, tail, clock) = (pool, self.bus.committer().clone(), Arc::clone(&self.tail), Arc::clone(&self.clock));
            let (models, time) = (self.read_models.clone(), Arc::clone(&self.clock));
            following.run("read models", |stop| async move { models.follow(time, FOLLOW_EVERY, stop).await });
            let time = Arc::clone(&self.clock);
            following.run("alone", |stop| alone.hold(time, stop));
            following.run("others", |stop| commands::log::postgres::listen(pool, committer, tail, clock, stop));
        }
        {
            let live = Arc::clone(&self.live);
            let sources = self.sources();
            following.run("live", |stop| async move { live.run(sources, stop).await });
        }

        if let (Some(target), Some(progress)) = (&self.settings.mirror, &self.mirror) {
            let sources = MirrorSources { log: Arc::clone(&self.raw), tail: Arc::clone(&self.tail), clock: Arc::clone(&self.clock) };
            let mirror = Mirror::new(target.clone(), sources, progress.clone());
            following.run("mirror", |stop| mirror.run(stop));
        }

        let shared = Arc::new(Shared {
            window: Arc::clone(&self.window),
            bus: self.bus.clone(),
            facts: Arc::clone(&self.facts),
            barrier: Arc::clone(&self.barrier),
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            schedules: self.settings.schedules.clone(),
            batch: self.settings.batch,
        });
        self.delivery_runner(RunnerSettings::default()).run(CancellationToken::new(), Some(head)).await;
        let in_flight = if failpoint::planted("no-recovery") { Vec::new() } else { self.pending.in_flight().await? };
        let lost = recover(&shared, in_flight).await?;
        if lost > 0 {
            tracing::warn!(attempts = lost, "attempts were under way when the process ended; they are recorded as of unknown outcome");
        }
        let from = self.tail.head();
        self.delivery_runner(RunnerSettings::default()).run(CancellationToken::new(), Some(from)).await;
        let settings = RunnerSettings { batch: 20_000, linger: Duration::from_millis(250), ..RunnerSettings::default() };
        let runner = self.delivery_runner(settings);
        following.run("delivery", |stop| async move { runner.run(stop, None).await });

        let dispatcher = Dispatcher {
            window: Arc::clone(&self.window),
            rows: self.pending.clone(),
            table: self.table.clone(),
            tail: Arc::clone(&self.tail),
            log: Arc::clone(&self.log),
            clock: Arc::clone(&self.clock),
            settings: DispatcherSettings::default(),
        };
        delivering.run("window", |stop| async move { dispatcher.run(from, stop).await });

        let mut statuses = Vec::new();
        let mut served: Vec<Channel> = Vec::new();
        for provider in providers {
            served.push(provider.channel());
            let worker = ChannelWorker::new(Arc::clone(&shared), Arc::clone(&provider), false, self.settings.breaker);
            statuses.push(ProviderStatus { name: provider.name().to_owned(), channel: provider.channel(), breaker: worker.breaker() });
            delivering.run(&format!("worker {}", provider.name()), |stop| async move { worker.run(stop).await });
        }
        for channel in Channel::ALL.into_iter().filter(|channel| channel.has_provider()) {
            if !served.contains(&channel) {
                tracing::info!(%channel, "no provider is configured for this channel; what is queued on it waits");
            }
            let rehearsal = ChannelWorker::new(Arc::clone(&shared), Arc::new(SandboxProvider::new(channel)), true, self.settings.breaker);
            delivering.run(&format!("sandbox {channel}"), |stop| async move { rehearsal.run(stop).await });
        }
        Ok(statuses)
    }

    /// Where read models get their events from.
    pub fn sources(&self) -> Sources {
        Sources { log: Arc::clone(&self.log), tail: Arc::clone(&self.tail), clock: Arc::clone(&self.clock) }
    }

    fn delivery_runner(&self, settings: RunnerSettings) -> Runner<PendingDeliveries> {
        let rows = self.beside.rows(self.bus.committer());
        Runner::new(PendingDeliveries, Arc::clone(&self.log), Arc::clone(&self.tail), rows, Arc::clone(&self.clock), self.table.clone(), settings)
    }

    /// Why commands cannot be made durable at the moment; none while they can.
    pub fn trouble(&self) -> Option<String> {
        if self.committer_thread.is_finished() {
            return Some("the thread that writes the log has ended; restart the server".to_owned());
        }
        self.bus.committer().trouble().map(|error| error.reason())
    }
}
