//! What the queue in Redis is told.

use std::fmt;
use std::time::Duration;

/// Where Redis is. URLs are `redis://user:password@host:port/database`, or `rediss://` with TLS.
#[derive(Clone)]
pub enum RedisPlace {
    /// One server.
    Single {
        /// Its URL.
        url: String,
    },
    /// A Redis Cluster.
    Cluster {
        /// Some of its nodes, from which the others are learned. All have one user and password.
        urls: Vec<String>,
    },
    /// A server and its replicas, of which sentinels say which one is the master.
    Sentinel {
        /// The sentinels. With `rediss://` the servers are reached by TLS too.
        urls: Vec<String>,
        /// What they call the master.
        master: String,
        /// The servers' user, if not the default one.
        username: Option<String>,
        /// The servers' password.
        password: Option<String>,
    },
}

impl fmt::Debug for RedisPlace {
    /// URLs hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Single { .. } => "Single",
            Self::Cluster { .. } => "Cluster",
            Self::Sentinel { .. } => "Sentinel",
        })
    }
}

/// Bounds and times.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// Where it is.
    pub place: RedisPlace,
    /// What the names of all keys begin with: installations that share a Redis differ in it.
    pub prefix: String,
    /// Items ready in one lane.
    pub lane: usize,
    /// Items of one route that wait for their moment.
    pub timers: usize,
    /// How long what was taken is not handed out to others, by Redis's clock.
    pub lease: Duration,
    /// How often a waiting worker looks for what other processes have put there.
    pub poll: Duration,
    /// How long Redis may take for an answer, and for a connection.
    pub timeout: Duration,
    /// How long what nobody uses is kept.
    pub keep: Duration,
}

impl RedisSettings {
    /// The usual bounds and times.
    pub fn at(place: RedisPlace) -> Self {
        Self {
            place,
            prefix: "bongsu".to_owned(),
            lane: 4_000,
            timers: 40_000,
            lease: Duration::from_secs(5),
            poll: Duration::from_millis(25),
            timeout: Duration::from_secs(1),
            keep: Duration::from_secs(3_600),
        }
    }
}
