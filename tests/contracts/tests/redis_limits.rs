//! What only limits that are shared in Redis must do: go on whatever becomes of it, and say nothing of anybody.
//!
//! Tests of their own server each, as they disturb it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bongsu::auth::limits::Limits as _;
use commands::ports::Clock as _;
use contracts::limiters::{QUARTER, RATE, Replicas, key, living, recipient};
use contracts::queues::{cluster, single};
use services::{Redis, RedisCluster};

const QUARTER_RATE: usize = RATE as usize / 4;

async fn start(replicas: usize) -> (Redis, Replicas) {
    let redis = tokio::task::spawn_blocking(|| Redis::start(&Default::default()).unwrap()).await.unwrap();
    let replicas = Replicas::over(replicas, Some(single(&redis))).shared().await;
    (redis, replicas)
}

/// Hammers for so many quarters of a second; says how much was let through.
async fn hammer_for(replicas: &Replicas, quarters: usize) -> usize {
    let mut all = 0;
    for _ in 0..quarters {
        all += replicas.hammer(&key(1));
        replicas.pass().await;
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_lost_in_redis_was_saved_up_once_more() {
    let (mut redis, replicas) = start(2).await;
    hammer_for(&replicas, 16).await;
    tokio::task::block_in_place(|| redis.flushall().unwrap());
    let after = hammer_for(&replicas, 8).await;
    assert!(after <= 2 * RATE as usize + 8 * QUARTER_RATE + QUARTER_RATE, "{after}");
    let later = hammer_for(&replicas, 16).await;
    assert!((16 * QUARTER_RATE - 3..=16 * QUARTER_RATE + 3).contains(&later), "{later}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_silent_each_allows_its_part_and_never_waits() {
    let (mut redis, replicas) = start(2).await;
    hammer_for(&replicas, 16).await;
    tokio::task::block_in_place(|| redis.stop().unwrap());
    // Taking is no future: it cannot wait for anything. Settling is given up in time.
    let settling = tokio::time::timeout(std::time::Duration::from_secs(2), replicas.each[0].settle()).await;
    assert!(!settling.expect("it waits for a Redis that is silent"));
    replicas.settle().await;
    hammer_for(&replicas, 4).await;
    let divided = hammer_for(&replicas, 8).await;
    assert!((8 * QUARTER_RATE - 3..=8 * QUARTER_RATE + 3).contains(&divided), "each its half: {divided}");
    let one: usize = replicas.each[..1].iter().map(|one| (0..100).filter(|_| one.take(&key(1), replicas.clock.monotonic())).count()).sum();
    assert!(one <= QUARTER_RATE / 2 + 1, "{one}");
    // Nobody else answers requests any more.
    replicas.peers.send_replace(living(1));
    replicas.clock.advance(4 * QUARTER);
    let alone = (0..1_000).filter(|_| replicas.each[0].take(&key(1), replicas.clock.monotonic())).count();
    assert!((RATE as usize..=2 * RATE as usize).contains(&alone), "all of it: {alone}");
    replicas.peers.send_replace(living(2));
    tokio::task::block_in_place(|| redis.cont().unwrap());
    let replicas = replicas.shared().await;
    hammer_for(&replicas, 16).await;
    let shared = hammer_for(&replicas, 8).await;
    assert!((8 * QUARTER_RATE - 3..=8 * QUARTER_RATE + 3).contains(&shared), "{shared}");
    // By one replica alone all of the rate is used: it is shared, not divided.
    let mut one = 0;
    for _ in 0..8 {
        replicas.pass().await;
        one += (0..1_000).filter(|_| replicas.each[0].take(&key(1), replicas.clock.monotonic())).count();
    }
    assert!(one >= 8 * QUARTER_RATE - 3, "{one}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_nobody_settles_with_is_not_trusted() {
    let (_redis, replicas) = start(2).await;
    hammer_for(&replicas, 16).await;
    // As where the task that settles stands still.
    let mut all = 0;
    for _ in 0..40 {
        all += replicas.hammer(&key(1));
        replicas.clock.advance(QUARTER);
    }
    assert!((30 * QUARTER_RATE..=40 * QUARTER_RATE + 2 * RATE as usize).contains(&all), "{all}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_each_allows_its_part() {
    let replicas = Replicas::over(2, None);
    let mut quarters = 0;
    for _ in 0..16 {
        quarters += replicas.hammer(&key(1));
        assert!(!replicas.pass().await);
    }
    assert!((16 * QUARTER_RATE..=16 * QUARTER_RATE + 2 * RATE as usize).contains(&quarters), "{quarters}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_node_of_a_cluster_is_felt_by_its_callers_only() {
    let mut nodes = tokio::task::spawn_blocking(|| RedisCluster::start().unwrap()).await.unwrap();
    let replicas = Replicas::over(2, Some(cluster(&nodes))).shared().await;
    tokio::task::block_in_place(|| nodes.nodes[0].stop().unwrap());
    let callers: Vec<_> = (0..16).map(key).collect();
    let mut all = vec![0; callers.len()];
    for _ in 0..12 {
        for (caller, all) in callers.iter().zip(&mut all) {
            *all += replicas.hammer(caller);
        }
        replicas.pass().await;
    }
    for all in all {
        // Shared or divided, it is the same for one that asks every replica; for a moment it may be both.
        assert!((10 * QUARTER_RATE..=12 * QUARTER_RATE + 4 * RATE as usize).contains(&all), "{all}");
    }
    tokio::task::block_in_place(|| nodes.nodes[0].cont().unwrap());
    replicas.shared().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_tell_nothing_but_ids_end_by_themselves_and_are_bounded() {
    let (redis, replicas) = start(2).await;
    for caller in 0..6_000 {
        assert!(replicas.each[0].take(&recipient(caller), replicas.clock.monotonic()), "beyond the bound it goes on: {caller}");
    }
    let replicas = replicas.shared().await;
    let ask = |command: &[&str]| tokio::task::block_in_place(|| redis.ask(command).unwrap());
    let keys = ask(&["KEYS", "*"]);
    assert_eq!(keys.lines().count(), 4_000);
    for name in keys.lines() {
        let (base, id) = name.rsplit_once(':').unwrap();
        assert!(base.starts_with("bongsu:{test") && base.contains(":limits:") && base.ends_with('}'), "{name}");
        assert!(uuid::Uuid::parse_str(id).is_ok(), "{name}");
    }
    let ttl: i64 = ask(&["PTTL", keys.lines().next().unwrap()]).parse().unwrap();
    assert!(ttl > 0, "{ttl}");
    // Whoever does not come again makes room.
    replicas.clock.advance(QUARTER);
    let replicas = replicas.shared().await;
    replicas.pass().await;
    for caller in 10_000..10_100 {
        replicas.each[0].take(&recipient(caller), replicas.clock.monotonic());
    }
    replicas.pass().await;
    replicas.shared().await;
    assert_eq!(ask(&["DBSIZE"]), "4100");
}
