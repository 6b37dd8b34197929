//! The port `EventLog`: `LogWriter` behind its committer, `LogReader`, `Tail`.

mod needs;

pub use needs::{
    a_replica_is_told_what_it_needs_and_moves_past_the_rest, attempts_without_an_outcome_are_found_by_whom_they_are_for,
    what_was_left_out_is_expected_all_the_same, who_changes_what_he_needs_misses_nothing,
};

use crate::stores::{Replica, Store};
use commands::log::{Commit, CommitOutcome, Committer, Lane, LogReader, Metadata, Recorded, StreamAppend, Tail};
use domain::digest::{DigestEvent, DigestItemRemoved};
use domain::event::Personal;
use domain::recipient::{ProfileChanged, ProfileDetails, RecipientEvent};
use domain::subscription::{ChangedBy, Scope, Source, SubscriptionEvent, Unsubscribed};
use domain::values::{Channel, NotificationId, RecipientId};
use domain::{AggregateKind, Fact, StreamId};
use std::sync::Arc;
use uuid::Uuid;

fn stream(kind: AggregateKind, n: u128) -> StreamId {
    StreamId::new(kind, Uuid::from_u128(n))
}

pub fn subscription(n: u128) -> StreamId {
    stream(AggregateKind::Subscription, n)
}

pub fn off(channel: Channel) -> Fact {
    SubscriptionEvent::Unsubscribed(Unsubscribed {
        recipient: None,
        scope: Scope::Channel(channel),
        by: ChangedBy::Recipient,
        source: Source::Api,
        personal: Personal::Erased,
    })
    .into()
}

pub fn commit(stream: StreamId, expected: u64, events: Vec<Fact>) -> Commit {
    Commit { metadata: Arc::new(Metadata::of("test")), appends: vec![StreamAppend { stream, number: None, expected, events }], expectations: Vec::new() }
}

fn profile(n: u128, name: &str) -> Fact {
    let details = ProfileDetails { external_id: name.to_owned(), attributes: None };
    let recipient = RecipientId(Uuid::from_u128(n));
    RecipientEvent::ProfileChanged(ProfileChanged { recipient, time_zone: None, locale: None, personal: Personal::from(details) }).into()
}

fn known(event: &Recorded) -> Option<String> {
    match &event.fact {
        Fact::Recipient(RecipientEvent::ProfileChanged(changed)) => changed.personal.known().map(|details| details.external_id.clone()),
        _ => panic!("another event"),
    }
}

pub fn recorded(outcome: &CommitOutcome) -> &[Arc<Recorded>] {
    match outcome {
        CommitOutcome::Committed { recorded, .. } => recorded,
        CommitOutcome::Conflict { stream } => panic!("conflict on {stream}"),
    }
}

pub async fn append(replica: &Replica, commits: Vec<Commit>) -> Vec<CommitOutcome> {
    replica.committer.commit(Lane::Request, commits).await.unwrap()
}

