#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::barrier::OptOutBarrier;
use super::breaker::{Admission, Breaker, BreakerSettings, BreakerState, Permit};
use commands::log::{AfterCommit, Metadata, Recorded};
use commands::ports::ManualClock;
use domain::event::Personal;
use domain::notification::{AttemptStarted, NotificationEvent, Requested, Sent};
use domain::values::{CategoryKey, Misconfigured, Outcome, Priority, RecipientId, SenderKey, ThrottleScope};
use domain::{AggregateKind, Fact, StreamId};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const SECOND: Duration = Duration::from_secs(1);

fn retry() -> Outcome {
    Outcome::Retry { after: None, code: "503".to_owned() }
}

fn accepted() -> Outcome {
    Outcome::Accepted { provider_id: None }
}

/// The permit of any number of calls.
fn any(breaker: &Breaker, now: Duration) -> Permit {
    match breaker.admit(now) {
        Admission::Any(permit) => permit,
        other => panic!("not closed: {other:?}"),
    }
}

/// The permit of one call that is to try.
fn probe(breaker: &Breaker, now: Duration) -> Permit {
    match breaker.admit(now) {
        Admission::Probe(permit) => permit,
        other => panic!("no probe: {other:?}"),
    }
}

#[test]
fn failures_in_a_row_open_it_and_one_probe_at_a_time_closes_it() {
    let breaker = Breaker::new(BreakerSettings { failures: 3, first: SECOND, longest: 10 * SECOND });
    for outcome in [retry(), retry(), accepted()] {
        breaker.learn(any(&breaker, Duration::ZERO), &outcome, Duration::ZERO);
    }
    for _ in 0..3 {
        // A success in between started the count anew.
        breaker.learn(any(&breaker, Duration::ZERO), &retry(), Duration::ZERO);
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    assert!(matches!(breaker.admit(SECOND / 2), Admission::Wait(_)));
    let first = probe(&breaker, SECOND);
    assert!(matches!(breaker.admit(SECOND), Admission::Wait(_)), "one probe at a time");
    breaker.learn(first, &retry(), SECOND);
    assert!(matches!(breaker.admit(2 * SECOND), Admission::Wait(_)), "a failed probe doubles the pause");
    breaker.learn(probe(&breaker, 3 * SECOND), &accepted(), 3 * SECOND);
    any(&breaker, 3 * SECOND);
}

#[test]
fn only_the_probe_decides_whatever_calls_from_before_answer_late() {
    let late = [
        accepted(),
        retry(),
        Outcome::NotMade { code: "not begun in time".to_owned() },
        Outcome::Misconfigured { scope: Misconfigured::Credential, code: "401".to_owned() },
        Outcome::Throttled { after: Some(60 * SECOND), scope: ThrottleScope::Provider, code: "429".to_owned() },
    ];
    for outcome in late {
        for (verdict, state) in [(accepted(), BreakerState::Closed), (retry(), BreakerState::Open)] {
            let breaker = Breaker::new(BreakerSettings { failures: 1, first: SECOND, longest: 10 * SECOND });
            let before = any(&breaker, Duration::ZERO);
            breaker.learn(before, &retry(), Duration::ZERO);
            let trying = probe(&breaker, SECOND);
            breaker.learn(before, &outcome, SECOND);
            assert_eq!(breaker.state(), BreakerState::Open, "{outcome:?} is not the probe's");
            assert!(matches!(breaker.admit(SECOND), Admission::Wait(_)), "{outcome:?} lets no second probe begin");
            breaker.learn(trying, &verdict, SECOND);
            assert_eq!(breaker.state(), state, "{verdict:?} after {outcome:?}");
        }
    }
}

#[test]
fn late_failures_neither_prolong_the_pause_nor_open_it_again() {
    let breaker = Breaker::new(BreakerSettings { failures: 2, first: SECOND, longest: 10 * SECOND });
    let before = any(&breaker, Duration::ZERO);
    for _ in 0..2 {
        breaker.learn(before, &retry(), Duration::ZERO);
    }
    breaker.learn(before, &retry(), SECOND / 2);
    breaker.learn(before, &Outcome::Misconfigured { scope: Misconfigured::Credential, code: "401".to_owned() }, SECOND / 2);
    breaker.learn(probe(&breaker, SECOND), &accepted(), SECOND);
    for _ in 0..2 {
        breaker.learn(before, &retry(), SECOND);
    }
    any(&breaker, SECOND);
}

#[test]
fn throttling_holds_the_provider_for_as_long_as_it_asks() {
    let breaker = Breaker::new(BreakerSettings::default());
    let throttled = |scope, seconds| Outcome::Throttled { after: Some(seconds * SECOND), scope, code: "429".to_owned() };
    breaker.learn(any(&breaker, Duration::ZERO), &throttled(ThrottleScope::Recipient, 30), Duration::ZERO);
    let permit = any(&breaker, Duration::ZERO);
    breaker.learn(permit, &throttled(ThrottleScope::Provider, 20), Duration::ZERO);
    breaker.learn(permit, &throttled(ThrottleScope::Provider, 30), Duration::ZERO);
    assert_eq!(breaker.admit(29 * SECOND), Admission::Wait(SECOND), "whichever call was told");
    probe(&breaker, 30 * SECOND);
}

#[test]
fn wrong_credentials_hold_everything_and_are_probed() {
    let breaker = Breaker::new(BreakerSettings::default());
    let wrong = Outcome::Misconfigured { scope: Misconfigured::Credential, code: "401".to_owned() };
    breaker.learn(any(&breaker, Duration::ZERO), &wrong, Duration::ZERO);
    assert_eq!(breaker.state(), BreakerState::Misconfigured);
    assert!(matches!(breaker.admit(29 * SECOND), Admission::Wait(_)));
    let idle = probe(&breaker, 30 * SECOND);
    breaker.unused(idle);
    probe(&breaker, 30 * SECOND);
    breaker.unused(idle);
    assert!(matches!(breaker.admit(30 * SECOND), Admission::Wait(_)), "a probe that was given back is not given back again");
}

#[tokio::test]
async fn an_opt_out_waits_for_recorded_attempts_of_that_recipient_only() {
    let clock = Arc::new(ManualClock::at(0));
    let barrier = Arc::new(OptOutBarrier::new(clock.clone()));
    let (alice, bob) = (RecipientId(Uuid::from_u128(1)), RecipientId(Uuid::from_u128(2)));
    let first = barrier.register(alice);
    let second = barrier.register(alice);
    barrier.settled(bob).await;
    let waiting = barrier.settled(alice);
    tokio::pin!(waiting);
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    drop(first);
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    drop(second);
    waiting.await;
}

#[tokio::test]
async fn an_opt_out_waits_no_longer_than_an_attempt_can_take_to_begin() {
    let clock = Arc::new(ManualClock::at(0));
    let barrier = Arc::new(OptOutBarrier::new(clock.clone()));
    let alice = RecipientId(Uuid::from_u128(1));
    let _stuck = barrier.register(alice);
    let waiting = barrier.settled(alice);
    tokio::pin!(waiting);
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    clock.advance(SECOND);
    waiting.await;
}

fn elsewhere(stream: u64, sequence: u64, event: NotificationEvent) -> Arc<Recorded> {
    Arc::new(Recorded {
        position: sequence,
        stream: StreamId::new(AggregateKind::Notification, Uuid::from_u128(u128::from(stream))),
        number: stream,
        sequence,
        at: 0,
        fact: Fact::Notification(event),
        metadata: Arc::new(Metadata::of("delivery")),
    })
}

fn requested(recipient: RecipientId) -> NotificationEvent {
    NotificationEvent::Requested(Requested {
        sender: SenderKey::new("shop").unwrap(),
        recipient,
        category: CategoryKey::new("orders").unwrap(),
        priority: Priority::Normal,
        channels: None,
        fingerprint: String::new(),
        sandbox: false,
        expires_at: None,
        not_before: None,
        topic: None,
        digest: None,
        plan: None,
        category_version: 1,
        origin: None,
        personal: Personal::Erased,
    })
}

#[tokio::test]
async fn an_opt_out_waits_for_what_other_replicas_may_be_about_to_call() {
    let clock = Arc::new(ManualClock::at(0));
    let barrier = Arc::new(OptOutBarrier::new(clock.clone()));
    let (alice, bob) = (RecipientId(Uuid::from_u128(1)), RecipientId(Uuid::from_u128(2)));
    let attempt = |delivery| NotificationEvent::AttemptStarted(AttemptStarted { delivery, attempt: 1, provider: "fcm".to_owned(), after_unknown: false });
    let sent = |delivery| NotificationEvent::Sent(Sent { delivery, attempt: 1, provider_id: None });
    barrier.learned(&[elsewhere(5, 1, requested(alice)), elsewhere(5, 2, attempt(0)), elsewhere(5, 3, attempt(1))]);
    barrier.settled(bob).await;
    let waiting = barrier.settled(alice);
    tokio::pin!(waiting);
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    barrier.learned(&[elsewhere(5, 4, sent(0))]);
    assert!(futures_util::poll!(waiting.as_mut()).is_pending(), "the other delivery may not have begun");
    barrier.learned(&[elsewhere(5, 5, sent(1))]);
    waiting.await;

    // Of one whose recipient is not remembered, anybody may be meant; and it lapses.
    barrier.learned(&[elsewhere(6, 9, attempt(0))]);
    let waiting = barrier.settled(bob);
    tokio::pin!(waiting);
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    clock.advance(SECOND);
    waiting.await;
    barrier.settled(bob).await;
}
