//! What only a queue in Redis must do: outlive whatever becomes of Redis, and be refilled.
//!
//! Tests of their own server each, as they disturb it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use contracts::queue::{PUSH, item, lane, normal, offer, streams, take, take_all};
use contracts::queues::{Queue, cluster, connect, sentinel, settings, single};
use contracts::timers::waiting;
use domain::notification::DeliveryState;
use domain::values::Priority;
use services::wait::PATIENCE;
use services::{Redis, RedisCluster, Sentinel};
use std::collections::BTreeSet;
use std::time::Duration;
use workers::pending::{Item, Route};
use workers::queue::QueueError;
use workers::queue::redis::RedisSettings;
use workers::redis::RedisPlace;

/// Far below the time within which an error must come, so that a busy machine fails no test.
const ANSWER: Duration = Duration::from_millis(300);
/// Within this an error must come.
const NOTICED: Duration = Duration::from_secs(2);

fn impatient(place: RedisPlace) -> RedisSettings {
    // What was settled is forgotten at once: the same is offered again here.
    RedisSettings { timeout: ANSWER, remember: Duration::from_millis(1), ..settings(place) }
}

fn start() -> (Redis, RedisSettings, Queue) {
    let redis = Redis::start(&Default::default()).unwrap();
    let settings = impatient(single(&redis));
    let queue = connect(&settings).into();
    (redis, settings, queue)
}

fn key(settings: &RedisSettings, name: &str) -> String {
    format!("bongsu:{{{}:{}}}:{name}", settings.prefix, PUSH.number())
}

/// Takes, works and ripens until each of these was taken; whatever else comes is welcome.
async fn until_taken(queue: &Queue, wanted: BTreeSet<u64>) {
    until_taken_of(queue, wanted, &[]).await;
}

/// The same, with a table from which what is still wanted is offered again whenever nothing is ready.
async fn until_taken_of(queue: &Queue, mut wanted: BTreeSet<u64>, table: &[Item]) {
    let all = async {
        while !wanted.is_empty() {
            let _ = queue.timers.ripen(i64::MAX).await;
            match queue.work.take(PUSH, 100).await {
                Ok(taken) if !taken.is_empty() => {
                    wanted.retain(|stream| taken.iter().all(|item| item.stream != *stream));
                    let _ = queue.work.settle(taken).await;
                }
                _ => {
                    let _ = queue.work.offer(table.iter().filter(|item| wanted.contains(&item.stream)).cloned().collect()).await;
                    queue.work.wait(PUSH).await;
                }
            }
        }
    };
    if tokio::time::timeout(PATIENCE, all).await.is_err() {
        panic!("never taken: {wanted:?}");
    }
}

/// Offers until it is accepted, as a refill does.
async fn until_offered(queue: &Queue, items: Vec<Item>) {
    let accepted = async {
        while queue.work.offer(items.clone()).await.is_err() {
            queue.work.wait(PUSH).await;
        }
    };
    tokio::time::timeout(PATIENCE, accepted).await.expect("offers are never accepted again");
}

async fn every_question_fails_in_time(queue: &Queue) {
    let items = || normal(900..902, "shop");
    let within = async |asked: &str, answer: std::pin::Pin<Box<dyn Future<Output = Result<(), QueueError>> + Send + '_>>| {
        let answer = tokio::time::timeout(NOTICED, answer).await.unwrap_or_else(|_| panic!("no error in time: {asked}"));
        assert!(answer.is_err(), "{asked}");
    };
    within("offer", queue.work.offer(items())).await;
    within("take", Box::pin(async { queue.work.take(PUSH, 1).await.map(drop) })).await;
    within("give_back", queue.work.give_back(items())).await;
    within("settle", queue.work.settle(items())).await;
    within("room", Box::pin(async { queue.work.room(vec![lane("shop")]).await.map(drop) })).await;
    within("depths", Box::pin(async { queue.work.depths().await.map(drop) })).await;
    within("hold", queue.timers.hold(vec![waiting(950, 5)])).await;
    within("ripen", Box::pin(async { queue.timers.ripen(1).await.map(drop) })).await;
}