pub async fn positions_and_sequences_have_no_gaps_and_survive_reopening<S: Store>() {
    let store = S::new().await;
    let (a, b) = (subscription(1), subscription(2));
    let log = store.open().await;
    append(&log, vec![commit(a, 0, vec![off(Channel::Email), off(Channel::Webhook)]), commit(b, 0, vec![off(Channel::Email)])]).await;
    drop(log);
    let log = store.open().await;
    let outcomes = append(&log, vec![commit(a, 2, vec![off(Channel::IosPush)])]).await;
    assert_eq!(recorded(&outcomes[0])[0].position, 4);
    let all = log.reader.read_after(0, 100, true).await.unwrap();
    assert_eq!(all.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(all.iter().map(|event| (event.stream, event.sequence)).collect::<Vec<_>>(), [(a, 1), (a, 2), (b, 1), (a, 3)]);
    assert_eq!((all[3].metadata.actor.as_str(), all[3].at), ("test", 1_000));
    assert_eq!(log.reader.read_after(1, 2, true).await.unwrap().iter().map(|event| event.position).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(log.reader.read_stream(a, 1, true).await.unwrap().iter().map(|event| event.position).collect::<Vec<_>>(), [2, 4]);
    assert!(log.reader.read_stream(subscription(3), 0, true).await.unwrap().is_empty());
    let some = log.reader.read_at(vec![4, 99, 1], true).await.unwrap();
    assert_eq!(some.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 4]);
    for (last, sequences) in [(2, vec![2, 3]), (3, vec![1, 2, 3]), (9, vec![1, 2, 3]), (0, vec![])] {
        let end = log.reader.bare_tail(a, last, true).await.unwrap();
        assert_eq!(end.iter().map(|event| event.sequence).collect::<Vec<_>>(), sequences);
        assert!(end.iter().all(|event| event.stream == a), "of no other stream: {end:?}");
    }
    assert!(log.reader.bare_tail(subscription(3), 9, true).await.unwrap().is_empty());
    assert_eq!(log.reader.head().await.unwrap(), 4);
    assert_eq!((log.reader.stream_number(b).await.unwrap(), log.reader.stream_number(subscription(3)).await.unwrap()), (Some(2), None));
}

pub async fn what_is_read_is_what_was_appended_however_it_is_read<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let one = stream(AggregateKind::Recipient, 5);
    let metadata =
        Metadata { correlation: Some("order \"7\" — 주문 \u{0}".to_owned()), cause: Some(3), command: Some(Uuid::from_u128(9)), ..Metadata::of("key:1") };
    let mut first = commit(one, 0, vec![profile(5, "alice — 앨리스 \u{0} \\ \"")]);
    first.metadata = Arc::new(metadata);
    let outcomes = append(&log, vec![first, commit(one, 1, vec![profile(5, "bob")])]).await;
    let written: Vec<_> = outcomes.iter().flat_map(recorded).collect();
    let told = log.tail.read_after(0, 10).unwrap();
    let by_position = log.reader.read_after(0, 10, true).await.unwrap();
    let by_stream = log.reader.read_stream(one, 0, true).await.unwrap();
    let picked = log.reader.read_at(vec![1, 2], true).await.unwrap();
    for read in [told, by_position, by_stream, picked] {
        assert_eq!(read.len(), written.len());
        for (read, written) in read.iter().zip(&written) {
            assert_eq!(format!("{read:?}"), format!("{written:?}"));
        }
    }
}

pub async fn a_loser_leaves_no_trace_and_does_not_hurt_its_batch<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let (a, b) = (subscription(1), subscription(2));
    append(&log, vec![commit(a, 0, vec![off(Channel::Email)])]).await;
    let mut both = commit(b, 0, vec![off(Channel::Email)]);
    both.appends.push(StreamAppend { stream: a, number: None, expected: 0, events: vec![off(Channel::Webhook)] });
    let outcomes = append(&log, vec![both, commit(a, 1, vec![off(Channel::IosPush)])]).await;
    assert!(matches!(outcomes[0], CommitOutcome::Conflict { stream } if stream == a));
    assert_eq!(recorded(&outcomes[1])[0].position, 2);
    assert!(log.reader.read_stream(b, 0, true).await.unwrap().is_empty(), "all or nothing");
    let outcomes = append(&log, vec![commit(b, 0, vec![off(Channel::Email)])]).await;
    assert_eq!(recorded(&outcomes[0])[0].number, 2, "no number was used up");
}

pub async fn a_number_saves_the_look_up_and_is_checked_all_the_same<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let a = subscription(1);
    let number = recorded(&append(&log, vec![commit(a, 0, vec![off(Channel::Email)])]).await[0])[0].number;
    drop(log);
    // Nothing is in memory now.
    let log = store.open().await;
    let by_number = |expected| Commit {
        appends: vec![StreamAppend { stream: a, number: Some(number), expected, events: vec![off(Channel::Webhook)] }],
        ..commit(a, expected, Vec::new())
    };
    assert!(matches!(append(&log, vec![by_number(0)]).await[0], CommitOutcome::Conflict { .. }));
    assert_eq!(recorded(&append(&log, vec![by_number(1)]).await[0])[0].sequence, 2);
    assert!(matches!(append(&log, vec![commit(a, 0, vec![off(Channel::Email)])]).await[0], CommitOutcome::Conflict { .. }), "and not opened a second time");
}

pub async fn who_counts_on_a_loser_loses_though_the_sequence_is_the_one_it_expects<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let digest = StreamId::new(AggregateKind::Digest, Uuid::from_u128(1));
    let item = |number| Fact::Digest(DigestEvent::DigestItemRemoved(DigestItemRemoved { window: 1, notification: NotificationId(Uuid::from_u128(number)) }));
    // What somebody else appended stands where the first of the two wants to append.
    append(&log, vec![commit(digest, 0, vec![item(1)])]).await;
    let outcomes = append(&log, vec![commit(digest, 0, vec![item(2)]), commit(digest, 1, vec![item(3)])]).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, CommitOutcome::Conflict { stream } if *stream == digest)), "{outcomes:?}");
    assert_eq!(log.reader.read_stream(digest, 0, true).await.unwrap().len(), 1);
    let outcomes = append(&log, vec![commit(digest, 1, vec![item(2)]), commit(digest, 2, vec![item(3)])]).await;
    assert_eq!(recorded(&outcomes[1])[0].sequence, 3, "and follows a winner");
}

