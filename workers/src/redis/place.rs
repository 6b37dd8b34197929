//! Where Redis is.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use std::fmt;

/// Why a place can be none. Says no URL, as those hold passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedisPlaceError {
    /// No URL at all.
    #[error("names no server")]
    Nobody,
    /// Not a URL of Redis.
    #[error("is not `redis://host:port` or `rediss://host:port`, with `user:password@` before the host where needed")]
    Url,
    /// A database where there are none.
    #[error("names a database, which only a single server has")]
    Database,
    /// Some with TLS and some without.
    #[error("must be all `redis://` or all `rediss://`")]
    Mixed,
}

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

impl RedisPlace {
    /// Whether it can be one; nobody is asked.
    pub fn check(&self) -> Result<(), RedisPlaceError> {
        let (urls, single) = match self {
            Self::Single { url } => (std::slice::from_ref(url), true),
            Self::Cluster { urls } | Self::Sentinel { urls, .. } => (urls.as_slice(), false),
        };
        let read = |url: &String| url.as_str().into_connection_info().ok().filter(|info| host(info).is_some_and(|host| !host.is_empty()));
        let infos = urls.iter().map(read).collect::<Option<Vec<_>>>().ok_or(RedisPlaceError::Url)?;
        let tls = |info: &ConnectionInfo| matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        let first = infos.first().ok_or(RedisPlaceError::Nobody)?;
        if !single && infos.iter().any(|info| info.redis_settings().db() != 0) {
            return Err(RedisPlaceError::Database);
        }
        if infos.iter().any(|info| tls(info) != tls(first)) {
            return Err(RedisPlaceError::Mixed);
        }
        Ok(())
    }
}

fn host(info: &ConnectionInfo) -> Option<&str> {
    match info.addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => Some(host),
        _ => None,
    }
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