#[test]
fn with_the_usual_timeout_an_error_comes_in_time() {
    let usual = RedisSettings::at(RedisPlace::Single { url: String::new() });
    assert!(usual.timeout * 3 / 2 < NOTICED);
    assert!(!format!("{:?}", RedisPlace::Single { url: "redis://:secret@host".to_owned() }).contains("secret"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_neither_settled_nor_given_back_is_handed_out_again() {
    let (_redis, mut settings, _) = start();
    settings.lease = Duration::from_millis(50);
    let (died, other): (Queue, Queue) = (connect(&settings).into(), connect(&settings).into());
    offer(&died, normal(0..10, "shop")).await;
    let taken = take(&died, 10).await;
    assert_eq!(taken.len(), 10);
    died.work.settle(taken[..4].to_vec()).await.unwrap();
    let mut again = Vec::new();
    while again.len() < 6 {
        again.extend(streams(&take(&other, 10).await));
        other.work.wait(PUSH).await;
    }
    // All leases of that take ended at once: what was settled would have come with these.
    assert_eq!(again, (4..10).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_after_the_lease_leaves_one_shape_the_newest() {
    let (_redis, mut settings, _) = start();
    settings.lease = Duration::from_millis(1);
    let late: Queue = connect(&settings).into();
    offer(&late, normal(0..1, "shop")).await;
    let mut taken = take(&late, 1).await;
    // The lease ends, and what was taken is back in its lane: a take of nothing else brings it there.
    while late.work.depths().await.unwrap().iter().all(|(_, _, depth)| *depth == 0) {
        offer(&late, vec![item(7, "shop", Priority::Critical)]).await;
        let other = late.work.take(PUSH, 1).await.unwrap();
        late.work.settle(other.into_iter().filter(|item| item.stream == 7).collect()).await.unwrap();
        late.work.wait(PUSH).await;
    }
    settings.lease = Duration::from_secs(600);
    let queue: Queue = connect(&settings).into();
    taken[0].sequence = 9;
    late.work.give_back(taken).await.unwrap();
    let all: Vec<_> = take_all(&queue).await.into_iter().filter(|item| item.stream == 0).map(|item| item.sequence).collect();
    assert_eq!(all, [9]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_shapes_of_a_delivery_the_newer_is_handed_out() {
    let (_redis, _, queue) = start();
    offer(&queue, normal(0..5, "shop")).await;
    offer(&queue, normal(0..5, "shop").into_iter().map(|item| Item { sequence: 300, ..item }).collect()).await;
    let taken = take_all(&queue).await;
    assert_eq!(streams(&taken), [0, 1, 2, 3, 4]);
    assert!(taken.iter().all(|item| item.sequence == 300));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_any_loss_a_refill_brings_everything_and_nothing_is_stuck() {
    let names = ["lane:2:shop", "lane:2:other", "turns:2", "turns:0", "leases", "leased", "due", "credits", "*"];
    for name in names {
        let (mut redis, mut settings, _) = start();
        settings.lease = Duration::from_millis(50);
        let queue: Queue = connect(&settings).into();
        let ready = || [normal(0..40, "shop"), normal(100..140, "other"), vec![item(200, "shop", Priority::Critical)]].concat();
        let timers = || (300..310).map(|stream| waiting(stream, 500)).collect::<Vec<_>>();
        offer(&queue, ready()).await;
        queue.timers.hold(timers()).await.unwrap();
        // Of both senders, and credits are begun as there are two priorities.
        let lost = take(&queue, 10).await;
        assert_eq!(lost.len(), 10);
        if name == "*" {
            redis.flushall().unwrap();
        } else {
            assert_eq!(redis.ask(&["DEL", &key(&settings, name)]).unwrap(), if name == "turns:0" { "0" } else { "1" }, "{name}");
        }
        // The refill: room is asked, and what the table has is offered, also what is in there.
        let room = queue.work.room(vec![lane("shop"), lane("other")]).await.unwrap();
        assert!(!room.is_empty(), "{name}");
        let table = [ready(), timers()].concat();
        offer(&queue, table.clone()).await;
        until_taken_of(&queue, table.iter().map(|item| item.stream).collect(), &table).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_turn_is_found_by_asking_for_room() {
    let (redis, settings, queue) = start();
    offer(&queue, normal(0..10, "shop")).await;
    redis.ask(&["DEL", &key(&settings, "turns:2")]).unwrap();
    assert!(take(&queue, 10).await.is_empty());
    queue.work.room(vec![lane("shop")]).await.unwrap();
    assert_eq!(take(&queue, 10).await.len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_left_behind_by_lost_leases_are_removed() {
    let (redis, settings, queue) = start();
    offer(&queue, normal(0..10, "shop")).await;
    take(&queue, 10).await;
    redis.ask(&["DEL", &key(&settings, "leases")]).unwrap();
    queue.work.room(vec![lane("shop")]).await.unwrap();
    assert_eq!(redis.ask(&["EXISTS", &key(&settings, "leased")]).unwrap(), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_dropped() {
    let (redis, settings, queue) = start();
    offer(&queue, normal(0..3, "shop")).await;
    for name in ["lane:2:shop", "due"] {
        for garbage in ["", "x", "\u{1}", "\u{1}aaaaaaaabbcccccccc\u{9}\u{4}shop", "\u{2}aaaaaaaabbcccccccc\u{1}\u{4}shop", &"z".repeat(200)] {
            redis.ask(&["ZADD", &key(&settings, name), "1", garbage]).unwrap();
        }
    }
    // One whose beginning is right, so that it comes as far as a lane.
    redis.ask(&["ZADD", &key(&settings, "due"), "1", "\u{1}aaaaaaaabbcccccccc\u{1}\u{4}shop"]).unwrap();
    assert_eq!(queue.timers.ripen(5).await.unwrap(), None);
    assert_eq!(streams(&take_all(&queue).await), [0, 1, 2]);
    assert_eq!(redis.ask(&["ZCARD", &key(&settings, "leases")]).unwrap(), "3", "garbage is not leased");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_expires_and_holds_nothing_of_the_content() {
    let (redis, _, queue) = start();
    offer(&queue, [normal(0..10, "shop"), vec![item(50, "shop", Priority::Low)]].concat()).await;
    queue.timers.hold(vec![waiting(60, 500)]).await.unwrap();
    let taken = take(&queue, 3).await;
    queue.work.give_back(taken[..1].to_vec()).await.unwrap();
    let keys = redis.ask(&["KEYS", "*"]).unwrap();
    assert!(keys.lines().count() >= 6, "{keys}");
    for key in keys.lines() {
        let left: i64 = redis.ask(&["PTTL", key]).unwrap().parse().unwrap();
        assert!(left > 0, "{key} never expires");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_redis_refuses_offers_and_can_be_drained() {
    let (mut redis, _, queue) = start();
    offer(&queue, [normal(0..500, "shop"), normal(1_000..1_500, "other")].concat()).await;
    redis.maxmemory(1).unwrap();
    assert!(queue.work.offer(normal(600..700, "shop")).await.is_err());
    assert!(queue.timers.hold(vec![waiting(800, 5)]).await.is_err());
    let mut drained = 0;
    while drained < 1_000 {
        let mut taken = take(&queue, 50).await;
        assert!(!taken.is_empty(), "stuck with {drained}");
        // Some come back, which must work as well.
        if drained % 100 == 0 {
            queue.work.give_back(taken.split_off(25)).await.unwrap();
        }
        drained += taken.len();
        queue.work.settle(taken).await.unwrap();
    }
    redis.maxmemory(0).unwrap();
    offer(&queue, normal(600..700, "shop")).await;
    assert_eq!(take_all(&queue).await.len(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_redis_is_noticed_and_its_successor_is_refilled() {
    let (mut redis, _, queue) = start();
    offer(&queue, normal(0..10, "shop")).await;
    take(&queue, 5).await;
    redis.kill().unwrap();
    every_question_fails_in_time(&queue).await;
    redis.restart().unwrap();
    // It knows neither items nor scripts.
    until_offered(&queue, normal(0..10, "shop")).await;
    until_taken(&queue, (0..10).collect()).await;
    queue.timers.ripen(5).await.unwrap();
    queue.work.give_back(normal(20..21, "shop")).await.unwrap();
    queue.work.room(vec![lane("shop")]).await.unwrap();
    assert_eq!(queue.work.depths().await.unwrap().iter().map(|(_, _, depth)| depth).sum::<usize>(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_stands_still_is_noticed_and_goes_on_where_it_was() {
    let (mut redis, mut settings, _) = start();
    settings.lease = Duration::from_millis(50);
    let queue: Queue = connect(&settings).into();
    offer(&queue, normal(0..10, "shop")).await;
    redis.stop().unwrap();
    every_question_fails_in_time(&queue).await;
    redis.cont().unwrap();
    // What it was asked meanwhile it does now; a take that nobody heard of ends with its lease.
    until_offered(&queue, normal(0..10, "shop")).await;
    until_taken(&queue, (0..10).collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_new_master_is_found_behind_sentinels() {
    let mut group = Sentinel::start(3).unwrap();
    let queue: Queue = connect(&impatient(sentinel(&group))).into();
    offer(&queue, normal(0..10, "shop")).await;
    let old = group.master_port().unwrap();
    group.servers.iter_mut().find(|server| server.port() == old).unwrap().kill().unwrap();
    every_question_fails_in_time(&queue).await;
    let group = tokio::task::spawn_blocking(move || group.replaced(old).map(|_| group)).await.unwrap().unwrap();
    until_offered(&queue, normal(0..10, "shop")).await;
    until_taken(&queue, (0..10).collect()).await;
    // The one that follows now is no place to write.
    let mut group = group;
    let former = group.servers.iter_mut().find(|server| server.port() == old).unwrap();
    former.restart().unwrap();
    until_offered(&queue, normal(20..30, "shop")).await;
    until_taken(&queue, (20..30).collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_dead_sentinel_hides_no_master() {
    let mut group = Sentinel::start(3).unwrap();
    group.sentinels[0].kill().unwrap();
    let queue: Queue = connect(&impatient(sentinel(&group))).into();
    until_offered(&queue, normal(0..10, "shop")).await;
    until_taken(&queue, (0..10).collect()).await;
}

fn on(route: Route, stream: u64) -> Item {
    let mut one = item(stream, "shop", Priority::Normal);
    one.delivery.channel = route.channel;
    one.sandbox = route.sandbox;
    one
}

async fn every_route_works(queue: &Queue) {
    for (route, stream) in Route::all().zip(1..) {
        until_offered(queue, vec![on(route, stream)]).await;
        let taken = async {
            loop {
                // What was offered to a node that stood still may be there as well.
                let taken = queue.work.take(route, 10).await.unwrap_or_default();
                let found = streams(&taken).contains(&stream);
                if queue.work.settle(taken).await.is_ok() && found {
                    break;
                }
                queue.work.wait(route).await;
            }
        };
        tokio::time::timeout(PATIENCE, taken).await.unwrap_or_else(|_| panic!("{route:?} is stuck"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_shares_the_routes_and_its_nodes_may_restart() {
    let mut nodes = RedisCluster::start().unwrap();
    let queue: Queue = connect(&impatient(cluster(&nodes))).into();
    offer(&queue, Route::all().zip(1..).map(|(route, stream)| on(route, stream)).collect()).await;
    let used = nodes.nodes.iter().filter(|node| node.ask(&["DBSIZE"]).unwrap() != "0").count();
    assert!(used > 1, "all routes are on one node");
    for route in Route::all() {
        let taken = queue.work.take(route, 10).await.unwrap();
        queue.work.settle(taken).await.unwrap();
    }
    for index in 0..nodes.nodes.len() {
        nodes.nodes[index].restart().unwrap();
        nodes.agreed().unwrap();
        every_route_works(&queue).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_a_cluster_that_stands_still_is_noticed_and_comes_back() {
    let mut nodes = RedisCluster::start().unwrap();
    let queue: Queue = connect(&impatient(cluster(&nodes))).into();
    every_route_works(&queue).await;
    for node in &mut nodes.nodes {
        node.stop().unwrap();
    }
    every_question_fails_in_time(&queue).await;
    for node in &mut nodes.nodes {
        node.cont().unwrap();
    }
    nodes.agreed().unwrap();
    every_route_works(&queue).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_moves_to_another_node_is_followed() {
    let nodes = RedisCluster::start().unwrap();
    let settings = impatient(cluster(&nodes));
    let queue: Queue = connect(&settings).into();
    every_route_works(&queue).await;
    let slot = nodes.nodes[0].ask(&["CLUSTER", "KEYSLOT", &key(&settings, "due")]).unwrap();
    let id = nodes.nodes.iter().map(|node| node.ask(&["CLUSTER", "MYID"]).unwrap()).collect::<Vec<_>>();
    let owner = nodes.nodes.iter().position(|node| node.ask(&["EXISTS", &key(&settings, "due")]).is_ok()).unwrap();
    let target = (owner + 1) % nodes.nodes.len();
    // A slot may be given away when nothing is in it; a take removes what has been forgotten.
    while nodes.nodes[owner].ask(&["CLUSTER", "COUNTKEYSINSLOT", &slot]).unwrap() != "0" {
        assert!(queue.work.take(PUSH, 10).await.unwrap().is_empty());
        queue.work.wait(PUSH).await;
    }
    for node in [target, owner, (owner + 2) % nodes.nodes.len()] {
        nodes.nodes[node].ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &id[target]]).unwrap();
    }
    every_route_works(&queue).await;
    offer(&queue, normal(0..10, "shop")).await;
    assert_ne!(nodes.nodes[target].ask(&["CLUSTER", "COUNTKEYSINSLOT", &slot]).unwrap(), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn installations_with_their_own_prefixes_do_not_meet() {
    let (_redis, settings, queue) = start();
    let other: Queue = connect(&RedisSettings { prefix: format!("{}x", settings.prefix), ..settings }).into();
    offer(&queue, normal(0..10, "shop")).await;
    assert!(take_all(&other).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_an_error_that_does_not_tell_it() {
    let (redis, _, _) = start();
    let url = format!("redis://:not-the-secret@127.0.0.1:{}", redis.port());
    let queue: Queue = connect(&impatient(RedisPlace::Single { url })).into();
    let error = queue.work.offer(normal(0..1, "shop")).await.unwrap_err().to_string();
    assert!(!error.contains("not-the-secret"), "{error}");
    let mut unowed = item(1, "shop", Priority::Normal);
    unowed.delivery.state = DeliveryState::Sent;
    assert!(queue.work.offer(vec![unowed]).await.is_ok(), "nothing to offer is nothing to ask");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_settled_is_taken_in_again_only_as_something_newer() {
    let (_redis, settings, _) = start();
    let settings = RedisSettings { remember: Duration::from_secs(600), ..settings };
    let queue: Queue = connect(&settings).into();
    offer(&queue, normal(0..3, "shop")).await;
    let mut taken = take(&queue, 3).await;
    taken.iter_mut().for_each(|item| item.sequence += 1);
    queue.work.settle(taken.clone()).await.unwrap();
    // As the table still has it, which is a little late; and as it was settled.
    offer(&queue, normal(0..3, "shop")).await;
    offer(&queue, taken.clone()).await;
    queue.timers.hold(taken.clone()).await.unwrap();
    assert!(take_all(&queue).await.is_empty());
    taken[1].sequence += 1;
    offer(&queue, taken).await;
    assert_eq!(streams(&take_all(&queue).await), [1]);
}
