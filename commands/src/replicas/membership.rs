//! Who lives, by the database's clock: a row for each process, touched twice a second.
//!
//! A process whose row was not touched for three seconds counts as dead; what it had to do alone goes to
//! another. Only one that has itself come through for as long says so of others: after an outage of the
//! database everybody's row is old. Advisory locks were rejected: they end with a connection, also while
//! its process goes on, and stay with a connection of a machine that is gone.

use super::share::preferred;
use super::turn::{Turn, TurnKeeper};
use super::{Epoch, ReplicaNo};
use crate::database::DatabaseError;
use crate::ports::{Clock, DatabaseClock};
use sqlx::PgPool;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How a process tells others of itself.
#[derive(Debug, Clone)]
pub struct Introduction {
    /// For operators: host and process, or what they chose.
    pub name: String,
    /// Of the program.
    pub version: String,
    /// What it does.
    pub roles: Vec<String>,
}

/// Time limits of membership.
#[derive(Debug, Clone, Copy)]
pub struct MembershipSettings {
    /// How often a process says that it lives.
    pub beat: Duration,
    /// Silence after which it counts as dead.
    pub dead_after: Duration,
}

impl Default for MembershipSettings {
    fn default() -> Self {
        Self { beat: Duration::from_millis(500), dead_after: Duration::from_secs(3) }
    }
}

/// A process as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its number.
    pub number: ReplicaNo,
    /// See [`Introduction`].
    pub name: String,
    /// Of its program.
    pub version: String,
    /// What it does.
    pub roles: Vec<String>,
    /// It takes a share of the work from the table, not from a queue that all have in common.
    pub shares: bool,
}

/// What a process is known by to the one that comes after it in the same data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Badge {
    /// Its number.
    pub number: ReplicaNo,
    /// Numbers of different databases are alike; this is not.
    pub token: Uuid,
}

/// Who lives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peers {
    /// This process.
    pub me: ReplicaNo,
    /// All, this one among them.
    pub living: Vec<Peer>,
    /// Whoever is not among them is dead. Otherwise it is only not known to live.
    pub certain: bool,
    /// Certainly ended, whoever else has.
    pub ended: Vec<ReplicaNo>,
}

impl Peers {
    /// How many live that do this.
    pub fn living_with(&self, role: &str) -> usize {
        self.living.iter().filter(|peer| peer.roles.iter().any(|known| known == role)).count()
    }

    /// Whether everybody who lives does this, in the same version: then whoever accepts something can also do it.
    pub fn all_do(&self, role: &str) -> bool {
        let version = self.living.first().map(|peer| &peer.version);
        self.living.iter().all(|peer| Some(&peer.version) == version && peer.roles.iter().any(|known| known == role))
    }

    /// Those that live, do this, and take shares of it: what the others have is expected from a queue that
    /// perhaps only they reach. This process is among them.
    pub fn sharing(&self, role: &str) -> Vec<ReplicaNo> {
        let shares = |peer: &&Peer| peer.roles.iter().any(|known| known == role) && (peer.shares || peer.number == self.me);
        self.living.iter().filter(shares).map(|peer| peer.number).collect()
    }
}

/// Longest wait for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Beats for which the one that is preferred for a free turn may leave it.
const PATIENCE: u32 = 2;

// That the process lives need not survive the server's crash, so nobody waits for the disk.
const BEAT: &str = "WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
    UPDATE replicas SET seen = clock_timestamp(), shares = $2 FROM quick WHERE number = $1 RETURNING (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
const JOIN: &str =
    "INSERT INTO replicas (number, name, version, roles, seen) VALUES (nextval('replica_numbers'), $1, $2, $3, clock_timestamp()) RETURNING number, token";
const LIVING: &str = "SELECT number, name, version, roles, shares FROM replicas WHERE seen > clock_timestamp() - make_interval(secs => $1) ORDER BY number";
const FORGET: &str = "DELETE FROM replicas WHERE seen < clock_timestamp() - interval '1 hour'";
const LEASES: &str = "SELECT name, replica, epoch FROM leases";
const CLAIM: &str = "INSERT INTO leases (name, replica, epoch) VALUES ($1, $2, 1)
    ON CONFLICT (name) DO UPDATE SET replica = excluded.replica, epoch = leases.epoch + 1
    WHERE leases.replica IS NULL OR (leases.replica = $4 AND NOT EXISTS
        (SELECT 1 FROM replicas WHERE number = leases.replica AND seen > clock_timestamp() - make_interval(secs => $3)))
    RETURNING epoch";
const RELEASE: &str = "UPDATE leases SET replica = NULL WHERE name = $1 AND replica = $2";

/// See the module.
pub struct Membership {
    pool: PgPool,
    introduction: Introduction,
    settings: MembershipSettings,
    clock: Arc<DatabaseClock>,
    badge: Badge,
    peers: watch::Sender<Arc<Peers>>,
    keepers: Vec<TurnKeeper>,
    shares: Arc<AtomicBool>,
    /// Beats since which a turn has been free.
    free: HashMap<&'static str, u32>,
    ended: Vec<ReplicaNo>,
    steady_since: Duration,
    last: Duration,
}

impl std::fmt::Debug for Membership {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Membership({})", self.badge.number)
    }
}

