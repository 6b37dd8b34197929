//! What may stand beside the log: Redis, the mirror, and the store of files. Nothing is written there, but to the last
//! one, which is tried out.

use super::{Finding, PATIENCE, Verdict};
use crate::config::{Config, Profile};
use commands::attachments::{Place, StoredObjects};
use commands::ports::{Clock, SystemClock};
use projections::feed::kurrentdb;
use std::sync::Arc;
use workers::redis::{OLDEST, RedisServer, inspect};

const IN_TIME: &str = "did not answer in time; check the address and the network";

pub(super) async fn redis(config: &Config, offline: bool) -> Option<Finding> {
    let what = "redis";
    if config.storage.profile != Profile::Cluster {
        return None;
    }
    let Some(settings) = config.redis.settings() else {
        return Some(Finding::new(what, Verdict::Ok, "off; replicas share the work by slots of streams"));
    };
    if offline {
        return Some(Finding::new(what, Verdict::Ok, "configured, not asked"));
    }
    Some(match tokio::time::timeout(PATIENCE, inspect(settings.place.clone(), settings.timeout)).await {
        Ok(Ok(servers)) => servers_found(what, &servers),
        Ok(Err(error)) => Finding::new(what, Verdict::Failed, format_args!("{}; check redis.url, the network and the user's rights", error.reason)),
        Err(_) => Finding::new(what, Verdict::Failed, IN_TIME),
    })
}

fn servers_found(what: &str, servers: &[RedisServer]) -> Finding {
    if let Some(old) = servers.iter().find(|server| !server.is_recent()) {
        return Finding::new(what, Verdict::Failed, format_args!("Redis {} is too old; use {}.{} or later", old.version, OLDEST.0, OLDEST.1));
    }
    if servers.len() == 1
        && let Some(replica) = servers.iter().find(|server| server.role == "slave")
    {
        return Finding::new(
            what,
            Verdict::Failed,
            format_args!("Redis {} answers as a replica, and nothing can be written there; name the master", replica.version),
        );
    }
    let told = servers.iter().map(|server| {
        let room = if server.maxmemory == 0 { "no limit of memory".to_owned() } else { format!("{} MiB, {}", server.maxmemory >> 20, server.policy) };
        format!("Redis {} ({room})", server.version)
    });
    let mut told: Vec<String> = told.collect();
    told.sort();
    told.dedup();
    Finding::new(what, Verdict::Ok, told.join("; "))
}

pub(super) async fn mirror(config: &Config, offline: bool) -> Option<Finding> {
    let what = "mirror";
    let target = config.mirror.target()?;
    if offline {
        return Some(Finding::new(what, Verdict::Ok, "configured, not asked"));
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let place = target.place();
    Some(match tokio::time::timeout(PATIENCE, kurrentdb::inspect(&target, &clock)).await {
        Ok(Ok(Some(position))) => Finding::new(what, Verdict::Ok, format_args!("{place} answers, and holds the log up to position {position}")),
        Ok(Ok(None)) => Finding::new(what, Verdict::Ok, format_args!("{place} answers, and holds nothing yet")),
        Ok(Err(error)) => Finding::new(what, Verdict::Failed, format_args!("{place}: {error}; check mirror.kurrentdb")),
        Err(_) => Finding::new(what, Verdict::Failed, format_args!("{place} {IN_TIME}")),
    })
}

pub(super) async fn attachments(config: &Config, offline: bool) -> Option<Finding> {
    let what = "attachments";
    if config.attachments.lacks_place(&config.storage) {
        let told = "off, since replicas need one place for them; set attachments.folder to a folder that they share, or attachments.url";
        return Some(Finding::new(what, Verdict::Ok, told));
    }
    let place = config.attachments.place(&config.storage)?;
    let told = match &place {
        // It is made at the first start; who only checks makes nothing.
        Place::Folder(folder) => {
            let shared = if config.storage.profile == Profile::Cluster { ", which all replicas have to share" } else { "" };
            return Some(Finding::new(what, Verdict::Ok, format_args!("kept in {}{shared}", folder.display())));
        }
        Place::Bucket(bucket) => format!("bucket {}", bucket.bucket),
    };
    if offline {
        return Some(Finding::new(what, Verdict::Ok, format_args!("{told} configured, not asked")));
    }
    let trying = async { StoredObjects::open(place)?.try_out().await };
    Some(match tokio::time::timeout(PATIENCE, trying).await {
        Ok(Ok(())) => Finding::new(what, Verdict::Ok, format_args!("{told} can be written and read")),
        Ok(Err(error)) => Finding::new(what, Verdict::Failed, format_args!("{told}: {error}; check attachments.url, its endpoint and its key")),
        Err(_) => Finding::new(what, Verdict::Failed, format_args!("{told} {IN_TIME}")),
    })
}
