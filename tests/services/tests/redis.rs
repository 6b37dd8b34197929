//! The private Redis, alone, as a cluster and under sentinels, does what its callers build on.

use anyhow::Result;
use services::redis::{Redis, Settings};
use services::{RedisCluster, Sentinel};

#[test]
fn it_answers_only_who_knows_the_password_and_forgets_at_a_restart() -> Result<()> {
    let mut redis = Redis::start(&Settings::default())?;
    redis.ask(&["SET", "kept", "7"])?;
    assert_eq!(redis.ask(&["GET", "kept"])?, "7");
    assert!(redis.url().contains(redis.password()));
    let stranger = std::process::Command::new("redis-cli").args(["-p", &redis.port().to_string(), "GET", "kept"]).output()?;
    assert!(!String::from_utf8_lossy(&stranger.stdout).contains('7'));
    redis.flushall()?;
    assert_eq!(redis.ask(&["DBSIZE"])?, "0");
    redis.ask(&["SET", "kept", "7"])?;
    redis.kill()?;
    assert!(redis.ask(&["PING"]).is_err());
    redis.restart()?;
    assert_eq!(redis.ask(&["DBSIZE"])?, "0");
    Ok(())
}

#[test]
fn stopped_it_is_silent_and_goes_on_with_all_it_held() -> Result<()> {
    let mut redis = Redis::start(&Settings::default())?;
    redis.ask(&["SET", "kept", "7"])?;
    redis.stop()?;
    let port = redis.port().to_string();
    let impatient = std::process::Command::new("timeout").args(["1", "redis-cli", "-p", &port, "PING"]).output()?;
    assert_eq!(impatient.status.code(), Some(124), "it answered: {impatient:?}");
    redis.cont()?;
    assert_eq!(redis.ask(&["GET", "kept"])?, "7");
    redis.stop()
}

#[test]
fn beyond_its_memory_it_refuses_writes() -> Result<()> {
    let mut redis = Redis::start(&Settings::default().line("hz 100"))?;
    assert_eq!(redis.ask(&["CONFIG", "GET", "hz"])?, "hz\n100");
    redis.maxmemory(1)?;
    assert!(redis.ask(&["SET", "kept", "7"]).is_err());
    redis.maxmemory(0)?;
    redis.ask(&["SET", "kept", "7"])?;
    Ok(())
}

#[test]
fn the_shared_one_is_the_same_for_all() -> Result<()> {
    assert_eq!(Redis::shared()?.port(), Redis::shared()?.port());
    assert_eq!(Redis::shared()?.ask(&["PING"])?, "PONG");
    Ok(())
}

#[test]
fn a_cluster_shares_the_slots_and_recovers_with_its_node() -> Result<()> {
    let mut cluster = RedisCluster::start()?;
    assert_eq!(cluster.urls().len(), 3);
    let taken: Vec<bool> = cluster.nodes.iter().map(|node| node.ask(&["SET", "kept", "7"]).is_ok()).collect();
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1, "one node has the slot, the others point to it: {taken:?}");
    cluster.nodes[1].restart()?;
    cluster.agreed()
}

#[test]
fn sentinels_replace_a_killed_master() -> Result<()> {
    let mut group = Sentinel::start(3)?;
    assert_eq!(group.urls().len(), 3);
    let old = group.master_port()?;
    assert_eq!(old, group.servers[0].port());
    group.servers[0].kill()?;
    let new = group.replaced(old)?;
    assert_eq!(new, group.servers[1].port());
    group.servers[1].ask(&["SET", "kept", "7"])?;
    Ok(())
}
