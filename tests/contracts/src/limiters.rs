//! The limits of requests that suites run on.

use crate::queues::{cluster, settings, single};
use bongsu::auth::Caller;
use bongsu::auth::limits::{InMemory, Limits, Rates, RedisStock, SharedLimits};
use commands::ports::{Clock, ManualClock};
use commands::replicas::{Peer, Peers};
use domain::values::{KeyId, RecipientId};
use services::{Redis, RedisCluster};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;
use workers::redis::RedisPlace;

/// Requests a second with one key.
pub const RATE: u32 = 40;
/// Requests a second of one recipient.
pub const SLOW: u32 = 8;
/// How often replicas settle.
pub const QUARTER: Duration = Duration::from_millis(250);

/// Nobody has used anything yet.
pub trait Limiters: Sync {
    /// So many replicas, or as many as there can be.
    fn new(replicas: usize) -> impl Future<Output = Self> + Send;
    fn each(&self) -> Vec<&dyn Limits>;
    fn clock(&self) -> &ManualClock;
    /// Those that share settle, while no time passes.
    fn settle(&self) -> impl Future<Output = ()> + Send;
    /// A quarter of a second passes, after which those that share have settled.
    fn quarter(&self) -> impl Future<Output = ()> + Send;
}

pub fn key(number: u128) -> Caller {
    Caller::Administrator { key: KeyId(Uuid::from_u128(number)) }
}

pub fn recipient(number: u128) -> Caller {
    Caller::Recipient { id: RecipientId(Uuid::from_u128(number)) }
}

/// Takes as long as something is let through; says how often that was.
pub fn hammer(limits: &dyn Limits, caller: &Caller, clock: &ManualClock) -> usize {
    (0..1_000).take_while(|_| limits.take(caller, clock.monotonic())).count()
}

/// One process.
pub struct Alone(InMemory, ManualClock);

impl Limiters for Alone {
    async fn new(_: usize) -> Self {
        Self(InMemory::new(Rates { key: RATE, recipient: SLOW }), ManualClock::at(0))
    }
    fn each(&self) -> Vec<&dyn Limits> {
        vec![&self.0]
    }
    fn clock(&self) -> &ManualClock {
        &self.1
    }
    async fn settle(&self) {}
    async fn quarter(&self) {
        self.1.advance(QUARTER);
    }
}

/// Replicas, which share a Redis or have none.
pub struct Replicas {
    pub each: Vec<SharedLimits>,
    pub clock: Arc<ManualClock>,
    /// Who lives.
    pub peers: watch::Sender<Arc<Peers>>,
}

/// So many that answer requests, and one that does not.
pub fn living(replicas: usize) -> Arc<Peers> {
    let peer = |number: u64, role: &str| Peer { number, name: String::new(), version: String::new(), roles: vec![role.to_owned()], shares: true };
    let living = (1..=replicas as u64).map(|number| peer(number, "api")).chain([peer(1_000, "workers")]).collect();
    Arc::new(Peers { living, ..Peers::default() })
}

impl Replicas {
    /// Over a Redis, as a part of it that no other test has.
    pub fn over(replicas: usize, place: Option<RedisPlace>) -> Self {
        let (clock, peers) = (Arc::new(ManualClock::at(1_800_000_000_000)), watch::Sender::new(living(replicas)));
        let prefix = place.clone().map(|place| settings(place).prefix).unwrap_or_default();
        // Keys go by the clock of Redis, all else by ours.
        let stock = || place.clone().map(|place| RedisStock::new(place, prefix.clone()).keeping(Duration::from_secs(600)));
        let limits = |_| SharedLimits::new(Rates { key: RATE, recipient: SLOW }, peers.subscribe(), stock(), clock.clone());
        Self { each: (0..replicas).map(limits).collect(), clock, peers }
    }

    /// Whether all have settled with all of Redis.
    pub async fn settle(&self) -> bool {
        let mut all = true;
        for limits in &self.each {
            all &= limits.settle().await;
        }
        all
    }

    /// Waits until they do.
    pub async fn shared(self) -> Self {
        let settled = async { while !self.settle().await {} };
        tokio::time::timeout(services::wait::PATIENCE, settled).await.expect("Redis does not answer");
        self
    }

    /// Hammers each in turn; says how much was let through.
    pub fn hammer(&self, caller: &Caller) -> usize {
        self.each.iter().map(|limits| hammer(limits, caller, &self.clock)).sum()
    }

    /// A quarter of a second passes.
    pub async fn pass(&self) -> bool {
        self.clock.advance(QUARTER);
        self.settle().await
    }
}

macro_rules! sharing {
    ($(#[$meta:meta])* $name:ident, $place:expr) => {
        $(#[$meta])*
        pub struct $name(Replicas);

        impl Limiters for $name {
            async fn new(replicas: usize) -> Self {
                let place = tokio::task::spawn_blocking(|| $place).await.unwrap();
                Self(Replicas::over(replicas, Some(place)).shared().await)
            }
            fn each(&self) -> Vec<&dyn Limits> {
                self.0.each.iter().map(|limits| limits as &dyn Limits).collect()
            }
            fn clock(&self) -> &ManualClock {
                &self.0.clock
            }
            async fn settle(&self) {
                assert!(self.0.settle().await, "all of Redis answers");
            }
            async fn quarter(&self) {
                assert!(self.0.pass().await, "all of Redis answers");
            }
        }
    };
}

sharing! {
    /// By way of one server.
    ByRedis, single(Redis::shared().unwrap())
}
sharing! {
    /// By way of three nodes.
    ByCluster, shared_cluster()
}

fn shared_cluster() -> RedisPlace {
    static SHARED: OnceLock<RedisCluster> = OnceLock::new();
    cluster(SHARED.get_or_init(|| RedisCluster::start().unwrap()))
}
