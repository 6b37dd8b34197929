//! Which profile the scenarios run on: `BONGSU_TEST_PROFILE=cluster`, or else the embedded one.

use anyhow::{Result, bail};
use services::postgres::Postgres;
use services::redis::Redis;
use std::sync::atomic::{AtomicU64, Ordering};

/// A profile, as in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// SQLite files in the data folder.
    Embedded,
    /// A database of the tests' own Postgres, and a part of their Redis.
    Cluster,
    /// The same without Redis.
    ClusterWithoutRedis,
}

/// The one that was asked for.
pub fn profile() -> Result<Profile> {
    match std::env::var("BONGSU_TEST_PROFILE").as_deref() {
        Err(_) | Ok("" | "embedded") => Ok(Profile::Embedded),
        Ok("cluster") => Ok(Profile::Cluster),
        Ok(other) => bail!("BONGSU_TEST_PROFILE is {other}; it may be embedded or cluster"),
    }
}

/// What the server's environment says about it: stores of its own.
pub(crate) async fn environment(profile: Profile) -> Result<Vec<(String, String)>> {
    if profile == Profile::Embedded {
        return Ok(Vec::new());
    }
    let url = tokio::task::spawn_blocking(|| Postgres::shared()?.database()).await??;
    let mut environment = on_database(&url);
    if profile == Profile::Cluster {
        let redis = tokio::task::spawn_blocking(Redis::shared).await??;
        environment.extend(on_redis(&redis.url()));
    }
    Ok(environment)
}

/// The cluster profile on this database.
pub(crate) fn on_database(url: &str) -> Vec<(String, String)> {
    vec![("BONGSU_STORAGE__PROFILE".to_owned(), "cluster".to_owned()), ("BONGSU_POSTGRES__URL".to_owned(), url.to_owned())]
}

/// A queue of its own in this Redis.
pub(crate) fn on_redis(url: &str) -> Vec<(String, String)> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let prefix = format!("scenario{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    vec![("BONGSU_REDIS__URL".to_owned(), url.to_owned()), ("BONGSU_REDIS__PREFIX".to_owned(), prefix), ("BONGSU_REDIS__QUEUE".to_owned(), "always".to_owned())]
}