pub async fn an_append_is_refused_when_another_stream_has_moved_on<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let (a, b) = (subscription(1), subscription(2));
    let expecting = |sequence| Commit { expectations: vec![(a, sequence)], ..commit(b, 0, vec![off(Channel::Email)]) };
    append(&log, vec![commit(a, 0, vec![off(Channel::Email)])]).await;
    let outcomes = append(&log, vec![expecting(0)]).await;
    assert!(matches!(outcomes[0], CommitOutcome::Conflict { stream } if stream == a));
    assert_eq!(recorded(&append(&log, vec![expecting(1)]).await[0]).len(), 1);
}

pub async fn an_expectation_sees_what_the_same_batch_appended<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let (a, b) = (subscription(1), subscription(2));
    let second = Commit { expectations: vec![(a, 0)], ..commit(b, 0, vec![off(Channel::Email)]) };
    let outcomes = append(&log, vec![commit(a, 0, vec![off(Channel::Email)]), second]).await;
    assert!(matches!(outcomes[1], CommitOutcome::Conflict { .. }), "an opt-out earlier in the batch counts");
}

pub async fn personal_parts_are_sealed_in_the_store_and_gone_with_their_key<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let marker = "MARKER-alice@example.com";
    let one = stream(AggregateKind::Recipient, 5);
    append(&log, vec![commit(one, 0, vec![profile(5, marker)])]).await;
    assert_eq!(known(&log.reader.read_stream(one, 0, true).await.unwrap()[0]).as_deref(), Some(marker));
    assert_eq!(known(&log.reader.read_stream(one, 0, false).await.unwrap()[0]), None, "closed reading opens nothing");
    assert_eq!(known(&log.reader.read_after(0, 1, false).await.unwrap()[0]), None);
    let stored = store.bytes().await;
    assert!(!stored.is_empty() && !stored.windows(marker.len()).any(|window| window == marker.as_bytes()), "clear text in the store");
    let keys = log.keys.clone();
    tokio::task::spawn_blocking(move || keys.erase(Uuid::from_u128(5)).unwrap()).await.unwrap();
    assert_eq!(known(&log.reader.read_stream(one, 0, true).await.unwrap()[0]), None);
    drop(log);
    assert_eq!(known(&store.open().await.reader.read_after(0, 1, true).await.unwrap()[0]), None, "nor for one who never had it");
}

/// Appends `count` events, half to a stream of its own, half to one that all fight for.
async fn write(committer: Committer, writer: u128, count: u64) {
    let shared = subscription(u128::MAX);
    let (mut own, mut fought, mut expected) = (0, 0, 0);
    while own + fought < count {
        let (target, at) = if own <= fought { (subscription(writer), own) } else { (shared, expected) };
        match &committer.commit(Lane::Internal, vec![commit(target, at, vec![off(Channel::Email)])]).await.unwrap()[0] {
            CommitOutcome::Committed { recorded, .. } if target == shared => {
                fought += 1;
                expected = recorded[0].sequence;
            }
            CommitOutcome::Committed { .. } => own += 1,
            CommitOutcome::Conflict { stream } => {
                assert_eq!(*stream, shared, "nobody else writes to the stream of a writer's own");
                expected += 1;
            }
        }
    }
}

/// Follows the store up to a position, and fails where one is missing or comes late.
pub async fn follow(reader: Arc<dyn LogReader>, until: u64) {
    let mut seen = 0;
    while seen < until {
        let page = reader.read_after(seen, 64, false).await.unwrap();
        for event in &page {
            assert_eq!(event.position, seen + 1, "nothing becomes visible out of order");
            seen = event.position;
        }
        if page.is_empty() {
            tokio::task::yield_now().await;
        }
    }
}

/// Follows what a process is told, falling back on the store where its memory does not reach.
async fn listen(tail: Arc<Tail>, reader: Arc<dyn LogReader>, until: u64) {
    let (mut seen, mut head) = (0, tail.watch());
    while seen < until {
        head.wait_for(|head| *head > seen).await.unwrap();
        let page = match tail.read_after(seen, 64) {
            Some(page) => page,
            None => reader.read_after(seen, 64, true).await.unwrap(),
        };
        for event in page {
            assert_eq!(event.position, seen + 1, "nothing is told out of order");
            seen = event.position;
        }
    }
}

