//! The cluster profile: Postgres, and Redis where there is one.

use super::{Beside, Opened, Stores};
use crate::config::{Config, Profile, Secret};
use commands::database::DatabaseError;
use commands::database::postgres::{PG_KEYS, PG_LOG, PgPlace};
use commands::log::postgres::{PostgresReader, PostgresWriter};
use commands::log::{KeyStore, MasterKey, PostgresKeys, Sealer};
use commands::ports::{DatabaseClock, Random};
use commands::replicas::{Badge, Introduction, Membership, MembershipSettings};
use projections::store::ReadModels;
use sqlx::PgPool;
use std::sync::Arc;
use workers::pending::PendingRows;
use workers::queue::SharedQueue;
use workers::queue::redis::{RedisQueue, RedisSettings};

/// Schema of the log.
pub const LOG: &str = "bongsu";
/// Schema of the keys.
pub const KEYS: &str = "bongsu_keys";
/// Stands before the fingerprint of the master key, once what is in the database was moved elsewhere: so
/// older versions refuse it too.
pub const MOVED: &str = "moved:";
/// Connections on which a replica says that it lives: not those that others may hold up.
const MEMBERSHIP_CONNECTIONS: u32 = 1;

/// What an operator sets.
#[derive(Debug, Clone)]
pub struct ClusterSettings {
    /// Where the log is.
    pub log: PgPlace,
    /// Where the keys are.
    pub keys: PgPlace,
    /// Connections for reading.
    pub connections: u32,
    /// Start whatever the server's settings are.
    pub allow_unsafe: bool,
    /// The queue of all replicas, where there is one.
    pub redis: Option<RedisSettings>,
}

/// What a process brings along when it joins others.
pub struct Joining {
    /// What others are told of it.
    pub introduction: Introduction,
    /// Told the database's time.
    pub clock: Arc<DatabaseClock>,
    /// The process before it in the same data folder, which has ended.
    pub before: Option<Badge>,
}

/// Why the database was not used.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// It cannot be used at all.
    #[error("the database cannot be used: {0}; check postgres.url")]
    Database(#[from] DatabaseError),
    /// What was accepted could be lost.
    #[error("the database could lose what was accepted: {0}. Change its settings, or set postgres.allow_unsafe_settings for a test")]
    Unsafe(String),
    /// Another master key.
    #[error(
        "the data in this database were sealed with another master key; give the same one to every replica (storage.master_key_file, or BONGSU_MASTER_KEY)"
    )]
    OtherMasterKey,
    /// What is in it goes on elsewhere.
    #[error(
        "what is in this database was moved to a data folder by `bongsu migrate-profile`; start that one. If the command was interrupted, run it again. \
         To go on here all the same, make sure that nobody uses the folder, or deliveries are made twice; \
         then: UPDATE bongsu.installation SET master = replace(master, 'moved:', '')"
    )]
    Moved,
    /// A thread.
    #[error("a thread ended untimely: {0}")]
    Thread(String),
}

impl ClusterSettings {
    /// From the URLs of the configuration.
    pub fn new(log: &str, keys: Option<&str>, connections: u32, allow_unsafe: bool, redis: Option<RedisSettings>) -> Result<Self, ClusterError> {
        Ok(Self { log: PgPlace::new(log, LOG)?, keys: PgPlace::new(keys.unwrap_or(log), KEYS)?, connections, allow_unsafe, redis })
    }

    /// Connections that a replica uses at most, while it rebuilds no read model: the one that appends
    /// and those of all pools.
    pub fn most_connections(&self) -> u32 {
        1 + MEMBERSHIP_CONNECTIONS + self.connections + PostgresKeys::CONNECTIONS + ReadModels::most_connections()
    }
}

/// What is shared with other processes.
pub struct SharedLog {
    /// Of the log's schema.
    pub pool: PgPool,
    /// Who else there is.
    pub membership: Membership,
    /// The queue of all replicas, where there is one.
    pub queue: Option<Arc<dyn SharedQueue>>,
}

