#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::*;
use crate::notifications::{NAME, Notifications, REGISTRATION};
use crate::testing::events::*;
use crate::testing::log::{TestLog, append};
use commands::consumer::RunnerSettings;
use domain::values::Channel;
use tokio_util::sync::CancellationToken;

async fn notify_many(log: &TestLog, from: u128, count: u128) -> u64 {
    let appends = (from..from + count)
        .map(|number| {
            let events = vec![requested(recipient(number % 3), false), queued(0, Channel::InApp), sent(0)];
            append(stream(number), 0, events)
        })
        .collect();
    log.append(appends).await
}

fn run(projection: &Arc<Projection>, log: &TestLog, stop: &CancellationToken) -> tokio::task::JoinHandle<()> {
    let projection = Arc::clone(projection);
    let sources = log.sources.clone();
    let stop = stop.clone();
    tokio::spawn(async move {
        projection.run(sources, RunnerSettings::default(), stop).await;
    })
}

fn files(log: &TestLog) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(log.folder().join("views"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(NAME) && !name.contains("-"))
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_under_load_switches_without_failing_a_read() {
    let log = TestLog::new();
    let models = ReadModels::open(&log.folder().join("views")).unwrap();
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
    assert_eq!(files(&log), ["notifications.4.db", "notifications.serving"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_model_has_the_same_rows_and_survives_a_restart() {
    let log = TestLog::new();
    let folder = log.folder().join("views");
    let head = notify_many(&log, 0, 100).await;
    let models = ReadModels::open(&folder).unwrap();
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
    let models = ReadModels::open(&folder).unwrap();
    let projection = models.find(NAME).unwrap();
    assert_eq!(projection.serving().number(), 2);
    assert_eq!(projection.checkpoint().await.unwrap(), head);
    assert!(projection.parked().await.unwrap().is_empty());
    let notifications = models.notifications().unwrap();
    assert_eq!(notifications.by_number(7).await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_rebuild_leaves_everything_as_it_was() {
    let log = TestLog::new();
    let models = ReadModels::open(&log.folder().join("views")).unwrap();
    let projection = models.find(NAME).unwrap();
    notify_many(&log, 0, 10).await;
    let stop = CancellationToken::new();
    stop.cancel();
    let refused = projection.rebuild(&log.sources, &stop, |_| {}).await;
    assert!(matches!(refused, Err(RebuildError::Stopped)));
    assert_eq!(projection.serving().number(), 1);
    assert_eq!(files(&log), ["notifications.1.db"]);
}

#[tokio::test]
async fn leftovers_of_an_interrupted_rebuild_are_swept() {
    let folder = tempfile::tempdir().unwrap();
    drop(Projection::open(folder.path(), REGISTRATION).unwrap());
    for leftover in ["notifications.2.db", "notifications.2.db-wal"] {
        std::fs::write(folder.path().join(leftover), b"half").unwrap();
    }
    std::fs::write(folder.path().join("notifications_of_others.2.db"), b"").unwrap();
    let projection = Projection::open(folder.path(), REGISTRATION).unwrap();
    assert_eq!(projection.serving().number(), 1);
    assert!(!folder.path().join("notifications.2.db").exists());
    assert!(!folder.path().join("notifications.2.db-wal").exists());
    assert!(folder.path().join("notifications_of_others.2.db").exists());
}
