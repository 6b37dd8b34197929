//! What a replica is told of others' events: what it needs, and its way past the rest.

use super::{append, commit, listen, off, stream, subscription};
use crate::stores::Store;
use commands::log::{Commit, CommitOutcome, Lane, LogReader, Need, Recorded, Tail};
use commands::replicas::Share;
use domain::event::Personal;
use domain::notification::{AttemptStarted, NotificationEvent, Requested, Sent};
use domain::values::{CategoryKey, Channel, DeliveryNo, RecipientId, SenderKey};
use domain::{AggregateKind, Fact, StreamId};
use std::sync::Arc;
use uuid::Uuid;

/// The life of notifications, of which a process is told what it needs.
fn notification(n: u128) -> StreamId {
    stream(AggregateKind::Notification, n)
}

fn requested(recipient: u128) -> Fact {
    NotificationEvent::Requested(Requested {
        fingerprint: "\"recipient\":\"nobody\"".to_owned(),
        ..Requested::plain(SenderKey::new("shop").unwrap(), RecipientId(Uuid::from_u128(recipient)), CategoryKey::new("orders").unwrap(), Personal::Erased)
    })
    .into()
}

fn seen() -> Fact {
    NotificationEvent::Seen(domain::notification::Seen {}).into()
}

fn started(delivery: DeliveryNo) -> Fact {
    NotificationEvent::AttemptStarted(AttemptStarted { delivery, attempt: 1, provider: "fcm".to_owned(), after_unknown: false, from: None }).into()
}

fn sent(delivery: DeliveryNo) -> Fact {
    NotificationEvent::Sent(Sent { delivery, attempt: 1, provider_id: None, cost: None }).into()
}

pub async fn attempts_without_an_outcome_are_found_by_whom_they_are_for<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let alice = RecipientId(Uuid::from_u128(1));
    let open = async |of: Vec<RecipientId>, after, upto| {
        let mut open = log.reader.open_attempts(of, after, upto).await.unwrap();
        open.sort_unstable();
        open
    };
    assert!(open(vec![alice], 0, 0).await.is_empty());
    append(&log, vec![commit(notification(1), 0, vec![requested(1), started(0), started(1)]), commit(notification(2), 0, vec![requested(2), started(0)])])
        .await;
    assert_eq!(open(vec![alice], 0, 5).await, [2, 3]);
    assert_eq!(open(vec![alice, RecipientId(Uuid::from_u128(2))], 0, 5).await, [2, 3, 5]);
    assert_eq!(open(vec![alice], 2, 5).await, [3], "one before the stretch has lapsed");
    assert_eq!(open(vec![alice], 0, 2).await, [2], "one after it is none of its business");
    assert!(open(vec![RecipientId(Uuid::from_u128(3))], 0, 5).await.is_empty());
    append(&log, vec![commit(notification(1), 3, vec![sent(0), seen()])]).await;
    assert_eq!(open(vec![alice], 0, 7).await, [3]);
    append(&log, vec![commit(notification(1), 5, vec![sent(1), started(0)])]).await;
    assert_eq!(open(vec![alice], 0, 9).await, [9], "a later attempt is open again");
}

/// For stores that several processes share.
pub async fn a_replica_is_told_what_it_needs_and_moves_past_the_rest<S: Store>() {
    let store = S::new().await;
    let (one, other) = (store.open().await, store.open().await);
    let reached = async |place| drop(other.tail.watch().wait_for(|head| *head >= place).await.unwrap());
    let positions = |events: &[Arc<Recorded>]| events.iter().map(|event| event.position).collect::<Vec<_>>();
    // Types are told until they are known, so once before it counts.
    append(&one, vec![commit(notification(9), 0, vec![requested(1), started(0), sent(0), seen()])]).await;
    reached(4).await;
    append(&one, vec![commit(notification(1), 0, vec![requested(1), started(0)]), commit(subscription(1), 0, vec![off(Channel::Email)])]).await;
    append(&one, vec![commit(notification(1), 2, vec![sent(0), seen()])]).await;
    reached(9).await;
    let (told, upto) = other.tail.read(4, 10, Need::NONE).unwrap();
    assert_eq!((positions(&told), upto), (vec![7], 9), "what caches rest on, and the end of what was passed");
    assert!(other.tail.read(4, 10, Need::SHOWN).is_none() && other.tail.read_after(8, 10).is_none(), "what was left out is not said to be nothing");
    assert_eq!(other.tail.read_after(9, 10).unwrap().len(), 0);
    assert!(other.tail.get(5).is_none() && other.tail.get(7).is_some_and(|event| event.position == 7));

    // What recipients are shown, and no more.
    let shown = other.tail.need(Need::SHOWN);
    append(&one, vec![commit(notification(2), 0, vec![requested(1), started(0)]), commit(notification(2), 2, vec![sent(0), seen()])]).await;
    reached(13).await;
    let (told, upto) = other.tail.read(9, 10, Need::SHOWN).unwrap();
    assert_eq!((positions(&told), upto), (vec![10, 13], 13));
    assert!(other.tail.read_after(9, 10).is_none());

    // Everything, from where it is asked for; and nothing when nobody asks any more.
    let all = other.tail.need(Need::ALL);
    append(&one, vec![commit(notification(3), 0, vec![requested(1), started(0)])]).await;
    reached(15).await;
    assert_eq!(positions(&other.tail.read_after(13, 10).unwrap()), [14, 15]);
    assert!(other.tail.read_after(12, 10).is_none(), "what lies before that is in the store");
    drop((shown, all));
    append(&one, vec![commit(notification(3), 2, vec![sent(0)])]).await;
    reached(16).await;
    assert!(other.tail.read_after(15, 10).is_none());
    // Its own events it has in any case.
    append(&other, vec![commit(notification(3), 3, vec![seen()])]).await;
    assert_eq!(positions(&other.tail.read_after(16, 10).unwrap()), [17]);
}

