//! The queues that suites run on.

use commands::ports::SystemClock;
use services::{Redis, RedisCluster, Sentinel};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use workers::queue::redis::{RedisQueue, RedisSettings};
use workers::queue::{TimerQueue, WorkQueue};
use workers::redis::RedisPlace;
use workers::window::{Window, WindowSettings};

/// Items in a lane of every queue here.
pub const LANE: usize = 1_000;

/// A queue, as one process has it.
#[derive(Clone)]
pub struct Queue {
    pub work: Arc<dyn WorkQueue>,
    pub timers: Arc<dyn TimerQueue>,
}

impl<Q: WorkQueue + TimerQueue> From<Q> for Queue {
    fn from(queue: Q) -> Self {
        let queue = Arc::new(queue);
        Self { work: queue.clone(), timers: queue }
    }
}

/// An empty queue that goes with this value.
pub trait Queues: Send + Sync {
    /// An empty one.
    fn new() -> Self;
    /// Opens it as one more process does; of one that is in memory it is the same.
    fn open(&self) -> Queue;
}

/// In memory.
pub struct InWindow(Queue);

impl Queues for InWindow {
    fn new() -> Self {
        Self(Window::new(WindowSettings { lane: LANE, items: 10 * LANE }).into())
    }

    fn open(&self) -> Queue {
        self.0.clone()
    }
}

/// A queue's settings that no other test has: it starts empty on a shared Redis.
pub fn settings(place: RedisPlace) -> RedisSettings {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let prefix = format!("test{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    // Longer than any test: what is about leases sets its own.
    RedisSettings { prefix, lane: LANE, lease: Duration::from_secs(600), poll: Duration::from_millis(2), ..RedisSettings::at(place) }
}

pub fn connect(settings: &RedisSettings) -> RedisQueue {
    RedisQueue::new(settings.clone(), Arc::new(SystemClock::default()))
}

macro_rules! in_redis {
    ($(#[$meta:meta])* $name:ident, $place:expr) => {
        $(#[$meta])*
        pub struct $name(RedisSettings);

        impl Queues for $name {
            fn new() -> Self {
                Self(settings($place))
            }

            fn open(&self) -> Queue {
                connect(&self.0).into()
            }
        }
    };
}

in_redis! {
    /// One server.
    InRedis, single(Redis::shared().unwrap())
}
in_redis! {
    /// Three nodes.
    InCluster, shared_cluster()
}
in_redis! {
    /// A master that a sentinel knows.
    BehindSentinel, shared_sentinel()
}

pub fn single(redis: &Redis) -> RedisPlace {
    RedisPlace::Single { url: redis.url() }
}

pub fn cluster(cluster: &RedisCluster) -> RedisPlace {
    RedisPlace::Cluster { urls: cluster.urls() }
}

pub fn sentinel(group: &Sentinel) -> RedisPlace {
    RedisPlace::Sentinel { urls: group.urls(), master: services::sentinel::MASTER.to_owned(), username: None, password: Some(group.password().to_owned()) }
}

fn shared_cluster() -> RedisPlace {
    static SHARED: OnceLock<RedisCluster> = OnceLock::new();
    cluster(SHARED.get_or_init(|| RedisCluster::start().unwrap()))
}

fn shared_sentinel() -> RedisPlace {
    static SHARED: OnceLock<Sentinel> = OnceLock::new();
    sentinel(SHARED.get_or_init(|| Sentinel::start(1).unwrap()))
}
