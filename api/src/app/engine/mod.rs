//! Everything but the API: log, consumers, read models, delivery. The order of starting and
//! stopping is the point of this file.
//!
//! Start: open the log; let the table of what is owed catch up; record what was in flight when
//! the process died as unknown; only then workers. Stop: workers first (calls under way end and
//! are recorded), then consumers, then the log.

mod delivering;
mod following;
mod waiting;

use crate::app::stores::{Beside, ClusterError, SharedLog, Stores};
use crate::app::supervisor::Supervisor;
use crate::auth::catch_up::CatchUp;
use crate::config::{Role, Roles};
use commands::accept::{Acceptor, AcceptorSettings, Facts, FactsSettings};
use commands::attachments::{AttachmentSettings, Attachments, Objects};
use commands::bus::Bus;
use commands::consumer::Progress;
use commands::due::Due;
use commands::links::{LinkSettings, Links};
use commands::log::raw::RawReader;
use commands::log::{
    AfterCommit, Committer, CommitterSettings, ForgetErased, Hashing, KeyStore, Linger, LogError, LogReader, LogWriter as _, MasterKey, Tail,
    erase_keys_of_erased,
};
use commands::ports::{Clock, Random};
use commands::replicas::{Membership, Peers, Turn};
use commands::templates::{Examine, Publisher, Templates};
use domain::policy::retry::RetrySchedule;
use domain::policy::routing::Terms;
use domain::values::{Channel, Limit, Prices};
use projections::feed::kurrentdb::{self, Target};
use projections::live::LocalFeed;
use projections::store::{ReadModels, Sources};
use sqlx::PgPool;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use workers::channels::{AllowedAbroad, BreakerSettings, OptOutBarrier, RampUp, Watched};
use workers::pending::{DELIVERY, PendingRows};
use workers::providers::Provider;
use workers::queue::{FreshItems, FreshWork, SwitchingQueue, WorkQueue};
use workers::timers::TIMERS;
use workers::tracking::Recorder;
use workers::window::{Window, WindowSettings};

/// Events read at the start to make good an erasure that a crash cut short.
const ERASURE_LOOK_BACK: u64 = 100_000;

/// What one process at a time does, and whose role it is.
fn once_only(read_models: &ReadModels) -> impl Iterator<Item = (&'static str, Role)> + use<> {
    let models: Vec<_> = read_models.all().iter().map(|model| (model.name(), Role::Projections)).collect();
    models.into_iter().chain([
        (kurrentdb::NAME, Role::Projections),
        (DELIVERY, Role::Workers),
        (TIMERS, Role::Workers),
        (REFILL, Role::Workers),
        (COLLECTING, Role::Workers),
    ])
}

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
#[derive(Clone)]
pub struct EngineSettings {
    /// Retry schedules by channel.
    pub schedules: HashMap<Channel, RetrySchedule>,
    /// Deliveries a worker takes at once.
    pub batch: usize,
    /// Deliveries kept in memory in one lane.
    pub lane: usize,
    /// When providers are held.
    pub breaker: BreakerSettings,
    /// Calls a second of the providers that are bounded, by name.
    pub rates: HashMap<&'static str, NonZeroU32>,
    /// Those that are being warmed up, by name.
    pub ramps: HashMap<&'static str, RampUp>,
    /// Whom categories and senders may have messages come from, by name; those not named send as configured only.
    pub also_from: HashMap<&'static str, (Channel, Vec<String>)>,
    /// What a segment of a text message costs, by name; of those not named nobody said.
    pub prices: HashMap<&'static str, Prices>,
    /// What each provider is asked to serve, by name; those not named serve everything.
    pub terms: HashMap<&'static str, Terms>,
    /// Where numbers may be reached, by channel.
    pub abroad: HashMap<Channel, AllowedAbroad>,
    /// Where the log is mirrored, if it is.
    pub mirror: Option<Target>,
    /// What this process does.
    pub roles: Roles,
    /// Uses the queue of all replicas also while this one alone delivers.
    pub share_always: bool,
    /// How links are made that act for a person.
    pub links: LinkSettings,
    /// Where files are, where there are any, and how they are kept.
    pub files: (Option<Arc<dyn Objects>>, AttachmentSettings),
    /// How many a recipient may get over all categories together.
    pub overall: Vec<Limit>,
    /// Tries templates before they are published.
    pub examiner: Arc<dyn Examine>,
}

