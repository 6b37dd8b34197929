//! The life of the server: open, bootstrap, listen, and stop in order.
//!
//! Stopping: no new connections, requests under way end; calls of providers end and are recorded;
//! then the consumers; then the process. A second signal quits at once, which is safe: what was
//! under way is recovered at the next start.

use super::callbacks;
use super::data_dir::{DataDir, DataDirError, master_key_variable};
use super::engine::{Engine, EngineError, EngineSettings};
use super::examining::ChildExaminer;
use super::providers::{self, ProvidersError};
use super::rotation::Rotation;
use super::services::Services;
use super::stores::{ClusterSettings, Joining, Stores};
use super::supervisor::Supervisor;
use crate::auth::api_key::KeyHasher;
use crate::auth::limits::{InMemory, Limits, NotificationRate, SharedLimits};
use crate::auth::recipient_token::TokenKey;
use crate::auth::registry::KeyRegistry;
use crate::auth::{Gate, bootstrap};
use crate::config::{Config, Profile, RedisQueue, Role};
use crate::graphql::schema;
use crate::graphql::transport::{TransportSettings, router};
use crate::http;
use crate::http::callbacks::CallbackDoor;
use crate::http::links::{self, LinkPages, Peer};
use crate::http::push;
use crate::http::uploads::Uploads;
use axum::http::Request;
use commands::accept::LONGEST_KEY;
use commands::attachments::{Objects, StoreError, StoredObjects};
use commands::links::LinkSettings;
use commands::log::MasterKey;
use commands::ports::{Clock, DatabaseClock, Random, SystemClock, SystemRandom};
use commands::replicas::Introduction;
use domain::values::Channel;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use projections::directory::Directory;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use workers::channels::BreakerSettings;

/// Headers of a request have to arrive in this time.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// How long a start may wait for other replicas before it says so.
const PATIENCE: Duration = Duration::from_secs(5);

/// What `serve` is told besides the configuration.
#[derive(Debug, Clone, Default)]
pub struct ServeOptions {
    /// Written atomically once requests are answered.
    pub ready_file: Option<PathBuf>,
}