/// For stores that several processes share.
pub async fn what_was_left_out_is_expected_all_the_same<S: Store>() {
    let store = S::new().await;
    let (one, other) = (store.open().await, store.open().await);
    append(&one, vec![commit(notification(9), 0, vec![requested(1), seen()])]).await;
    other.tail.watch().wait_for(|head| *head == 2).await.unwrap();
    // The other one's own, which the first moves on; and one of which it knows that it is not there.
    append(&other, vec![commit(notification(1), 0, vec![requested(1)])]).await;
    let absent = Commit { expectations: vec![(notification(2), 0)], ..commit(subscription(2), 9, Vec::new()) };
    append(&other, vec![absent]).await;
    append(&one, vec![commit(notification(1), 1, vec![seen()]), commit(notification(2), 0, vec![requested(1)])]).await;
    let outcomes = append(
        &other,
        vec![
            commit(notification(1), 1, vec![seen()]),
            commit(notification(2), 0, vec![requested(1)]),
            Commit { expectations: vec![(notification(1), 1)], ..commit(subscription(1), 0, vec![off(Channel::Email)]) },
            Commit { expectations: vec![(notification(1), 2), (notification(2), 1)], ..commit(subscription(1), 0, vec![off(Channel::Email)]) },
        ],
    )
    .await;
    let lost: Vec<bool> = outcomes.iter().map(|outcome| matches!(outcome, CommitOutcome::Conflict { .. })).collect();
    assert_eq!(lost, [true, true, true, false], "{outcomes:?}");
}

/// Needs everything, a part and nothing in turns, until it is told to stop.
async fn change_minds(tail: Arc<Tail>, until: u64) {
    let shares = [1, 2, 3].map(|me| Need::of(&Share::of(me, &[1, 2, 3])));
    let needs = [Need::ALL, shares[0], Need::NONE, shares[1], Need::SHOWN, shares[2].and(Need::SHOWN)];
    let (needed, mut head) = (tail.need(Need::NONE), tail.watch());
    for need in needs.into_iter().cycle() {
        if *head.borrow_and_update() >= until {
            return;
        }
        needed.change(need);
        head.changed().await.unwrap();
    }
}

/// Follows one's own part of notifications, and whatever is not of one.
async fn listen_to(need: Need, share: Share, tail: Arc<Tail>, reader: Arc<dyn LogReader>, until: u64) -> Vec<u64> {
    let (mut seen, mut head, mut mine) = (0, tail.watch(), Vec::new());
    while seen < until {
        head.wait_for(|head| *head > seen).await.unwrap();
        let (page, upto) = match tail.read(seen, 16, need) {
            Some(read) => read,
            None => {
                let page = reader.read_after(seen, 16, true).await.unwrap();
                let upto = page.last().unwrap().position;
                (page, upto)
            }
        };
        for event in page {
            assert!(event.position > seen && event.position <= upto, "nothing is told twice or out of order");
            seen = event.position;
            if event.stream.kind != AggregateKind::Notification || share.has(event.number) {
                mine.push(event.position);
            }
        }
        seen = upto;
    }
    mine
}

/// For stores that several processes share: whatever each needs at a moment, nobody misses what is his.
pub async fn who_changes_what_he_needs_misses_nothing<S: Store>() {
    let store = S::new().await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(store.open().await);
    }
    let (writers, each) = (9_u128, 40_u64);
    let total = u64::try_from(writers).unwrap() * each;
    let (mut tasks, mut listeners) = (Vec::new(), Vec::new());
    for (me, replica) in (1..).zip(&all) {
        let (tail, reader) = (&replica.tail, &replica.reader);
        tasks.push(tokio::spawn(change_minds(tail.clone(), total)));
        tasks.push(tokio::spawn(listen(tail.clone(), reader.clone(), total)));
        let share = Share::of(me, &[1, 2, 3]);
        let listening = listen_to(Need::of(&share), share.clone(), tail.clone(), reader.clone(), total);
        listeners.push((share, tokio::spawn(listening)));
    }
    for (writer, replica) in (0..writers).zip(all.iter().cycle()) {
        let committer = replica.committer.clone();
        tasks.push(tokio::spawn(async move {
            for sequence in 0..each {
                let (target, fact) = match writer % 3 {
                    0 => (subscription(writer), off(Channel::Email)),
                    1 => (notification(writer), seen()),
                    _ => (notification(writer), started(0)),
                };
                committer.commit(Lane::Internal, vec![commit(target, sequence, vec![fact])]).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let log = all[0].reader.read_after(0, usize::try_from(total).unwrap(), false).await.unwrap();
    for (share, listener) in listeners {
        let his = |event: &&Arc<Recorded>| event.stream.kind != AggregateKind::Notification || share.has(event.number);
        assert_eq!(listener.await.unwrap(), log.iter().filter(his).map(|event| event.position).collect::<Vec<_>>());
    }
}
