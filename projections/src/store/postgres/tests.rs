#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

//! What only a store that several processes share can show. A process is a [`ReadModels`] of its own.

use super::PgStore;
use crate::notifications::{NAME, REGISTRATION};
use crate::store::{ReadModels, RebuildError};
use crate::testing::log::TestLog;
use crate::testing::running::*;
use crate::testing::stores::{InPostgres, Store};
use commands::consumer::Changes;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const NEVER: Duration = Duration::from_secs(3_600);

fn follow(models: &ReadModels, log: &TestLog, stop: &CancellationToken) -> JoinHandle<()> {
    let (models, clock, stop) = (models.clone(), log.sources.clock.clone(), stop.clone());
    tokio::spawn(async move { models.follow(clock, Duration::from_millis(50), stop).await })
}

/// Reads until told to stop; no read may fail or go back in time.
fn read(models: &ReadModels, stop: &CancellationToken) -> JoinHandle<u64> {
    let (notifications, stop) = (models.notifications().unwrap(), stop.clone());
    tokio::spawn(async move {
        let mut seen = 0;
        while !stop.is_cancelled() {
            let totals = notifications.totals().await.unwrap();
            assert!(totals.requested >= seen, "a read went back in time");
            seen = totals.requested;
        }
        seen
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_rebuilds_what_another_keeps_up_to_date() {
    let (log, store, stop) = (TestLog::new(), InPostgres::new().await, CancellationToken::new());
    let (one, other) = tokio::join!(store.models(), store.models());
    let tasks = [follow(&one, &log, &stop), follow(&other, &log, &stop), run(other.find(NAME).unwrap(), &log, &stop)];
    let readers = [read(&one, &stop), read(&other, &stop)];
    notify_many(&log, 0, 200).await;
    let mut newest = 200;
    for generation in 2..=4 {
        let token = CancellationToken::new();
        let rebuild = one.find(NAME).unwrap().rebuild(&log.sources, &token, |_| {});
        let (rebuilt, _) = tokio::join!(rebuild, async {
            for _ in 0..5 {
                notify_many(&log, newest, 10).await;
                newest += 10;
                log.sources.clock.sleep(Duration::from_millis(5)).await;
            }
        });
        assert_eq!(rebuilt.unwrap().generation, generation);
        let position = notify_many(&log, newest, 1).await;
        newest += 1;
        for models in [&one, &other] {
            let projection = models.find(NAME).unwrap();
            tokio::time::timeout(Duration::from_secs(20), projection.reached(position)).await.expect("the consumer goes on in the new generation");
            assert_eq!(projection.serving().number(), generation);
            assert_eq!(models.notifications().unwrap().totals().await.unwrap().requested, u64::try_from(newest).unwrap());
        }
        assert_generations(&store, NAME, &[generation]).await;
    }
    stop.cancel();
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_finds_the_new_generation_when_the_old_one_is_gone() {
    let (log, store) = (TestLog::new(), InPostgres::new().await);
    let head = notify_many(&log, 0, 10).await;
    let (one, other) = (store.models().await, store.models().await);
    one.find(NAME).unwrap().rebuild(&log.sources, &CancellationToken::new(), |_| {}).await.unwrap();
    assert_generations(&store, NAME, &[2]).await;
    let projection = other.find(NAME).unwrap();
    assert_eq!(projection.serving().number(), 1, "nobody has told it");
    assert!(other.notifications().unwrap().by_number(7).await.unwrap().is_some());
    assert_eq!((projection.serving().number(), projection.position(), projection.checkpoint().await.unwrap()), (2, head, head));
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_together_open_the_same_generation() {
    let store = InPostgres::new().await;
    let opened = futures_util::future::join_all((0..6).map(|_| store.models())).await;
    assert!(opened.iter().flat_map(|models| models.all()).all(|model| model.serving().number() == 1));
    assert_generations(&store, NAME, &[1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_rebuilds_at_a_time_and_nobody_sweeps_what_it_builds() {
    let (log, store) = (TestLog::new(), InPostgres::new().await);
    let models = store.models().await;
    let elsewhere = PgStore::from(store.place().clone()).rebuilding(NAME).await.unwrap().unwrap();
    store.litter(NAME, 2).await;
    let refused = models.find(NAME).unwrap().rebuild(&log.sources, &CancellationToken::new(), |_| {}).await;
    assert!(matches!(refused, Err(RebuildError::Already)));
    drop(store.models().await);
    assert_generations(&store, NAME, &[1, 2]).await;
    elsewhere.release().await;
    drop(store.models().await);
    assert_generations(&store, NAME, &[1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retired_generation_takes_nothing_in_and_a_switch_given_up_retires_nothing() {
    let (log, store) = (TestLog::new(), InPostgres::new().await);
    let models = store.models().await;
    let projection = models.find(NAME).unwrap();
    let old = projection.serving();
    let given_up = PgStore::from(store.place().clone()).begin_switch(NAME, 1).await.unwrap();
    drop(given_up);
    old.rows().apply(NAME, Changes::default(), 0).await.unwrap();
    notify_many(&log, 0, 3).await;
    projection.rebuild(&log.sources, &CancellationToken::new(), |_| {}).await.unwrap();
    assert!(old.rows().apply(NAME, Changes::default(), 1).await.is_err());
    assert_eq!(old.rows().checkpoint(NAME).await.unwrap(), 0);
    assert_generations(&store, NAME, &[1, 2]).await;
    drop(old);
    assert_generations(&store, NAME, &[2]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_told_what_another_process_has_taken_in() {
    let (log, store, stop) = (TestLog::new(), InPostgres::new().await, CancellationToken::new());
    let (one, other) = (store.models().await, store.open(REGISTRATION).await);
    let running = run(one.find(NAME).unwrap(), &log, &stop);
    let position = notify_many(&log, 0, 5).await;
    let clock = Arc::clone(&log.sources.clock);
    let follow = other.follow(&*clock, NEVER, &stop);
    let wait = async {
        tokio::time::timeout(Duration::from_secs(20), other.reached(position)).await.expect("asked often while somebody waits");
        stop.cancel();
    };
    tokio::join!(follow, wait);
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_next_may_rebuild_at_once() {
    let store = PgStore::from(InPostgres::new().await.place().clone());
    for _ in 0..50 {
        store.rebuilding(NAME).await.unwrap().expect("the last one has let go").release().await;
    }
}
