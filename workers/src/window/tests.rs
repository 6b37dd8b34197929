#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::{Window, WindowSettings};
use crate::pending::{Item, Route};
use commands::log::{Metadata, Recorded};
use commands::replicas::Share;
use domain::event::Personal;
use domain::notification::{
    AttemptFailed, AttemptStarted, Cancelled, Delivery, DeliveryState, FailureClass, NotificationEvent, Postponed, Queued, Requested, RetryScheduled, Sent,
};
use domain::values::{AddressId, CategoryKey, Channel, FactVersions, NotificationId, Priority, RecipientId, Rule, SenderKey};
use domain::{AggregateKind, Fact, StreamId};
use std::sync::Arc;
use uuid::Uuid;

const PUSH: Route = Route { channel: Channel::AndroidPush, sandbox: false };

fn item(stream: u64, sender: &str, priority: Priority) -> Item {
    Item {
        notification: NotificationId(Uuid::from_u128(u128::from(stream))),
        stream,
        sequence: 2,
        delivery: Delivery::queued(0, Channel::AndroidPush, Some(AddressId::default())),
        recipient: RecipientId::default(),
        sender: SenderKey::new(sender).unwrap(),
        category: CategoryKey::new("orders").unwrap(),
        topic: None,
        priority,
        sandbox: false,
        requested_position: 1,
        requested_at: 0,
        expires_at: None,
        requested: None,
    }
}

fn happened(stream: u64, sequence: u64, event: NotificationEvent) -> Arc<Recorded> {
    Arc::new(Recorded {
        position: sequence,
        stream: StreamId::new(AggregateKind::Notification, Uuid::from_u128(u128::from(stream))),
        number: stream,
        sequence,
        at: 0,
        fact: Fact::Notification(event),
        metadata: Arc::new(Metadata::of("test")),
    })
}

fn streams(items: &[Item]) -> Vec<u64> {
    items.iter().map(|item| item.stream).collect()
}

#[test]
fn the_higher_priority_goes_first_and_the_lower_does_not_starve() {
    let window = Window::new(WindowSettings::default());
    for n in 0..300 {
        window.offer(item(1_000 + n, "shop", Priority::Low));
        window.offer(item(n, "shop", Priority::Critical));
    }
    let taken = streams(&window.take(PUSH, 170));
    assert_eq!(taken[..64], (0..64).collect::<Vec<_>>());
    let low = taken.iter().filter(|stream| **stream >= 1_000).count();
    assert_eq!(low, 2, "one low in each round of 64 critical ones");
}

#[test]
fn a_flood_of_one_sender_delays_another_by_one_at_most() {
    let window = Window::new(WindowSettings::default());
    for n in 0..1_000 {
        window.offer(item(n, "flood", Priority::Normal));
    }
    for n in 2_000..2_010 {
        window.offer(item(n, "quiet", Priority::Normal));
    }
    let taken = streams(&window.take(PUSH, 20));
    assert_eq!(taken.iter().filter(|stream| **stream >= 2_000).count(), 10);
}

#[test]
fn what_ended_meanwhile_is_not_handed_out() {
    let window = Window::new(WindowSettings::default());
    window.offer(item(1, "shop", Priority::Normal));
    window.offer(item(2, "shop", Priority::Normal));
    window.apply(&[happened(1, 3, NotificationEvent::Cancelled(Cancelled { delivery: Some(0) }))]);
    assert_eq!(streams(&window.take(PUSH, 10)), [2]);
}

#[test]
fn the_same_delivery_is_handed_out_once() {
    let window = Window::new(WindowSettings::default());
    window.offer(item(1, "shop", Priority::Normal));
    window.offer(item(1, "shop", Priority::Normal));
    assert_eq!(window.take(PUSH, 10).len(), 1);
    window.offer(item(1, "shop", Priority::Normal));
    assert!(window.take(PUSH, 10).is_empty(), "a worker has it");
}