/// Many writers on some replicas, and those who read all the time: not one event missed or out of
/// order, by anybody.
async fn race<S: Store>(replicas: usize, writers: u128, each: u64) {
    let store = S::new().await;
    let mut all = Vec::new();
    for _ in 0..replicas {
        all.push(store.open().await);
    }
    let total = u64::try_from(writers).unwrap() * each;
    let mut tasks = Vec::new();
    for replica in &all {
        tasks.push(tokio::spawn(follow(replica.reader.clone(), total)));
        tasks.push(tokio::spawn(listen(replica.tail.clone(), replica.reader.clone(), total)));
    }
    for (writer, replica) in (0..writers).zip(all.iter().cycle()) {
        tasks.push(tokio::spawn(write(replica.committer.clone(), writer, each)));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let reader = &all[0].reader;
    assert_eq!(reader.head().await.unwrap(), total);
    let shared = reader.read_stream(subscription(u128::MAX), 0, false).await.unwrap();
    assert_eq!(shared.iter().map(|event| event.sequence).collect::<Vec<_>>(), (1..=shared.len() as u64).collect::<Vec<_>>());
    for writer in 0..writers {
        assert!(!reader.read_stream(subscription(writer), 0, false).await.unwrap().is_empty());
    }
}

pub async fn racing_writers_lose_nothing_and_nobody_sees_a_gap<S: Store>() {
    race::<S>(1, 8, 60).await;
}

/// For stores that several processes share.
pub async fn racing_replicas_lose_nothing_and_nobody_sees_a_gap<S: Store>() {
    race::<S>(3, 12, 60).await;
}

/// For stores that several processes share.
pub async fn what_one_replica_appends_is_told_and_expected_by_the_others<S: Store>() {
    let store = S::new().await;
    let (one, other) = (store.open().await, store.open().await);
    let (a, b) = (subscription(1), subscription(2));
    // Both know that neither stream exists.
    let absent = |stream| Commit { expectations: vec![(stream, 0)], ..commit(b, 9, Vec::new()) };
    append(&other, vec![absent(a), absent(b)]).await;
    append(&one, vec![commit(a, 0, vec![off(Channel::Email), off(Channel::Webhook)])]).await;
    other.tail.watch().wait_for(|head| *head == 2).await.unwrap();
    assert_eq!(other.tail.read_after(0, 10).unwrap().len(), 2);
    // Known to the other, though it has not been told: it reads what it lacks before it decides.
    append(&one, vec![commit(a, 2, vec![off(Channel::IosPush)])]).await;
    let expecting = |sequence| Commit { expectations: vec![(a, sequence)], ..commit(b, 0, vec![off(Channel::Email)]) };
    assert!(matches!(append(&other, vec![expecting(2)]).await[0], CommitOutcome::Conflict { .. }));
    assert!(matches!(append(&other, vec![commit(a, 0, vec![off(Channel::Email)])]).await[0], CommitOutcome::Conflict { .. }));
    assert_eq!(recorded(&append(&other, vec![expecting(3)]).await[0])[0].position, 4);
    assert!(matches!(append(&one, vec![commit(b, 0, vec![off(Channel::Email)])]).await[0], CommitOutcome::Conflict { .. }), "opened by the other");
}

/// For stores that several processes share.
pub async fn keys_are_shared_and_an_erasure_is_everybodys<S: Store>() {
    let store = S::new().await;
    let (one, other) = (store.open().await, store.open().await);
    let alice = stream(AggregateKind::Recipient, 5);
    append(&one, vec![commit(alice, 0, vec![profile(5, "alice")])]).await;
    append(&other, vec![commit(alice, 1, vec![profile(5, "alice again")])]).await;
    for replica in [&one, &other] {
        let events = replica.reader.read_stream(alice, 0, true).await.unwrap();
        assert_eq!(events.iter().map(|event| known(event).unwrap()).collect::<Vec<_>>(), ["alice", "alice again"]);
    }
    let (keys, others) = (one.keys.clone(), other.keys.clone());
    tokio::task::spawn_blocking(move || keys.erase(Uuid::from_u128(5)).unwrap()).await.unwrap();
    // What the event of the erasure does where it is followed.
    others.forget(Uuid::from_u128(5));
    for replica in [&one, &other] {
        assert_eq!(known(&replica.reader.read_stream(alice, 0, true).await.unwrap()[0]), None);
    }
}