/// A row of `leases`.
type Lease = (Option<ReplicaNo>, Epoch);

impl Membership {
    /// Joins. `before` is the number of a process that certainly has ended, such as the one that held
    /// our data folder before us: nobody need wait for its silence. Others' moments count from the clock
    /// being told the time.
    pub async fn join(
        pool: PgPool,
        introduction: Introduction,
        settings: MembershipSettings,
        clock: Arc<DatabaseClock>,
        before: Option<Badge>,
    ) -> Result<Self, DatabaseError> {
        let mut ended = Vec::new();
        if let Some(Badge { number, token }) = before {
            let remove = "DELETE FROM replicas WHERE number = $1 AND token = $2 RETURNING number";
            let gone: Option<i64> = sqlx::query_scalar(remove).bind(number.cast_signed()).bind(token).fetch_optional(&pool).await?;
            if let Some(gone) = gone {
                sqlx::query("UPDATE leases SET replica = NULL WHERE replica = $1").bind(gone).execute(&pool).await?;
                ended.push(gone.unsigned_abs());
            }
        }
        let now = clock.monotonic();
        let mut joined = Self {
            pool,
            introduction,
            settings,
            clock,
            badge: Badge { number: 0, token: Uuid::nil() },
            peers: watch::Sender::default(),
            keepers: Vec::new(),
            shares: Arc::new(AtomicBool::new(true)),
            free: HashMap::new(),
            ended,
            steady_since: now,
            last: now,
        };
        joined.badge = joined.enter().await?;
        joined.beat().await?;
        Ok(joined)
    }

    /// What this process is known by.
    pub const fn badge(&self) -> Badge {
        self.badge
    }

    /// Who lives, from now on.
    pub fn watch(&self) -> watch::Receiver<Arc<Peers>> {
        self.peers.subscribe()
    }