#[test]
fn a_retry_is_handed_out_when_it_is_due_and_not_before() {
    let window = Window::new(WindowSettings::default());
    window.offer(item(1, "shop", Priority::Normal));
    window.take(PUSH, 1);
    let started = AttemptStarted { delivery: 0, attempt: 1, provider: "fcm".to_owned(), after_unknown: false, from: None };
    window.apply(&[
        happened(1, 3, NotificationEvent::AttemptStarted(started)),
        happened(1, 4, NotificationEvent::RetryScheduled(RetryScheduled { delivery: 0, due: 500, after_unknown: false })),
    ]);
    assert_eq!(window.ripen(499), Some(500));
    assert!(window.take(PUSH, 1).is_empty());
    assert_eq!(window.ripen(500), None);
    let taken = window.take(PUSH, 1);
    assert_eq!((taken[0].sequence, taken[0].delivery.attempt, taken[0].delivery.state), (4, 1, DeliveryState::Waiting { due: 500 }));
}

#[test]
fn what_was_put_off_is_owed_from_then_on() {
    let window = Window::new(WindowSettings::default());
    window.offer(item(1, "shop", Priority::Normal));
    let put_off = Postponed { delivery: 0, until: 9_000, rule: Rule::QuietHours, rules: 2, facts: FactVersions::default() };
    window.apply(&[happened(1, 3, NotificationEvent::Postponed(put_off))]);
    assert_eq!(window.ripen(9_000), None);
    assert_eq!(window.take(PUSH, 1)[0].requested_at, 9_000);
}

#[test]
fn what_another_replica_attempted_meanwhile_waits_for_its_moment_here_too() {
    let window = Window::new(WindowSettings::default());
    window.offer(item(1, "shop", Priority::Normal));
    let started = AttemptStarted { delivery: 0, attempt: 1, provider: "fcm".to_owned(), after_unknown: false, from: None };
    window.apply(&[
        happened(1, 3, NotificationEvent::AttemptStarted(started)),
        happened(1, 4, NotificationEvent::RetryScheduled(RetryScheduled { delivery: 0, due: 500, after_unknown: false })),
    ]);
    assert!(window.take(PUSH, 1).is_empty(), "it was ready in its lane when another one took it");
    assert_eq!(window.ripen(500), None);
    assert_eq!(streams(&window.take(PUSH, 1)), [1]);
}

#[test]
fn what_was_sent_leaves_the_window() {
    let window = Window::new(WindowSettings::default());
    window.offer(item(1, "shop", Priority::Normal));
    window.take(PUSH, 1);
    window.apply(&[happened(1, 3, NotificationEvent::Sent(Sent { delivery: 0, attempt: 1, provider_id: None, cost: None }))]);
    assert!(window.is_empty());
}

#[test]
fn a_full_lane_refuses_and_says_that_the_table_has_more() {
    let window = Window::new(WindowSettings { lane: 10, items: 1_000 });
    for n in 0..20 {
        window.offer(item(n, "shop", Priority::Normal));
    }
    window.offer(item(100, "other", Priority::Normal));
    assert_eq!(window.len(), 11, "another sender's lane has room");
    assert!(window.hungry().is_empty(), "nothing is asked of the table while the lane is full");
    window.take(PUSH, 12);
    assert_eq!(window.hungry().len(), 1);
}

#[test]
fn the_last_that_the_table_has_is_asked_for_again_where_it_finds_no_room() {
    let window = Window::new(WindowSettings { lane: 8, items: 1_000 });
    let all: Vec<Item> = (0..10).map(|n| item(n, "shop", Priority::Normal)).collect();
    window.offer(all[8].clone());
    window.offer(all[9].clone());
    for n in 100..120 {
        window.offer(item(n, "shop", Priority::Normal));
    }
    window.take(PUSH, 6);
    let (lane, here) = window.hungry()[0].clone();
    assert_eq!(here, 2);
    // Fewer than the ten that were asked for, and nine where eight have room.
    window.refill(&lane, all[..9].to_vec(), true);
    window.take(PUSH, 100);
    assert_eq!(window.hungry().len(), 1, "what found no room is still in the table");
    window.refill(&lane, Vec::new(), true);
    assert!(window.hungry().is_empty());
}

