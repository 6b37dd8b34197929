//! The port `LiveFeed` over a log's tail: what a follower gets, on whichever replica it follows and whichever
//! accepted what it gets.

use crate::stores::{Replica, Store};
use commands::consumer::RunnerSettings;
use commands::log::{Commit, CommitOutcome, Committer, Lane, Metadata, Position, StreamAppend};
use commands::ports::SystemClock;
use commands::replicas::Turn;
use domain::event::Personal;
use domain::notification::{NotificationEvent, Queued, Requested, Seen};
use domain::values::{CategoryKey, Channel, Content, FactVersions, NotificationId, RecipientId, Rule, SenderKey};
use domain::{AggregateKind, StreamId};
use futures_util::StreamExt;
use projections::live::{ChangeKind, FollowEnd, LiveFeed, LiveItem, LocalFeed};
use projections::store::{ReadModels, Sources};
use services::wait::PATIENCE;
use std::sync::Arc;
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

const ME: RecipientId = RecipientId(Uuid::from_u128(1));
const OTHER: RecipientId = RecipientId(Uuid::from_u128(2));
/// More events than a tail keeps.
const MANY: u128 = 10_500;

/// A replica with a feed of its own.
struct Feeding {
    committer: Committer,
    feed: LocalFeed,
    sources: Sources,
    stop: CancellationToken,
    _ends: DropGuard,
    _folder: TempDir,
}

impl Feeding {
    /// Its read model is kept up to date; nothing is handed out yet.
    fn over(replica: Replica) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let models = ReadModels::open(folder.path()).unwrap();
        let notifications = models.notifications().unwrap();
        let projection = models.find("notifications").unwrap().clone();
        let sources = Sources { log: replica.reader, tail: replica.tail, clock: Arc::new(SystemClock::default()) };
        let (feed, stop) = (LocalFeed::new(&sources, notifications), CancellationToken::new());
        tokio::spawn({
            let (sources, stop) = (sources.clone(), stop.clone());
            async move { projection.run(sources, RunnerSettings::default(), Turn::always(), stop).await }
        });
        Self { committer: replica.committer, feed, sources, _ends: stop.clone().drop_guard(), stop, _folder: folder }
    }

    fn hand_out(&self) {
        let (feed, sources, stop) = (self.feed.clone(), self.sources.clone(), self.stop.clone());
        tokio::spawn(async move { feed.run(sources, stop).await });
    }

    /// So many replicas of a store, which hand out.
    async fn replicas<S: Store>(store: &S, count: usize) -> Vec<Self> {
        let mut all = Vec::new();
        for _ in 0..count {
            let replica = Self::over(store.open().await);
            replica.hand_out();
            all.push(replica);
        }
        all
    }
}

fn stream(number: u128) -> StreamId {
    StreamId::new(AggregateKind::Notification, Uuid::from_u128(0xb000_0000 + number))
}

fn append(number: u128, expected: u64, events: impl IntoIterator<Item = NotificationEvent>) -> StreamAppend {
    StreamAppend { stream: stream(number), number: None, expected, events: events.into_iter().map(Into::into).collect() }
}

/// A notification in the app.
fn notification(number: u128, recipient: RecipientId) -> StreamAppend {
    let requested = Requested {
        fingerprint: "0011223344556677".to_owned(),
        ..Requested::plain(
            SenderKey::new("shop").unwrap(),
            recipient,
            CategoryKey::new("orders").unwrap(),
            Personal::from(Content { body: format!("number {number}"), ..Content::default() }),
        )
    };
    let queued = Queued { delivery: 0, channel: Channel::InApp, address: None, rule: Rule::DefaultOptIn, rules: Rule::VERSION, facts: FactVersions::default() };
    append(number, 0, [NotificationEvent::Requested(requested), NotificationEvent::Queued(queued)])
}

async fn commit(committer: &Committer, appends: Vec<StreamAppend>) {
    let commit = Commit { metadata: Arc::new(Metadata::of("test")), appends, expectations: Vec::new() };
    let outcomes = committer.commit(Lane::Request, vec![commit]).await.unwrap();
    assert!(matches!(outcomes[0], CommitOutcome::Committed { .. }));
}