    /// Whether this process [takes a share](Peer::shares), to be set as it changes.
    pub fn shares(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.shares)
    }

    /// The turn to do something that one process at a time does. Before [`run`](Self::run).
    pub fn turn(&mut self, name: &'static str) -> Turn {
        let (keeper, turn) = TurnKeeper::new(name);
        self.keepers.push(keeper);
        turn
    }

    /// Says that we live until told to stop; then leaves, so that others go on at once.
    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match tokio::time::timeout(ANSWER_WITHIN, self.beat()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => self.silent(&error),
                Err(_) => self.silent(&DatabaseError::NoAnswer),
            }
            tokio::select! {
                () = self.clock.sleep(self.settings.beat) => {}
                () = stop.cancelled() => {}
            }
        }
        if !matches!(tokio::time::timeout(ANSWER_WITHIN, self.leave()).await, Ok(Ok(()))) {
            tracing::info!("other replicas could not be told that this one ends; they notice it by themselves");
        }
    }

    async fn enter(&self) -> Result<Badge, DatabaseError> {
        let Introduction { name, version, roles } = &self.introduction;
        let (number, token): (i64, Uuid) = sqlx::query_as(JOIN).bind(name).bind(version).bind(roles.join(",")).fetch_one(&self.pool).await?;
        sqlx::query(FORGET).execute(&self.pool).await?;
        Ok(Badge { number: number.unsigned_abs(), token })
    }

    async fn leave(&self) -> Result<(), DatabaseError> {
        sqlx::query("UPDATE leases SET replica = NULL WHERE replica = $1").bind(self.badge.number.cast_signed()).execute(&self.pool).await?;
        sqlx::query("DELETE FROM replicas WHERE number = $1").bind(self.badge.number.cast_signed()).execute(&self.pool).await?;
        Ok(())
    }

    /// The database did not answer: others may take us for dead.
    fn silent(&self, error: &DatabaseError) {
        if self.clock.monotonic().saturating_sub(self.last) < self.settings.dead_after {
            tracing::debug!(%error, "the database could not be told that this replica lives");
            return;
        }
        tracing::warn!(%error, "the database could not be told for long that this replica lives; others may go on in its place");
        self.keepers.iter().for_each(|keeper| keeper.set(None));
        self.peers.send_if_modified(|peers| {
            let changed = peers.certain;
            *peers = Arc::new(Peers { certain: false, ..peers.as_ref().clone() });
            changed
        });
    }

    async fn beat(&mut self) -> Result<(), DatabaseError> {
        // Waiting for a connection is not the way to the database and back, by which the clock is set.
        let mut connection = self.pool.acquire().await?;
        let asked = self.clock.monotonic();
        let told: Option<i64> =
            sqlx::query_scalar(BEAT).bind(self.badge.number.cast_signed()).bind(self.shares.load(Ordering::Acquire)).fetch_optional(&mut *connection).await?;
        let answered = self.clock.monotonic();
        drop(connection);
        let Some(told) = told else {
            self.badge = self.enter().await?;
            tracing::warn!(number = self.badge.number, "this replica was forgotten by the others; it has joined anew");
            return Ok(());
        };
        self.clock.learn(told, asked, answered);
        if answered.saturating_sub(self.last) > self.settings.dead_after / 2 {
            self.steady_since = answered;
        }
        self.last = answered;
        let certain = answered.saturating_sub(self.steady_since) >= self.settings.dead_after;
        let silence = self.settings.dead_after.as_secs_f64();
        let living: Vec<(i64, String, String, String, bool)> = sqlx::query_as(LIVING).bind(silence).fetch_all(&self.pool).await?;
        let peer = |(number, name, version, roles, shares): (i64, String, String, String, bool)| Peer {
            number: number.unsigned_abs(),
            name,
            version,
            roles: roles.split(',').map(str::to_owned).collect(),
            shares,
        };
        let peers = Arc::new(Peers { me: self.badge.number, living: living.into_iter().map(peer).collect(), certain, ended: self.ended.clone() });
        self.peers.send_if_modified(|known| {
            let changed = *known != peers;
            known.clone_from(&peers);
            changed
        });
        self.take_turns(&peers).await
    }

    async fn take_turns(&mut self, peers: &Peers) -> Result<(), DatabaseError> {
        let leases: Vec<(String, Option<i64>, i64)> = sqlx::query_as(LEASES).fetch_all(&self.pool).await?;
        let leases: HashMap<String, Lease> =
            leases.into_iter().map(|(name, replica, epoch)| (name, (replica.map(i64::unsigned_abs), epoch.unsigned_abs()))).collect();
        let candidates: Vec<ReplicaNo> = peers.living.iter().filter(|peer| peer.roles == self.introduction.roles).map(|peer| peer.number).collect();
        let holders: Vec<ReplicaNo> = leases.values().filter_map(|(holder, _)| *holder).collect();
        let preferred = preferred(&candidates, &holders) == Some(self.badge.number);
        for keeper in &self.keepers {
            let (holder, epoch) = leases.get(keeper.name).copied().unwrap_or_default();
            if keeper.is_given_up() {
                keeper.set(None);
                if holder == Some(self.badge.number) {
                    sqlx::query(RELEASE).bind(keeper.name).bind(self.badge.number.cast_signed()).execute(&self.pool).await?;
                    tracing::error!(name = keeper.name, "this replica leaves it to a newer one");
                }
                continue;
            }
            if holder == Some(self.badge.number) {
                keeper.set(Some(epoch));
                continue;
            }
            keeper.set(None);
            let lives = |holder| peers.living.iter().any(|peer| peer.number == holder);
            // Whoever is not certain that a holder is dead leaves it to him.
            if holder.is_some_and(|holder| lives(holder) || !peers.certain) {
                self.free.remove(keeper.name);
                continue;
            }
            let beats = self.free.entry(keeper.name).or_default();
            *beats += 1;
            if !preferred && *beats <= PATIENCE {
                continue;
            }
            let claim = sqlx::query_scalar(CLAIM).bind(keeper.name).bind(self.badge.number.cast_signed()).bind(self.settings.dead_after.as_secs_f64());
            let claimed: Option<i64> = claim.bind(holder.map(u64::cast_signed)).fetch_optional(&self.pool).await?;
            if let Some(epoch) = claimed {
                self.free.remove(keeper.name);
                tracing::info!(name = keeper.name, epoch, "this replica runs it from now on");
                keeper.set(Some(epoch.unsigned_abs()));
            }
        }
        Ok(())
    }
}
