#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::*;
use crate::notifications::{NAME, Notifications, REGISTRATION};
use crate::testing::log::TestLog;
use crate::testing::running::*;
use crate::testing::stores::{InFiles, Store, on_every_store};
use tokio_util::sync::CancellationToken;

on_every_store!(
    a_rebuild_under_load_switches_without_failing_a_read,
    a_rebuilt_model_has_the_same_rows_and_survives_a_restart,
    a_stopped_rebuild_leaves_everything_as_it_was,
    leftovers_of_an_interrupted_rebuild_are_swept,
    sizes_and_copies_are_answered_for,
);

async fn a_rebuild_under_load_switches_without_failing_a_read<S: Store>() {
    let log = TestLog::new();
    let store = S::new().await;
    let models = store.models().await;
    let projection = models.find(NAME).unwrap();
    let notifications = models.notifications().unwrap();
    let stop = CancellationToken::new();
    let running = run(projection, &log, &stop);
    notify_many(&log, 0, 300).await;

    let done = CancellationToken::new();
    let reads = tokio::spawn({
        let notifications: Notifications = notifications.clone();
        let done = done.clone();
        async move {
            let mut seen = 0;
            while !done.is_cancelled() {
                let totals = notifications.totals().await.unwrap();
                assert!(totals.requested >= seen, "a read went back in time");
                seen = totals.requested;
            }
        }
    });
    let mut newest = 300;
    for generation in 2..=4 {
        let mut reports = 0;
        let token = CancellationToken::new();
        let rebuild = projection.rebuild(&log.sources, &token, |progress| {
            assert!(progress.position <= progress.head);
            reports += 1;
        });
        let (rebuilt, position) = tokio::join!(rebuild, notify_many(&log, newest, 50));
        newest += 50;
        let rebuilt = rebuilt.unwrap();
        assert_eq!((rebuilt.generation, rebuilt.parked), (generation, 0));
        assert!(reports > 0);
        projection.reached(position).await;
        let totals = notifications.totals().await.unwrap();
        assert_eq!(totals.requested, u64::try_from(newest).unwrap());
        assert_eq!(projection.serving().number(), generation);
    }
    // The live consumer works on the new generation.
    let position = notify_many(&log, newest, 1).await;
    projection.reached(position).await;
    done.cancel();
    reads.await.unwrap();
    stop.cancel();
    running.await.unwrap();
    assert_generations(&store, NAME, &[4]).await;
}

async fn a_rebuilt_model_has_the_same_rows_and_survives_a_restart<S: Store>() {
    let log = TestLog::new();
    let store = S::new().await;
    let head = notify_many(&log, 0, 100).await;
    let models = store.models().await;
    let projection = models.find(NAME).unwrap();
    let stop = CancellationToken::new();
    let running = run(projection, &log, &stop);
    projection.reached(head).await;
    let notifications = models.notifications().unwrap();
    let before = notifications.by_number(7).await.unwrap();
    stop.cancel();
    running.await.unwrap();
    // Without a live consumer, as the command line does it.
    let rebuilt = projection.rebuild(&log.sources, &CancellationToken::new(), |_| {}).await.unwrap();
    assert_eq!((rebuilt.generation, rebuilt.position), (2, head));
    assert_eq!(notifications.by_number(7).await.unwrap(), before);
    drop((models, notifications));
    let models = store.models().await;
    let projection = models.find(NAME).unwrap();
    assert_eq!(projection.serving().number(), 2);
    assert_eq!(projection.checkpoint().await.unwrap(), head);
    assert!(projection.parked().await.unwrap().is_empty());
    let notifications = models.notifications().unwrap();
    assert_eq!(notifications.by_number(7).await.unwrap(), before);
}

async fn a_stopped_rebuild_leaves_everything_as_it_was<S: Store>() {
    let log = TestLog::new();
    let store = S::new().await;
    let models = store.models().await;
    let projection = models.find(NAME).unwrap();
    notify_many(&log, 0, 10).await;
    let stop = CancellationToken::new();
    stop.cancel();
    let refused = projection.rebuild(&log.sources, &stop, |_| {}).await;
    assert!(matches!(refused, Err(RebuildError::Stopped)));
    assert_eq!(projection.serving().number(), 1);
    assert_generations(&store, NAME, &[1]).await;
}

async fn leftovers_of_an_interrupted_rebuild_are_swept<S: Store>() {
    let store = S::new().await;
    drop(store.open(REGISTRATION).await);
    store.litter(NAME, 2).await;
    store.litter("notifications_of_others", 2).await;
    let projection = store.open(REGISTRATION).await;
    assert_eq!(projection.serving().number(), 1);
    assert_generations(&store, NAME, &[1]).await;
    assert_eq!(store.generations("notifications_of_others").await, [2]);
}

async fn sizes_and_copies_are_answered_for<S: Store>() {
    let store = S::new().await;
    let serving = store.open(REGISTRATION).await.serving();
    assert!(serving.bytes().await.unwrap() > 0);
    let folder = tempfile::tempdir().unwrap();
    let copied = serving.backup(&folder.path().join("copy.db"));
    assert_eq!(copied.is_ok(), std::any::type_name::<S>() == std::any::type_name::<InFiles>());
}
