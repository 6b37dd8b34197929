//! `[redis]`: what the replicas of the cluster profile share: the queue, and the limits of requests.

use super::section::{Reader, section};
use super::storage::{Profile, Storage};
use super::value::{Form, Secret, Value};
use crate::auth::limits::RedisStock;
use std::path::Path;
use workers::queue::redis::RedisSettings;
use workers::redis::RedisPlace;

/// How Redis is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedisMode {
    /// One server.
    Single,
    /// A Redis Cluster.
    Cluster,
    /// A server and replicas, watched by sentinels.
    Sentinel,
}

impl Value for RedisMode {
    const KIND: &'static str = "`single`, `cluster` or `sentinel`";
    const FORM: Form = Form::Text;

    fn parse(text: &str, _folder: &Path) -> Result<Self, String> {
        match text {
            "single" => Ok(Self::Single),
            "cluster" => Ok(Self::Cluster),
            "sentinel" => Ok(Self::Sentinel),
            _ => Err(format!("expected {}", Self::KIND)),
        }
    }
}

/// When the queue is in Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedisQueue {
    /// While there is somebody to share the work with, and for what that one may have.
    Several,
    /// Always, and for everything.
    Always,
}

impl Value for RedisQueue {
    const KIND: &'static str = "`several` or `always`";
    const FORM: Form = Form::Text;

    fn parse(text: &str, _folder: &Path) -> Result<Self, String> {
        match text {
            "several" => Ok(Self::Several),
            "always" => Ok(Self::Always),
            _ => Err(format!("expected {}", Self::KIND)),
        }
    }
}

section! {
    /// A Redis (6.2 or later) for the queue and the timers of the profile `cluster`, so that its
    /// replicas share the work without asking Postgres for each part of it, and for what they allow
    /// each caller together (`limits`). Off unless `url` is set.
    /// Nothing is lost with it: what is owed is in Postgres, and while Redis is away deliveries are slower.
    Redis at "redis" {
        /// Where it is: `redis://user:password@host:6379/0`, or `rediss://` with TLS. Of a Redis
        /// Cluster some of its nodes, and of `sentinel` the sentinels, with commas between them.
        url: Option<Secret>,
        /// How Redis is set up: `single`, one server; `cluster`, a Redis Cluster; `sentinel`, a server
        /// and its replicas, of which sentinels say which one is the master.
        mode: RedisMode = "single",
        /// What the sentinels call the master. Needed by the mode `sentinel`.
        master: Option<String>,
        /// The servers' user in the mode `sentinel`, if not the default one; in other modes the URL says it.
        username: Option<String>,
        /// The servers' password in the mode `sentinel`; in other modes the URL says it.
        password: Option<Secret>,
        /// When the queue is in Redis: `several`, while several replicas deliver, and if all do, for what the
        /// one that accepted it has not begun within a second; `always`, for everything, also while one
        /// delivers, which costs a sixth more.
        queue: RedisQueue = "several",
        /// Part of the names of all keys. Installations that share a Redis each need their own.
        prefix: String = "bongsu",
    }
}

impl Redis {
    fn check(&self, reader: &mut Reader<'_>) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        reader.require(
            (1..=64).contains(&self.prefix.len()) && self.prefix.chars().all(plain),
            "redis.prefix",
            "must have 1 to 64 characters from a-z, A-Z, 0-9, '-', '_' and '.'",
        );
        let sentinel = self.mode == RedisMode::Sentinel;
        let only = "is for the mode `sentinel` only (redis.mode)";
        reader.require(sentinel || self.master.is_none(), "redis.master", only);
        reader.require(sentinel || self.username.is_none(), "redis.username", format!("{only}; put it into redis.url"));
        reader.require(sentinel || self.password.is_none(), "redis.password", format!("{only}; put it into redis.url"));
        let Some(place) = self.place() else {
            reader.require(self.mode == RedisMode::Single, "redis.url", "is needed where redis.mode is set");
            return;
        };
        reader.require(!sentinel || self.master.as_ref().is_some_and(|master| !master.is_empty()), "redis.master", "is needed by the mode `sentinel`");
        reader.require(self.mode != RedisMode::Single || self.urls().len() <= 1, "redis.url", "names one server in the mode `single` (redis.mode)");
        if let Err(error) = place.check() {
            reader.problem("redis.url", error);
        }
    }

    /// What only the two sections together say.
    pub(super) fn check_with(&self, storage: &Storage, reader: &mut Reader<'_>) {
        let used = storage.profile == Profile::Cluster || self.url.is_none();
        reader.require(used, "redis.url", "is for the profile `cluster` only (storage.profile); the profile `embedded` has its queue in memory");
    }

    fn urls(&self) -> Vec<String> {
        let urls = self.url.iter().flat_map(|urls| urls.expose().split(','));
        urls.map(str::trim).filter(|url| !url.is_empty()).map(str::to_owned).collect()
    }

    fn place(&self) -> Option<RedisPlace> {
        self.url.as_ref()?;
        let urls = self.urls();
        Some(match self.mode {
            RedisMode::Single => RedisPlace::Single { url: urls.into_iter().next().unwrap_or_default() },
            RedisMode::Cluster => RedisPlace::Cluster { urls },
            RedisMode::Sentinel => RedisPlace::Sentinel {
                urls,
                master: self.master.clone().unwrap_or_default(),
                username: self.username.clone(),
                password: self.password.as_ref().map(|password| password.expose().to_owned()),
            },
        })
    }

    /// Of the queue; none where there is no Redis.
    pub fn settings(&self) -> Option<RedisSettings> {
        self.place().map(|place| RedisSettings { prefix: self.prefix.clone(), ..RedisSettings::at(place) })
    }

    /// Of the limits of requests; none where there is no Redis.
    pub fn stock(&self) -> Option<RedisStock> {
        self.place().map(|place| RedisStock::new(place, self.prefix.clone()))
    }
}