#[test]
fn a_rehearsal_has_a_route_of_its_own() {
    let window = Window::new(WindowSettings::default());
    window.offer(Item { sandbox: true, ..item(1, "shop", Priority::Critical) });
    assert!(window.take(PUSH, 1).is_empty());
    assert_eq!(window.take(Route { sandbox: true, ..PUSH }, 1).len(), 1);
}

#[test]
fn a_stale_item_from_the_table_is_not_made_current_by_another_deliverys_event() {
    let window = Window::new(WindowSettings::default());
    window.offer(Item { sequence: 3, ..item(1, "shop", Priority::Normal) });
    let other = AttemptStarted { delivery: 1, attempt: 1, provider: "smtp".to_owned(), after_unknown: false, from: None };
    window.apply(&[happened(1, 7, NotificationEvent::AttemptStarted(other))]);
    assert_eq!(window.take(PUSH, 1)[0].sequence, 3, "an attempt on it must conflict");
}

#[test]
fn an_item_that_is_ahead_takes_no_event_in_twice() {
    let window = Window::new(WindowSettings::default());
    let mut ahead = item(1, "shop", Priority::Normal);
    ahead.sequence = 6;
    ahead.delivery.counted = 1;
    ahead.delivery.attempt = 1;
    window.offer(ahead);
    let failed = AttemptFailed { delivery: 0, attempt: 1, class: FailureClass::Transient, code: "503".to_owned() };
    window.apply(&[happened(1, 4, NotificationEvent::AttemptFailed(failed))]);
    assert_eq!(window.take(PUSH, 1)[0].delivery.counted, 1);
}

#[test]
fn siblings_events_keep_a_current_item_current() {
    let window = Window::new(WindowSettings::default());
    window.offer(item(1, "shop", Priority::Normal));
    let other = |attempt| AttemptStarted { delivery: 1, attempt, provider: "smtp".to_owned(), after_unknown: false, from: None };
    window.apply(&[happened(1, 3, NotificationEvent::AttemptStarted(other(1))), happened(1, 4, NotificationEvent::AttemptStarted(other(2)))]);
    assert_eq!(window.take(PUSH, 1)[0].sequence, 4);
}

fn requested(stream: u64, at: i64) -> [Arc<Recorded>; 2] {
    let request = Requested::plain(SenderKey::new("shop").unwrap(), RecipientId::default(), CategoryKey::new("orders").unwrap(), Personal::Erased);
    [NotificationEvent::Requested(request), queued()].map(|event| {
        let sequence = if matches!(event, NotificationEvent::Requested(_)) { 1 } else { 2 };
        Arc::new(Recorded { at, position: stream * 10 + sequence, ..Arc::unwrap_or_clone(happened(stream, sequence, event)) })
    })
}

fn queued() -> NotificationEvent {
    NotificationEvent::Queued(Queued {
        delivery: 0,
        channel: Channel::AndroidPush,
        address: None,
        rule: Rule::DefaultOptIn,
        rules: 1,
        facts: FactVersions::default(),
    })
}

/// A share, a stream that is in it and one that is not.
fn shared() -> (Share, u64, u64) {
    let share = Share::of(1, &[1, 2]);
    let first = |has| (1..).find(|stream| share.has(*stream) == has).unwrap();
    let (ours, others) = (first(true), first(false));
    (share, ours, others)
}

#[test]
fn whoever_accepts_keeps_it_while_it_is_young_and_leaves_others_theirs() {
    let (share, ours, others) = shared();
    for (keep, here, taken) in [(true, true, vec![ours, others]), (true, false, vec![]), (false, true, vec![ours]), (false, false, vec![ours])] {
        let window = Window::new(WindowSettings::default());
        window.set_share(share.clone(), keep);
        window.ripen(1_000);
        for stream in [ours, others] {
            window.apply_all(&requested(stream, 1_000), |_| here);
        }
        let mut found = streams(&window.take(PUSH, 10));
        found.sort_unstable();
        let mut taken = taken;
        taken.sort_unstable();
        assert_eq!(found, taken, "keep: {keep}, accepted here: {here}");
    }
}