impl ClusterSettings {
    /// From the configuration; none in the embedded profile.
    pub fn of(config: &Config) -> Result<Option<Self>, ClusterError> {
        let postgres = &config.postgres;
        let Some(url) = postgres.url.as_ref().filter(|_| config.storage.profile == Profile::Cluster) else { return Ok(None) };
        let connections = u32::try_from(postgres.connections).unwrap_or(u32::MAX);
        let keys = postgres.keys_url.as_ref().map(Secret::expose);
        Self::new(url.expose(), keys, connections, postgres.allow_unsafe_settings, config.redis.settings()).map(Some)
    }
}

impl Stores {
    /// Opens the database and brings it to the newest version.
    pub async fn cluster(settings: ClusterSettings, joining: Joining, master: &MasterKey, random: &Arc<dyn Random>) -> Opened {
        let ClusterSettings { log, keys, connections, allow_unsafe, redis } = settings;
        let unsafe_settings = log.unsafe_settings().await.map_err(ClusterError::from)?;
        let told = unsafe_settings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        match (told.is_empty(), allow_unsafe) {
            (true, _) => {}
            (false, true) => tracing::warn!(settings = told, "the database could lose what was accepted; it is used all the same, as configured"),
            (false, false) => return Err(ClusterError::Unsafe(told).into()),
        }
        log.migrate(PG_LOG).await.map_err(ClusterError::from)?;
        keys.migrate(PG_KEYS).await.map_err(ClusterError::from)?;
        let key_rows = PostgresKeys::new(&keys)?;
        let keys = Arc::new(KeyStore::over(Box::new(key_rows), master.clone(), Arc::clone(random)));
        let sealer = Sealer::new(Arc::clone(&keys), Arc::clone(random));
        let pool = log.impatient().pool(connections);
        same_master(&pool, master).await?;
        let reader = PostgresReader::new(pool.clone(), sealer.clone());
        let read_models = ReadModels::open_postgres(log.clone()).await?;
        let Joining { introduction, clock, before } = joining;
        let queue = redis.map(|settings| Arc::new(RedisQueue::new(settings, Arc::<DatabaseClock>::clone(&clock))) as Arc<dyn SharedQueue>);
        let joining = Membership::join(log.pool(MEMBERSHIP_CONNECTIONS), introduction, MembershipSettings::default(), clock, before);
        let membership = joining.await.map_err(ClusterError::from)?;
        // Whoever moves the log elsewhere keeps others from joining meanwhile.
        same_master(&pool, master).await?;
        let random = Arc::clone(random);
        let opening = tokio::task::spawn_blocking(move || PostgresWriter::open(&log, sealer, random));
        let writer = opening.await.map_err(|error| ClusterError::Thread(error.to_string()))??;
        Ok(Self {
            keys,
            writer: Box::new(writer),
            log: Arc::new(reader.clone()),
            raw: Arc::new(reader),
            pending: PendingRows::Postgres(pool.clone()),
            read_models,
            shared: Some(SharedLog { pool: pool.clone(), membership, queue }),
            beside: Beside::Postgres(pool),
        })
    }
}

/// All replicas must seal with the same master key: the first one says which it is.
async fn same_master(pool: &PgPool, master: &MasterKey) -> Result<(), ClusterError> {
    let fingerprint = master.fingerprint();
    let insert = "INSERT INTO installation (id, master) VALUES (1, $1) ON CONFLICT DO NOTHING";
    sqlx::query(insert).bind(&fingerprint).execute(pool).await.map_err(DatabaseError::from)?;
    let known: String = sqlx::query_scalar("SELECT master FROM installation").fetch_one(pool).await.map_err(DatabaseError::from)?;
    if known.starts_with(MOVED) {
        return Err(ClusterError::Moved);
    }
    if known == fingerprint { Ok(()) } else { Err(ClusterError::OtherMasterKey) }
}