/// Follows from a cursor on until so many notifications have come, and comes back with its cursor whenever it is
/// let go, or has got so many.
async fn inbox(feed: LocalFeed, mut cursor: Position, count: usize, at_a_time: usize) -> Vec<(Position, NotificationId)> {
    let mut got = Vec::new();
    let all = async {
        while got.len() < count {
            let mut following = feed.follow(ME, Some(cursor));
            for _ in 0..at_a_time.min(count - got.len()) {
                match following.next().await.unwrap() {
                    Ok(LiveItem::Notification(item)) => {
                        assert!(item.position > cursor, "{} came after {cursor}", item.position);
                        cursor = item.position;
                        got.push((item.position, item.id));
                    }
                    Ok(LiveItem::Change(_)) => {}
                    Err(FollowEnd::Lagged) => break,
                    Err(end) => panic!("{end}"),
                }
            }
        }
    };
    if tokio::time::timeout(PATIENCE, all).await.is_err() {
        panic!("{} of {count} came", got.len());
    }
    got
}

/// Everybody has the same, which is all of these, each once.
fn same(inboxes: &[Vec<(Position, NotificationId)>], numbers: impl Iterator<Item = u128>) {
    let mut wanted: Vec<_> = numbers.map(|number| stream(number).id).collect();
    wanted.sort_unstable();
    for inbox in inboxes {
        assert_eq!(inbox, &inboxes[0]);
        let mut ids: Vec<_> = inbox.iter().map(|(_, id)| id.0).collect();
        ids.sort_unstable();
        assert_eq!(ids, wanted);
    }
}

async fn followed_while_written<S: Store>(replicas: usize) {
    const EACH: u128 = 120;
    let store = S::new().await;
    let all = Feeding::replicas(&store, replicas).await;
    let writers = 4;
    let count = usize::try_from(writers * EACH).unwrap();
    let mut reading = Vec::new();
    for replica in &all {
        // One that stays, and one that comes back all the time.
        reading.push(tokio::spawn(inbox(replica.feed.clone(), 0, count, count)));
        reading.push(tokio::spawn(inbox(replica.feed.clone(), 0, count, 7)));
    }
    let writing: Vec<_> = (0..writers)
        .zip(all.iter().cycle())
        .map(|(writer, replica)| {
            let committer = replica.committer.clone();
            tokio::spawn(async move {
                for number in writer * EACH..(writer + 1) * EACH {
                    commit(&committer, vec![notification(number, ME), notification(1_000_000 + number, OTHER)]).await;
                }
            })
        })
        .collect();
    for task in writing {
        task.await.unwrap();
    }
    let mut inboxes = Vec::new();
    for task in reading {
        inboxes.push(task.await.unwrap());
    }
    same(&inboxes, 0..writers * EACH);
    // Whoever comes later reads the same, from wherever it was.
    let late = all.last().unwrap();
    assert_eq!(inbox(late.feed.clone(), inboxes[0][99].0, count - 100, count).await, inboxes[0][100..]);
}

pub async fn everything_comes_once_and_in_order<S: Store>() {
    followed_while_written::<S>(1).await;
}

/// For stores that several processes share.
pub async fn everything_comes_once_and_in_order_whoever_accepted_it<S: Store>() {
    followed_while_written::<S>(2).await;
}

/// Whoever hands out has fallen behind what is in memory.
pub async fn what_the_tail_has_forgotten_comes_from_the_log<S: Store>() {
    let store = S::new().await;
    let replica = Feeding::over(store.open().await);
    let following = tokio::spawn(inbox(replica.feed.clone(), 0, 200, 200));
    let mine = |number: u128| number.is_multiple_of(50) && number < 10_000;
    for first in (0..MANY).step_by(500) {
        let appends = (first..first + 500).map(|number| notification(number, if mine(number) { ME } else { OTHER }));
        commit(&replica.committer, appends.collect()).await;
    }
    assert!(replica.sources.tail.read_after(0, 1).is_none(), "the tail has forgotten the beginning");
    replica.hand_out();
    let got = following.await.unwrap();
    same(&[got], (0..MANY).filter(|number| mine(*number)));
}

/// For stores that several processes share.
pub async fn what_is_done_on_one_replica_is_told_on_the_other<S: Store>() {
    let store = S::new().await;
    let all = Feeding::replicas(&store, 2).await;
    let mut following = all[1].feed.follow(ME, None);
    commit(&all[0].committer, vec![notification(1, OTHER), notification(2, ME)]).await;
    commit(&all[0].committer, vec![append(2, 2, [NotificationEvent::Seen(Seen {})])]).await;
    let told = async {
        let (first, second) = (following.next().await.unwrap().unwrap(), following.next().await.unwrap().unwrap());
        assert!(matches!(first, LiveItem::Notification(item) if item.id.0 == stream(2).id));
        assert!(matches!(second, LiveItem::Change(change) if change.kind == ChangeKind::Seen && change.position > 4));
    };
    tokio::time::timeout(PATIENCE, told).await.expect("nothing is told");
}
