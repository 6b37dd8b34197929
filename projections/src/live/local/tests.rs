#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::super::{ChangeKind, FollowEnd, LiveItem};
use super::*;
use crate::store::{Projection, ReadModels};
use crate::testing::events::*;
use crate::testing::log::TestLog;
use commands::consumer::RunnerSettings;
use domain::values::Channel;
use futures_util::{FutureExt, StreamExt};

struct Running {
    log: Arc<TestLog>,
    projection: Arc<Projection>,
    feed: LocalFeed,
    stop: CancellationToken,
}

impl Running {
    fn start() -> Self {
        let log = Arc::new(TestLog::new());
        let models = ReadModels::open(&log.folder().join("views")).unwrap();
        let projection = Arc::clone(models.find(crate::notifications::NAME).unwrap());
        let feed = LocalFeed::new(&log.sources, models.notifications().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn({
            let (projection, sources, stop) = (projection.clone(), log.sources.clone(), stop.clone());
            async move { projection.run(sources, RunnerSettings::default(), commands::replicas::Turn::always(), stop).await }
        });
        tokio::spawn({
            let (feed, sources, stop) = (feed.clone(), log.sources.clone(), stop.clone());
            async move { feed.run(sources, stop).await }
        });
        Self { log, projection, feed, stop }
    }

    async fn notify(&self, number: u128, to: RecipientId) -> u64 {
        let events = vec![requested(to, false), queued(0, Channel::InApp), sent(0)];
        self.log.notify(stream(number), 0, events).await
    }
}

async fn next_notification(following: &mut Following) -> super::super::LiveNotification {
    loop {
        match following.next().await.unwrap().unwrap() {
            LiveItem::Notification(notification) => return notification,
            LiveItem::Change(_) => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backlog_and_live_join_without_gap_or_repeat_under_commits() {
    const TOTAL: u128 = 900;
    let running = Arc::new(Running::start());
    let me = recipient(1);
    let writing = tokio::spawn({
        let running = Arc::clone(&running);
        async move {
            for number in 0..TOTAL {
                let to = if number % 3 == 0 { recipient(2) } else { me };
                running.notify(number, to).await;
            }
        }
    });
    let expected: Vec<_> = (0..TOTAL).filter(|number| number % 3 != 0).map(|number| stream(number).id).collect();
    // Followers that come at different moments, from the beginning.
    let mut followers = Vec::new();
    for moment in [0, 200, 700, 1_500] {
        running.projection.reached(moment).await;
        let mut following = running.feed.follow(me, Some(0));
        let count = expected.len();
        followers.push(tokio::spawn(async move {
            let mut got = Vec::new();
            let mut last = 0;
            while got.len() < count {
                let item = next_notification(&mut following).await;
                assert!(item.position > last, "out of order");
                last = item.position;
                got.push(item.id.0);
            }
            got
        }));
    }
    // One that leaves and comes back with its cursor, again and again.
    let mut cursor = 0;
    let mut got = Vec::new();
    while got.len() < expected.len() {
        let mut following = running.feed.follow(me, Some(cursor));
        for _ in 0..37.min(expected.len() - got.len()) {
            let item = next_notification(&mut following).await;
            cursor = item.position;
            got.push(item.id.0);
        }
    }
    assert_eq!(got, expected);
    for follower in followers {
        assert_eq!(follower.await.unwrap(), expected);
    }
    writing.await.unwrap();
    assert_eq!(running.feed.followers(), 0);
    running.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn live_items_carry_content_and_changes_and_no_tests() {
    let running = Running::start();
    let me = recipient(1);
    let early = running.notify(1, me).await;
    running.projection.reached(early).await;
    let mut following = running.feed.follow(me, None);
    running.log.notify(stream(2), 0, vec![requested(me, true), queued(0, Channel::InApp)]).await;
    running.log.notify(stream(3), 0, vec![requested(me, false), suppressed(None)]).await;
    // Of a notification that is older than the feed.
    let at = running.log.notify(stream(1), 3, vec![seen(), read()]).await;
    running.notify(4, me).await;
    running.log.notify(stream(4), 3, vec![archived()]).await;
    let mut changes = Vec::new();
    let shown = loop {
        match following.next().await.unwrap().unwrap() {
            LiveItem::Change(change) => changes.push((change.id.0, change.kind, change.position)),
            LiveItem::Notification(notification) => break notification,
        }
    };
    assert_eq!(changes, [(stream(1).id, ChangeKind::Seen, at - 1), (stream(1).id, ChangeKind::Read, at)]);
    assert_eq!(shown.id.0, stream(4).id);
    let content = shown.requested.unwrap();
    assert_eq!(content.position, shown.requested_position);
    let domain::Fact::Notification(domain::notification::NotificationEvent::Requested(told)) = &content.fact else {
        panic!("a request was expected");
    };
    assert!(told.personal.known().is_some_and(|content| content.body.contains("secret body")));
    let LiveItem::Change(change) = following.next().await.unwrap().unwrap() else {
        panic!("an archiving was expected");
    };
    assert_eq!(change.kind, ChangeKind::Archived);
    running.stop.cancel();
    let end = following.next().await.unwrap();
    assert!(matches!(end, Err(FollowEnd::Closed)));
    assert!(following.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_keep_up_is_let_go_and_comes_back_with_the_cursor() {
    let running = Running::start();
    let me = recipient(1);
    let mut slow = running.feed.follow(me, None);
    let mut quick = running.feed.follow(me, None);
    let total = BEHIND as u128 + 40;
    let reading = tokio::spawn(async move {
        let mut got = 0;
        while got < total {
            next_notification(&mut quick).await;
            got += 1;
        }
    });
    for number in 0..total {
        running.notify(number, me).await;
    }
    reading.await.unwrap();
    let mut got = Vec::new();
    let mut cursor = 0;
    let end = loop {
        match slow.next().await.unwrap() {
            Ok(item) => {
                cursor = item.position();
                if let LiveItem::Notification(item) = item {
                    got.push(item.id.0);
                }
            }
            Err(end) => break end,
        }
    };
    assert!(matches!(end, FollowEnd::Lagged));
    assert_eq!(got.len(), BEHIND);
    let mut again = running.feed.follow(me, Some(cursor));
    while got.len() < usize::try_from(total).unwrap() {
        got.push(next_notification(&mut again).await.id.0);
    }
    let expected: Vec<_> = (0..total).map(|number| stream(number).id).collect();
    assert_eq!(got, expected);
    assert!(again.next().now_or_never().is_none());
    running.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispatcher_behind_the_tail_reads_the_log() {
    let log = TestLog::new();
    let models = ReadModels::open(&log.folder().join("views")).unwrap();
    let feed = LocalFeed::new(&log.sources, models.notifications().unwrap());
    let me = recipient(1);
    let mut following = feed.follow(me, None);
    // More than the tail keeps, before the dispatcher's first look.
    let mut number = 0;
    for _ in 0..12 {
        let appends = (0..1_000)
            .map(|_| {
                number += 1;
                let to = if number % 1_000 == 0 { me } else { recipient(2) };
                let events = vec![requested(to, false), queued(0, Channel::InApp)];
                crate::testing::log::append(stream(number), 0, events)
            })
            .collect();
        log.append(appends).await;
    }
    assert!(log.sources.tail.read_after(0, 1).is_none());
    let stop = CancellationToken::new();
    let (running, sources, token) = (feed.clone(), log.sources.clone(), stop.clone());
    tokio::spawn(async move { running.run(sources, token).await });
    for expected in 1..=12 {
        let item = next_notification(&mut following).await;
        assert_eq!(item.id.0, stream(expected * 1_000).id);
    }
    stop.cancel();
}