/// Why the server did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The data folder.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// Log, read models, delivery.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A provider.
    #[error(transparent)]
    Providers(#[from] ProvidersError),
    /// The first start.
    #[error("the first administrator's key could not be created: {0}")]
    Bootstrap(#[from] commands::log::LogError),
    /// The key registry.
    #[error("the API keys cannot be read: {0}")]
    Keys(#[from] projections::store::ReadError),
    /// The read models.
    #[error(transparent)]
    ReadModels(#[from] projections::store::OpenError),
    /// What tries templates.
    #[error("the system does not say where this program is, which tries templates: {0}")]
    Examiner(std::io::Error),
    /// The files.
    #[error("attachments cannot be kept where attachments.folder or attachments.url says: {0}")]
    Files(StoreError),
    /// The listener.
    #[error("cannot listen on {address}: {reason}; is another server using it?")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// The operating system's answer.
        reason: std::io::Error,
    },
    /// The ready file.
    #[error("the ready file cannot be written: {0}")]
    ReadyFile(std::io::Error),
    /// Ctrl-C and SIGTERM.
    #[error("the signals that stop the server cannot be listened to: {0}")]
    Signals(std::io::Error),
    /// The metrics.
    #[error("the metrics cannot be set up: {0}")]
    Metrics(String),
    /// A background task died.
    #[error("a background task ended untimely; the trace says which. Start the server again: nothing that was accepted is lost")]
    TaskDied,
}

/// Runs the server until it is told to stop.
pub async fn serve(config: Config, options: ServeOptions) -> Result<(), AppError> {
    outlive_file_size_limit();
    // Without a recorder every figure costs next to nothing.
    let metrics = config.metrics.enabled.then(http::metrics::install).transpose().map_err(AppError::Metrics)?;
    let (clock, shared_clock) = clocks(config.storage.profile);
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let data = DataDir::lock(&config.storage.data_dir)?;
    let master = data.master_key(master_key_variable().as_deref(), config.storage.master_key_file.as_deref(), random.as_ref())?;

    let keys = Arc::new(KeyRegistry::new(KeyHasher::new(&master)));
    let settings = EngineSettings {
        schedules: Channel::ALL.into_iter().map(|channel| (channel, config.delivery.schedule(channel))).collect(),
        batch: config.delivery.workers.batch,
        lane: config.delivery.workers.window,
        breaker: BreakerSettings::default(),
        rates: config.providers.rates(),
        ramps: config.providers.ramps(),
        also_from: config.providers.also_from(),
        prices: config.providers.prices(),
        terms: config.providers.terms(),
        abroad: Channel::ALL.into_iter().filter_map(|channel| Some((channel, config.channels.allowed(channel)?))).collect(),
        mirror: config.mirror.target(),
        roles: config.server.roles,
        overall: config.policy.limits(),
        share_always: config.redis.queue == RedisQueue::Always,
        links: LinkSettings { attachment_days: u16::try_from(config.attachments.link_days).unwrap_or(u16::MAX), ..config.links.settings() },
        files: (open_files(&config)?, config.attachments.settings()),
        examiner: Arc::new(ChildExaminer::new().map_err(AppError::Examiner)?),
    };
    let stores = open_stores(&config, &data, &master, &random, shared_clock).await?;
    let engine = Arc::new(Engine::over(stores, &master, settings, vec![Arc::<KeyRegistry>::clone(&keys)], Arc::clone(&clock), Arc::clone(&random))?);
    let rotation = Rotation::new(&config, providers::build(&config, &clock)?, &clock);

    let failed = CancellationToken::new();
    let (delivering, following) = (Supervisor::new(failed.clone()), Supervisor::new(failed.clone()));
    let statuses = engine.start(rotation.providers(), &delivering, &following).await?;
    if let Some(metrics) = metrics.clone() {
        let clock = Arc::clone(&clock);
        following.run("metrics", |stop| http::metrics::upkeep(metrics, clock, stop));
    }

    let directory = engine.read_models.directory()?;
    if !directory_is_read(&directory, engine.tail.head(), clock.as_ref(), &failed).await {
        return Err(AppError::TaskDied);
    }
    for row in directory.api_keys().await? {
        keys.add(row.id, &row.prefix, &row.hash, &row.role, row.expires_at, row.revoked_at.is_some());
    }
    let keep = |secret: Option<&str>| Ok::<_, AppError>(secret.map_or_else(|| data.forget_admin_key(), |secret| data.save_admin_key(secret))?);
    if config.server.roles.has(Role::Api)
        && let Some(secret) = bootstrap::ensure(&engine.bus, &keys, clock.as_ref(), random.as_ref(), keep).await?
    {
        let file = data.admin_key_file();
        tell(&mut std::io::stdout(), &format!("The first administrator's API key, shown this once (and kept in {}):\n\n  {secret}\n", file.display()));
    }

    let stopping = CancellationToken::new();
    let tokens = Arc::new(TokenKey::new(&master));
    let services = Arc::new(Services {
        engine: Arc::clone(&engine),
        keys: Arc::clone(&keys),
        tokens: Arc::clone(&tokens),
        providers: statuses,
        webhook_policy: providers::webhook_policy(&config),
        slack: providers::slack_place(&config),
        also_from: config.providers.also_from(),
        stopping: stopping.clone(),
        senders: NotificationRate::new(config.limits.notifications(), engine.peers.clone(), Role::Api.name(), Arc::clone(&engine.clock)),
        list_length: config.limits.list_length,
        page_size: config.limits.page_size,
        notifications: engine.read_models.notifications()?,
        dead_letters: engine.read_models.dead_letters()?,
        schedules: engine.read_models.schedules()?,
        suppressions: engine.read_models.suppressions()?,
        templates: engine.read_models.templates()?,
        experiments: engine.read_models.experiments()?,
        directory,
    });
    let transport = TransportSettings {
        bounds: config.limits.bounds(),
        body_bytes: config.server.body_limit.0,
        body_timeout: config.server.body_timeout,
        allowed_origins: config.server.origins(),
        graphiql: config.server.graphiql,
        max_connections: config.server.max_streams,
        ..TransportSettings::default()
    };
    let schema = schema::build(Arc::clone(&services), &transport.bounds);
    let limits = limits(&config, &engine, &following);
    let gate = Gate::new(keys, tokens, Arc::clone(&limits), Arc::clone(&clock));
    let gate = Arc::new(gate.beside_others(engine.catch_up()));
    let mut app = http::router(Arc::clone(&services), metrics);
    let mut door = None;
    if config.server.roles.has(Role::Api) {
        let invalid = u32::try_from(config.links.invalid_requests).unwrap_or(u32::MAX);
        let pages = LinkPages::new(Arc::clone(&services), limits, invalid, config.server.trusted_proxies.clone());
        let uploads = Uploads::new(Arc::clone(&services), invalid, config.server.trusted_proxies.clone());
        let callbacks = Arc::new(CallbackDoor::new(services, callbacks::build(&config, &clock)?, invalid, config.server.trusted_proxies.clone()));
        app = router(schema, gate, transport.clone()).merge(links::router(Arc::new(pages))).merge(app);
        app = app.merge(http::callbacks::router(Arc::clone(&callbacks))).merge(http::uploads::router(Arc::new(uploads)));
        door = Some(callbacks);
        if let Some((web_push, key)) = config.providers.web_push.as_ref().and_then(|web_push| Some((web_push, web_push.public_key()?))) {
            app = app.merge(push::router(key, web_push.try_page));
        }
    }
    following.run("credentials", |stop| rotation.run(door, stop));

    let listener = TcpListener::bind(config.server.listen).await.map_err(|reason| AppError::Listen { address: config.server.listen, reason })?;
    let address = listener.local_addr().map_err(|reason| AppError::Listen { address: config.server.listen, reason })?;
    // Before anybody is told that it runs.
    let mut signals = StopSignals::listen().map_err(AppError::Signals)?;
    if let Some(path) = &options.ready_file {
        write_ready(path, address).map_err(AppError::ReadyFile)?;
    }
    tracing::info!(%address, longest_key = LONGEST_KEY, "bongsu answers");
    let mut stderr = std::io::stderr();
    tell(&mut stderr, &format!("bongsu answers on http://{address} (GraphQL at /graphql, explorer at /graphiql). Ctrl-C stops it."));

    let accepting = tokio::spawn(accept(listener, app, Arc::clone(&clock), stopping.clone()));
    let died = tokio::select! {
        () = signals.told() => false,
        () = failed.cancelled() => true,
    };
    tell(&mut stderr, "Stopping: calls under way end and are recorded. Ctrl-C again quits at once.");
    let orderly = async {
        transport.shutdown.cancel();
        stopping.cancel();
        transport.connections.close();
        transport.connections.wait().await;
        if accepting.await.is_err() {
            tracing::error!("the listener broke off");
        }
        delivering.stop().await;
        following.stop().await;
    };
    tokio::select! {
        () = orderly => {}
        () = signals.told() => tell(&mut stderr, "Quitting at once."),
        () = clock.sleep(config.server.shutdown_grace) => tracing::warn!("the grace for stopping is over; what is under way is recovered at the next start"),
    }
    if died { Err(AppError::TaskDied) } else { Ok(()) }
}

/// Waits until the keys that callers have can be read; not, where a task has died. Another replica may
/// be the one that keeps them up to date.
async fn directory_is_read(directory: &Directory, head: u64, clock: &dyn Clock, failed: &CancellationToken) -> bool {
    let reached = directory.projection().reached(head);
    tokio::pin!(reached);
    loop {
        tokio::select! {
            () = reached.as_mut() => return true,
            () = failed.cancelled() => return false,
            () = clock.sleep(PATIENCE) => tracing::warn!("waiting for a replica with the role projections: it keeps the API keys up to date"),
        }
    }
}

/// The machine's clock; of replicas the database's, which is to be told the time.
fn clocks(profile: Profile) -> (Arc<dyn Clock>, Arc<DatabaseClock>) {
    let shared = Arc::new(DatabaseClock::default());
    match profile {
        Profile::Embedded => (Arc::new(SystemClock::default()), shared),
        Profile::Cluster => (Arc::<DatabaseClock>::clone(&shared), shared),
    }
}

/// Where files are.
fn open_files(config: &Config) -> Result<Option<Arc<dyn Objects>>, AppError> {
    let opened = config.attachments.place(&config.storage).map(StoredObjects::open).transpose().map_err(AppError::Files)?;
    Ok(opened.map(|opened| Arc::new(opened) as Arc<dyn Objects>))
}

/// The stores of the configured profile.
async fn open_stores(config: &Config, data: &DataDir, master: &MasterKey, random: &Arc<dyn Random>, clock: Arc<DatabaseClock>) -> Result<Stores, AppError> {
    let Some(settings) = ClusterSettings::of(config).map_err(EngineError::from)? else {
        data.not_moved()?;
        return Ok(Stores::embedded(data, master, config.storage.readers, random)?);
    };
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "replica".to_owned());
    let introduction = Introduction {
        name: format!("{host} {} {}", config.server.listen, std::process::id()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        roles: config.server.roles.names(),
    };
    let stores = Stores::cluster(settings, Joining { introduction, clock, before: data.badge() }, master, random).await?;
    if let Some(shared) = &stores.shared {
        data.save_badge(shared.membership.badge())?;
    }
    Ok(stores)
}

/// How many requests callers may make: here, or on all replicas together.
fn limits(config: &Config, engine: &Engine, following: &Supervisor) -> Arc<dyn Limits> {
    let rates = config.limits.rates();
    if config.storage.profile == Profile::Embedded || !config.server.roles.has(Role::Api) {
        return Arc::new(InMemory::new(rates));
    }
    let shared = Arc::new(SharedLimits::new(rates, engine.peers.clone(), config.redis.stock(), Arc::clone(&engine.clock)));
    let running = Arc::clone(&shared);
    following.run("limits", |stop| running.run(stop));
    shared
}

/// Tells a person. Nobody may be listening, or the file it goes to may be on a full disk: that is
/// no reason to end, as `println!` would.
fn tell(to: &mut impl std::io::Write, what: &str) {
    let _ = writeln!(to, "{what}").and_then(|()| to.flush());
}

/// A write past the file size limit (`ulimit -f`, systemd's `LimitFSIZE=`) ends the process by a
/// signal, unless somebody handles that; handled, it is an error like a full disk.
fn outlive_file_size_limit() {
    /// Its number on every system but MIPS.
    #[cfg(unix)]
    const SIGXFSZ: i32 = 25;
    // The handler stays when this is dropped.
    #[cfg(unix)]
    if let Err(error) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(SIGXFSZ)) {
        tracing::warn!(%error, "a file that reaches the size limit will end the server");
    }
}

/// Takes connections until told to stop, then lets those there are end.
async fn accept(listener: TcpListener, app: axum::Router, clock: Arc<dyn Clock>, stopping: CancellationToken) {
    let connections = TaskTracker::new();
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN).keep_alive(true);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(256);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors: those in use have to be given back first.
                    tracing::warn!(%error, "a connection could not be taken");
                    clock.sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stopping.cancelled() => break,
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection could not be set up");
        }
        let builder = builder.clone();
        let told = move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            request
        };
        let service = TowerToHyperService::new(app.clone().map_request(told));
        let stopping = stopping.clone();
        connections.spawn(async move {
            let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
            tokio::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stopping.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended in an error");
            }
        });
    }
    connections.close();
    connections.wait().await;
}

/// Ctrl-C and SIGTERM. They are heard from the moment this is made, also while nobody waits: one
/// that comes right after the start, or right after another, is not lost.
#[cfg(unix)]
struct StopSignals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl StopSignals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn told(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(windows)]
struct StopSignals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl StopSignals {
    fn listen() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn told(&mut self) {
        self.0.recv().await;
    }
}

fn write_ready(path: &std::path::Path, address: std::net::SocketAddr) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, format!("{{\"listen\":\"{address}\"}}\n"))?;
    std::fs::rename(fresh, path)
}
