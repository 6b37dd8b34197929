#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::barrier::OptOutBarrier;
use super::breaker::{Admission, Breaker, BreakerSettings, BreakerState};
use commands::ports::ManualClock;
use domain::values::{Misconfigured, Outcome, RecipientId, ThrottleScope};
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

#[test]
fn failures_in_a_row_open_it_and_one_probe_at_a_time_closes_it() {
    let breaker = Breaker::new(BreakerSettings { failures: 3, first: SECOND, longest: 10 * SECOND });
    for _ in 0..2 {
        breaker.learn(&retry(), Duration::ZERO);
    }
    breaker.learn(&accepted(), Duration::ZERO);
    for _ in 0..3 {
        assert_eq!(breaker.admit(Duration::ZERO), Admission::Any, "a success in between starts the count anew");
        breaker.learn(&retry(), Duration::ZERO);
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    assert!(matches!(breaker.admit(SECOND / 2), Admission::Wait(_)));
    assert_eq!(breaker.admit(SECOND), Admission::Probe);
    assert!(matches!(breaker.admit(SECOND), Admission::Wait(_)), "one probe at a time");
    breaker.learn(&retry(), SECOND);
    assert!(matches!(breaker.admit(2 * SECOND), Admission::Wait(_)), "a failed probe doubles the pause");
    assert_eq!(breaker.admit(3 * SECOND), Admission::Probe);
    breaker.learn(&accepted(), 3 * SECOND);
    assert_eq!(breaker.admit(3 * SECOND), Admission::Any);
}

#[test]
fn throttling_holds_the_provider_for_as_long_as_it_asks() {
    let breaker = Breaker::new(BreakerSettings::default());
    let throttled = |scope| Outcome::Throttled { after: Some(30 * SECOND), scope, code: "429".to_owned() };
    breaker.learn(&throttled(ThrottleScope::Recipient), Duration::ZERO);
    assert_eq!(breaker.admit(Duration::ZERO), Admission::Any, "one address is not the provider");
    breaker.learn(&throttled(ThrottleScope::Provider), Duration::ZERO);
    assert_eq!(breaker.admit(29 * SECOND), Admission::Wait(SECOND));
    assert_eq!(breaker.admit(30 * SECOND), Admission::Probe);
}

#[test]
fn wrong_credentials_hold_everything_and_are_probed() {
    let breaker = Breaker::new(BreakerSettings::default());
    breaker.learn(&Outcome::Misconfigured { scope: Misconfigured::Credential, code: "401".to_owned() }, Duration::ZERO);
    assert_eq!(breaker.state(), BreakerState::Misconfigured);
    assert!(matches!(breaker.admit(29 * SECOND), Admission::Wait(_)));
    assert_eq!(breaker.admit(30 * SECOND), Admission::Probe);
    breaker.unused();
    assert_eq!(breaker.admit(30 * SECOND), Admission::Probe, "a probe that had nothing to send is given back");
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