/// A provider at work, as operators see it.
#[derive(Debug, Clone)]
pub struct ProviderStatus {
    /// Its configured name.
    pub name: String,
    /// The channel it serves.
    pub channel: Channel,
    /// Whether it is held, and why; and how much it may be asked to do.
    pub watched: Watched,
}

/// What only replicas that share a log have.
struct Together {
    pool: PgPool,
    membership: Mutex<Option<Membership>>,
    /// Whether we take a share of the table, as others see it.
    shares: Arc<AtomicBool>,
    /// The queue of all, and what this one puts into it.
    switching: Option<(Arc<SwitchingQueue>, Mutex<Option<FreshItems>>)>,
}

/// How long commands wait for others to be committed together, where each commit costs round trips: longer
/// with each replica, so that all of them together make as many transactions as one, up to so long.
const LINGER: Duration = Duration::from_millis(6);
const LONGEST_LINGER: Duration = Duration::from_millis(20);

/// Removes files that nothing refers to.
const COLLECTING: &str = "attachments";

/// Fills the shared queue.
const REFILL: &str = "refill";

/// See the module.
pub struct Engine {
    /// The command bus.
    pub bus: Bus,
    /// Accepts notifications.
    pub acceptor: Acceptor,
    /// Keyed hashes of what callers supply.
    pub hashing: Hashing,
    /// Links that act for a person without a login.
    pub links: Arc<Links>,
    /// Files that go with notifications.
    pub attachments: Attachments,
    /// Records what is seen of tracked mails.
    pub tracking: Arc<Recorder>,
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
    /// How far the table of timers is.
    pub timers: Progress,
    /// What is owed, in memory.
    pub window: Arc<Window>,
    /// What is ready, here or on all replicas.
    pub queue: Arc<dyn WorkQueue>,
    /// Who else there is; nobody, in the embedded profile.
    pub peers: watch::Receiver<Arc<Peers>>,
    /// How far the mirror of the log is, if there is one.
    pub mirror: Option<Progress>,
    /// What decisions rest on.
    pub facts: Arc<Facts>,
    /// Renders what is made from templates.
    pub templates: Templates,
    /// Publishes templates.
    pub publisher: Publisher,
    due: Due,
    beside: Beside,
    turns: HashMap<&'static str, Turn>,
    together: Option<Together>,
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
        let barrier = Arc::new(match &shared {
            Some(_) => OptOutBarrier::among(Arc::clone(&log), Arc::clone(&clock)),
            None => OptOutBarrier::new(Arc::clone(&clock)),
        });
        let window = Arc::new(Window::new(WindowSettings { lane: settings.lane, ..WindowSettings::default() }));
        hooks.push(Arc::<Facts>::clone(&facts));
        let mut queue: Arc<dyn WorkQueue> = Arc::<Window>::clone(&window);
        let mut peers = watch::channel(Arc::default()).1;
        let mut turns: HashMap<&'static str, Turn> = once_only(&read_models).map(|(name, _)| (name, Turn::always())).collect();
        let mut together = None;
        if let Some(SharedLog { pool, mut membership, queue: shared_queue }) = shared {
            hooks.push(Arc::new(ForgetErased(Arc::clone(&keys))));
            barrier.passed(tail.head());
            hooks.push(Arc::<OptOutBarrier>::clone(&barrier));
            peers = membership.watch();
            for (name, _) in once_only(&read_models).filter(|(_, role)| settings.roles.has(*role)) {
                turns.insert(name, membership.turn(name));
            }
            let switching = shared_queue.map(|shared| {
                let (fresh, items) = FreshWork::new();
                hooks.push(Arc::new(fresh));
                let switching = Arc::new(SwitchingQueue::new(shared, Arc::clone(&window)));
                queue = Arc::<SwitchingQueue>::clone(&switching);
                (switching, Mutex::new(Some(items)))
            });
            together = Some(Together { pool, shares: membership.shares(), membership: Mutex::new(Some(membership)), switching });
        }
        let linger = if together.is_some() {
            let peers = peers.clone();
            Linger::of(move || (LINGER * u32::try_from(peers.borrow().living.len()).unwrap_or(u32::MAX).max(1)).min(LONGEST_LINGER))
        } else {
            Linger::default()
        };
        let commits = CommitterSettings { linger, ..CommitterSettings::default() };
        let (committer, committer_thread) = Committer::start(writer, Arc::clone(&tail), hooks, Arc::clone(&clock), commits)?;
        let bus = Bus::new(committer, Arc::clone(&log));
        let hashing = master.hashing();
        // What is decided later is decided on the same terms.
        let terms = AcceptorSettings { overall: settings.overall.clone() };
        let due = Due::new(bus.clone(), Arc::clone(&facts), hashing.clone(), Arc::clone(&clock), terms.clone());
        let links = Arc::new(Links::new(master, settings.links.clone()));
        let templates = Templates::new(bus.clone());
        let due = due.sharing(templates.clone(), links.at_hand());
        let publisher = Publisher::new(bus.clone(), Arc::clone(&settings.examiner));
        let (objects, kept) = settings.files.clone();
        let attachments = Attachments::new(objects, kept, Arc::clone(&clock));
        let acceptor =
            Acceptor::new(bus.clone(), Arc::clone(&facts), hashing.clone(), Arc::clone(&clock), Arc::clone(&random), terms).with(attachments.clone());
        let tracking = Arc::new(Recorder::new(bus.clone()));
        let sources = Sources { log: Arc::clone(&log), tail: Arc::clone(&tail), clock: Arc::clone(&clock) };
        let live = Arc::new(LocalFeed::new(&sources, read_models.notifications()?));
        Ok(Self {
            bus,
            acceptor,
            hashing,
            links,
            attachments,
            tracking,
            keys,
            log,
            raw,
            tail,
            barrier,
            clock,
            random,
            read_models,
            live,
            pending,
            table: Progress::default(),
            timers: Progress::default(),
            window,
            queue,
            peers,
            mirror: settings.mirror.is_some().then(Progress::default),
            facts,
            templates,
            publisher,
            due,
            beside,
            turns,
            together,
            settings,
            committer_thread,
        })
    }

    /// Starts consumers and workers. They end when their supervisor stops them: `delivering`
    /// first, `following` after it.
    pub async fn start(&self, providers: Vec<Arc<dyn Provider>>, delivering: &Supervisor, following: &Supervisor) -> Result<Vec<ProviderStatus>, EngineError> {
        let head = self.tail.head();
        erase_keys_of_erased(self.log.as_ref(), &self.keys, head.saturating_sub(ERASURE_LOOK_BACK)).await?;
        self.follow(following);
        self.collect(following);
        self.feed_queue(delivering);
        if self.settings.roles.has(Role::Workers) { self.deliver(providers, head, delivering, following).await } else { Ok(Vec::new()) }
    }

    /// Removes files that nothing refers to, whenever it is our turn.
    fn collect(&self, following: &Supervisor) {
        if self.settings.roles.has(Role::Workers) && self.attachments.at_hand() {
            let (turn, clock, attachments) = (self.turn(COLLECTING), Arc::clone(&self.clock), self.attachments.clone());
            following.run(COLLECTING, |stop| async move { turn.each(clock.as_ref(), &stop, |_, stop| attachments.keep_collecting(stop)).await });
        }
    }

    /// Whether the queue that all replicas share is used; nothing where there is none.
    pub fn shares_queue(&self) -> Option<bool> {
        let switching = self.together.as_ref()?.switching.as_ref()?;
        Some(switching.0.shared().is_some())
    }

    /// Reads what other replicas have appended; nothing where there are none.
    pub fn catch_up(&self) -> Option<CatchUp> {
        self.together.as_ref()?;
        Some(CatchUp::new(Arc::clone(&self.log), self.bus.committer().clone(), Arc::clone(&self.tail), Arc::clone(&self.clock)))
    }

    /// The turn to do what one process at a time does.
    fn turn(&self, name: &str) -> Turn {
        // All names are known from the start.
        self.turns.get(name).cloned().unwrap_or_else(Turn::always)
    }

    /// Where read models get their events from.
    pub fn sources(&self) -> Sources {
        Sources { log: Arc::clone(&self.log), tail: Arc::clone(&self.tail), clock: Arc::clone(&self.clock) }
    }

    /// Why commands cannot be made durable at the moment; none while they can.
    pub fn trouble(&self) -> Option<String> {
        if self.committer_thread.is_finished() {
            return Some("the thread that writes the log has ended; restart the server".to_owned());
        }
        self.bus.committer().trouble().map(|error| error.reason())
    }
}