#[test]
fn what_was_kept_too_long_is_left_to_whose_share_it_is() {
    let (share, ours, others) = shared();
    let window = Window::new(WindowSettings::default());
    window.set_share(share, true);
    for stream in [ours, others] {
        window.apply_all(&requested(stream, 1_000), |_| true);
    }
    window.ripen(1_999);
    window.take(PUSH, 10).into_iter().for_each(|item| window.give_back(item));
    assert_eq!(window.len(), 2, "still young");
    window.ripen(2_000);
    assert_eq!(streams(&window.take(PUSH, 10)), [ours]);
    assert_eq!(window.len(), 1, "nothing is held of what another one does");
}

#[test]
fn an_attempt_that_was_kept_is_not_repeated_by_whom_it_is_not_the_share_of() {
    let (share, _, others) = shared();
    let window = Window::new(WindowSettings::default());
    window.set_share(share, true);
    window.apply_all(&requested(others, 1_000), |_| true);
    assert_eq!(streams(&window.take(PUSH, 10)), [others]);
    let started = AttemptStarted { delivery: 0, attempt: 1, provider: "fcm".to_owned(), after_unknown: false, from: None };
    window.apply(&[
        happened(others, 3, NotificationEvent::AttemptStarted(started)),
        happened(others, 4, NotificationEvent::RetryScheduled(RetryScheduled { delivery: 0, due: 1_100, after_unknown: false })),
    ]);
    assert_eq!(window.ripen(1_200), None);
    assert!(window.take(PUSH, 10).is_empty());
    assert!(window.is_empty());
}

#[test]
fn what_the_table_has_is_taken_by_share_and_what_was_accepted_here_is_not() {
    let (share, ours, others) = shared();
    let window = Window::new(WindowSettings::default());
    window.set_share(share.clone(), true);
    assert!(window.take_stirred().is_some_and(|stirred| stirred.regardless), "whoever left may have kept something");
    window.offer_kept(item(others, "shop", Priority::Normal));
    window.offer(item(others + 64, "shop", Priority::Normal));
    window.offer(item(ours, "shop", Priority::Normal));
    assert_eq!(window.len(), 2);
    // Decided on long after the request, which only the table has.
    window.apply_all(&[happened(ours + 64, 5, queued())], |_| true);
    assert!(window.take_stirred().is_some_and(|stirred| !stirred.regardless));
    window.set_share(share, true);
    assert!(window.take_stirred().is_none(), "nobody came or went");
}

#[test]
fn an_attempt_of_which_something_was_not_told_does_not_stay_under_way_here_for_ever() {
    // Those that keep what they accept are not told of others' attempts; and may cease to keep meanwhile.
    for still_keeps in [true, false] {
        let (share, ours, _) = shared();
        let window = Window::new(WindowSettings::default());
        window.set_share(share.clone(), true);
        window.apply_all(&requested(ours, 1_000), |_| true);
        assert_eq!(streams(&window.take(PUSH, 10)), [ours]);
        let started = AttemptStarted { delivery: 0, attempt: 1, provider: "fcm".to_owned(), after_unknown: false, from: None };
        window.apply(&[happened(ours, 3, NotificationEvent::AttemptStarted(started))]);
        window.set_share(share, still_keeps);
        window.take_stirred();
        // The fourth event is another replica's, of another delivery of the same notification: it is not told.
        window.apply(&[happened(ours, 5, NotificationEvent::RetryScheduled(RetryScheduled { delivery: 0, due: 1_100, after_unknown: false }))]);
        assert!(window.is_empty(), "the table knows what is left of it");
        assert!(window.take_stirred().is_some(), "and is asked");
        let mut again = item(ours, "shop", Priority::Normal);
        again.sequence = 5;
        window.offer(again);
        assert_eq!(streams(&window.take(PUSH, 10)), [ours]);
    }
}

#[test]
fn what_is_newer_than_what_is_let_go_of_is_asked_of_the_table() {
    let window = Window::new(WindowSettings::default());
    for (sequence, asked) in [(2, false), (3, true)] {
        window.offer(Item { sequence, ..item(1, "shop", Priority::Normal) });
        window.take_stirred();
        window.forget(&item(1, "shop", Priority::Normal));
        assert!(window.is_empty());
        assert_eq!(window.take_stirred().is_some(), asked);
    }
}
