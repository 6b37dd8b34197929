//! The ports `RawReader` and `RawWriter`: a log is copied row by row, from any store to any other.

use crate::event_log::{append, off, recorded};
use crate::stores::{Replica, Store};
use commands::log::raw::{RawError, RawEvent, RawWriter};
use commands::log::{Commit, Metadata, StreamAppend};
use domain::event::Personal;
use domain::recipient::{ProfileChanged, ProfileDetails, RecipientEvent};
use domain::values::{Channel, RecipientId};
use domain::{AggregateKind, Fact, StreamId};
use std::sync::Arc;
use tokio::task::spawn_blocking;
use uuid::Uuid;

fn profile(n: u128) -> Fact {
    RecipientEvent::ProfileChanged(ProfileChanged {
        recipient: RecipientId(Uuid::from_u128(n)),
        time_zone: None,
        locale: None,
        // What is in a row need not be what a name is.
        personal: Personal::from(ProfileDetails { external_id: format!("person {n} — 사람 \"\\\u{0}"), attributes: None }),
    })
    .into()
}

fn one(kind: AggregateKind, n: u128, expected: u64, events: Vec<Fact>) -> StreamAppend {
    StreamAppend { stream: StreamId::new(kind, Uuid::from_u128(n)), number: None, expected, events }
}

fn commit(actor: &str, appends: Vec<StreamAppend>) -> Commit {
    let metadata = Metadata { correlation: Some("order \"7\" — 주문 \u{0}".to_owned()), ..Metadata::of(actor) };
    Commit { metadata: Arc::new(metadata), appends, expectations: Vec::new() }
}

/// Three transactions with commits of nine events in three streams, some of them sealed.
async fn filled<S: Store>() -> (S, Replica) {
    use AggregateKind::{Recipient, Subscription};
    let store = S::new().await;
    let log = store.open().await;
    append(
        &log,
        vec![
            commit("a", vec![one(Recipient, 1, 0, vec![profile(1)]), one(Subscription, 1, 0, vec![off(Channel::Email)])]),
            commit("a", vec![one(Recipient, 2, 0, vec![profile(2)])]),
        ],
    )
    .await;
    append(&log, vec![commit("a", vec![one(Recipient, 1, 1, vec![profile(1), profile(1)])]), commit("b", vec![one(Recipient, 2, 1, vec![profile(2)])])]).await;
    append(&log, vec![commit("b", vec![one(Subscription, 1, 1, vec![off(Channel::Webhook)])]), commit("c", vec![one(Recipient, 2, 2, vec![profile(2)])])])
        .await;
    (store, log)
}

async fn everything(log: &Replica) -> Vec<RawEvent> {
    log.raw.read_raw(0, 100).await.unwrap()
}

async fn write(mut writer: Box<dyn RawWriter>, events: &[RawEvent]) -> (Box<dyn RawWriter>, Result<(), RawError>) {
    let events = events.to_vec();
    let write = move || {
        let written = writer.write(&events);
        (writer, written)
    };
    spawn_blocking(write).await.unwrap()
}

/// A store of another kind, or of the same one, filled with these events.
pub async fn copied<S: Store>(events: &[RawEvent]) -> S {
    let copy = S::new().await;
    let (writer, written) = write(copy.raw_writer().await, events).await;
    written.unwrap();
    assert_eq!(writer.head(), events.len() as u64);
    copy
}

pub async fn a_copy_is_equal_row_by_row_and_goes_on<S: Store>() {
    let (store, log) = filled::<S>().await;
    let events = everything(&log).await;
    let copy = S::new().await;
    let (writer, written) = write(copy.raw_writer().await, &events[..3]).await;
    written.unwrap();
    drop(writer);
    // As after a restart.
    let writer = copy.raw_writer().await;
    assert_eq!(writer.head(), 3);
    let (writer, written) = write(writer, &events[3..]).await;
    written.unwrap();
    assert_eq!(writer.head(), 8);
    drop(writer);
    assert_eq!(copy.rows().await, store.rows().await);

    let copied = copy.open().await;
    assert_eq!(everything(&copied).await, events);
    let stream = StreamId::new(AggregateKind::Recipient, Uuid::from_u128(2));
    assert_eq!(copied.reader.read_stream(stream, 0, false).await.unwrap().len(), 3);
    // The ordinary writer goes on with it, and finds every stream.
    let next = append(&copied, vec![commit("c", vec![one(AggregateKind::Recipient, 2, 3, vec![profile(2)])])]).await;
    assert_eq!((recorded(&next[0])[0].position, recorded(&next[0])[0].number), (9, 3));
}

pub async fn pages_of_any_size_tell_the_same_events_and_whole_commits<S: Store>() {
    let (_store, log) = filled::<S>().await;
    let whole = everything(&log).await;
    assert_eq!(
        whole.iter().map(|event| (event.commit.first, event.commit.last)).collect::<Vec<_>>(),
        [(1, 3), (1, 3), (1, 3), (4, 5), (4, 5), (6, 6), (7, 7), (8, 8)]
    );
    assert_eq!(whole.iter().filter(|event| event.sealed.is_some()).count(), 6);
    for limit in 1..=8 {
        let mut paged: Vec<RawEvent> = Vec::new();
        while paged.len() < 8 {
            paged.extend(log.raw.read_raw(paged.len() as u64, limit).await.unwrap());
        }
        assert_eq!(paged, whole, "pages of {limit}");
    }
}

pub async fn what_does_not_follow_is_refused_and_leaves_nothing<S: Store>() {
    let (store, log) = filled::<S>().await;
    let events = everything(&log).await;
    let copy = S::new().await;
    let mut writer = copy.raw_writer().await;
    let mut wrong_sequence = events[..3].to_vec();
    wrong_sequence[2].sequence = 2;
    for (wrong, position) in [(&events[1..3], 2), (&events[..2], 2), (&events[3..5], 4), (&wrong_sequence[..], 3)] {
        let refused;
        (writer, refused) = write(writer, wrong).await;
        match refused {
            Err(RawError::Order { position: at, .. }) => assert_eq!(at, position),
            other => panic!("{other:?}"),
        }
        assert_eq!((writer.head(), copy.rows().await), (0, Vec::new()));
    }
    for part in [&events[..3], &[], &events[3..]] {
        let written;
        (writer, written) = write(writer, part).await;
        written.unwrap();
    }
    assert_eq!(copy.rows().await, store.rows().await);
}

/// By way of a store of another kind, and back.
pub async fn a_copy_of_a_copy_elsewhere_is_the_same<S: Store, Other: Store>() {
    let (store, log) = filled::<S>().await;
    let events = everything(&log).await;
    let other = copied::<Other>(&events).await;
    let elsewhere = other.open().await;
    assert_eq!(everything(&elsewhere).await, events);
    let back = copied::<S>(&everything(&elsewhere).await).await;
    assert_eq!(back.rows().await, store.rows().await);
}
