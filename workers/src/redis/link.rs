//! The connection to Redis: one, shared by all callers, made when it is needed.
//!
//! An answer comes within one and a half times the timeout, or an error does; after one that says
//! that the connection is of no use, the next caller makes a new one (behind sentinels: to whoever
//! is the master then). No request is repeated here: callers go on without Redis, and ask again anyway.
//!
//! Rejected: the crate's `ConnectionManager`, which knows no sentinels, and whose own repeats would
//! make callers wait for a Redis that is gone.

use super::place::RedisPlace;
use super::script::Script;
use crate::providers::http::install_crypto;
use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{Sentinel, SentinelNodeConnectionInfo};
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisConnectionInfo, RedisError, ServerErrorKind, TlsMode};
use std::time::Duration;
use tokio::sync::Mutex;

/// Why there was no answer. Callers can always do without one.
#[derive(Debug, Clone, thiserror::Error)]
#[error("Redis does not answer: {reason}")]
pub struct NoAnswer {
    /// For the operator.
    pub reason: String,
}

/// A connection; clones share it.
#[derive(Clone)]
enum Wire {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

#[derive(Default)]
struct Slot {
    wire: Option<Wire>,
    /// Of the wire: its failure is not that of the one after it.
    number: u64,
}

/// See the module.
pub struct Link {
    place: RedisPlace,
    timeout: Duration,
    slot: Mutex<Slot>,
}

impl Link {
    /// Connects at the first call, and again whenever that is needed. `timeout` is for an answer, and for a connection.
    pub fn new(place: RedisPlace, timeout: Duration) -> Self {
        Self { place, timeout, slot: Mutex::default() }
    }

    /// Runs a script on keys of one slot, whose names begin with `base`.
    pub async fn run<T: FromRedisValue>(&self, script: &Script, base: &str, arguments: &[Vec<u8>]) -> Result<T, NoAnswer> {
        let mut invoked = script.by_hash(base);
        invoked.arg(arguments);
        self.bounded(async |wire: &mut Wire| {
            match wire.command(&invoked).await {
                // By its text, and not by loading it: of a cluster that would have to reach every node.
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    let mut invoked = script.by_text(base);
                    invoked.arg(arguments);
                    wire.command(&invoked).await
                }
                answer => answer,
            }
        })
        .await
    }

    /// Asks something that is about no key.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, NoAnswer> {
        self.bounded(async |wire: &mut Wire| wire.command(command).await).await
    }

    /// Runs commands on keys of one slot.
    pub async fn pipe(&self, pipe: &Pipeline) -> Result<(), NoAnswer> {
        self.bounded(async |wire: &mut Wire| match wire {
            Wire::Server(one) => pipe.query_async(one).await,
            Wire::Cluster(all) => pipe.query_async(all).await,
        })
        .await
    }

    async fn bounded<T>(&self, ask: impl AsyncFnOnce(&mut Wire) -> Result<T, RedisError>) -> Result<T, NoAnswer> {
        let mut used = None;
        let asking = async {
            let (mut wire, number) = self.wire().await?;
            used = Some(number);
            ask(&mut wire).await
        };
        let answer = tokio::time::timeout(self.timeout * 3 / 2, asking).await;
        let (reason, broken) = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => (error.to_string(), is_broken(&error)),
            Err(_) => ("no answer in time".to_owned(), true),
        };
        if let Some(number) = used
            && broken
        {
            self.drop_wire(number).await;
        }
        Err(NoAnswer { reason })
    }

    async fn wire(&self) -> Result<(Wire, u64), RedisError> {
        let mut slot = self.slot.lock().await;
        if let Some(wire) = &slot.wire {
            return Ok((wire.clone(), slot.number));
        }
        let wire = self.connect().await?;
        slot.number += 1;
        slot.wire = Some(wire.clone());
        Ok((wire, slot.number))
    }

    async fn drop_wire(&self, number: u64) {
        let mut slot = self.slot.lock().await;
        // That of a cluster mends itself, node by node; a new one would need all nodes to answer.
        if slot.number == number && !matches!(slot.wire, Some(Wire::Cluster(_))) {
            slot.wire = None;
        }
    }

    async fn connect(&self) -> Result<Wire, RedisError> {
        // With `rediss://` the crate takes the process's provider, and panics where it cannot tell which.
        install_crypto();
        let client = match &self.place {
            RedisPlace::Single { url } => Client::open(url.as_str())?,
            RedisPlace::Cluster { urls } => {
                let client = ClusterClient::builder(urls.iter().map(String::as_str))
                    .connection_timeout(self.timeout)
                    .response_timeout(self.timeout)
                    .retries(3)
                    .build()?;
                return client.get_async_connection().await.map(Wire::Cluster);
            }
            RedisPlace::Sentinel { urls, master, username, password } => {
                let mut login = RedisConnectionInfo::default();
                if let Some(username) = username {
                    login = login.set_username(username);
                }
                if let Some(password) = password {
                    login = login.set_password(password);
                }
                let mut node = SentinelNodeConnectionInfo::default().set_redis_connection_info(login);
                if urls.iter().any(|url| url.starts_with("rediss:")) {
                    node = node.set_tls_mode(TlsMode::Secure);
                }
                let mut sentinel = Sentinel::build(urls.iter().map(String::as_str).collect())?;
                sentinel.async_master_for(master, Some(&node)).await?
            }
        };
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(self.timeout)).set_response_timeout(Some(self.timeout));
        client.get_multiplexed_async_connection_with_config(&config).await.map(Wire::Server)
    }
}

impl Wire {
    async fn command<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, RedisError> {
        match self {
            Self::Server(one) => command.query_async(one).await,
            Self::Cluster(all) => command.query_async(all).await,
        }
    }
}

/// Whether another connection might do better: not where Redis itself refused, save for being the wrong one.
fn is_broken(error: &RedisError) -> bool {
    error.code().is_none_or(|code| matches!(code, "READONLY" | "MASTERDOWN" | "NOAUTH" | "LOADING"))
}
