#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::barrier::OptOutBarrier;
use super::breaker::{Admission, Breaker, BreakerSettings, BreakerState, Permit};
use commands::log::{AfterCommit, LogError, LogReader, Metadata, Position, Reading, Recorded, Sequence, StreamNo};
use commands::ports::ManualClock;
use domain::event::Personal;
use domain::notification::{AttemptStarted, NotificationEvent, Requested, Sent};
use domain::values::{CategoryKey, DeliveryNo, Misconfigured, Outcome, RecipientId, SenderKey, ThrottleScope};
use domain::{AggregateKind, Fact, StreamId};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
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

/// What others have appended, and whether it can be read.
#[derive(Default)]
struct Log {
    events: Mutex<Vec<Arc<Recorded>>>,
    away: AtomicBool,
}

impl Log {
    fn add(&self, stream: u128, event: NotificationEvent) -> u64 {
        let mut events = self.events.lock().unwrap();
        let stream = StreamId::new(AggregateKind::Notification, Uuid::from_u128(stream));
        let sequence = events.iter().filter(|event| event.stream == stream).count() as u64 + 1;
        let position = events.len() as u64 + 1;
        let metadata = Arc::new(Metadata::of("delivery"));
        events.push(Arc::new(Recorded { position, stream, number: 1, sequence, at: 0, fact: Fact::Notification(event), metadata }));
        position
    }

    fn read(&self, which: impl Fn(&Recorded) -> bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        let found = self.events.lock().unwrap().iter().filter(|event| which(event)).cloned().collect();
        let away = self.away.load(Ordering::SeqCst);
        Box::pin(async move { if away { Err(LogError::Unavailable { reason: "it is away".to_owned() }) } else { Ok(found) } })
    }
}

impl LogReader for Log {
    fn read_after(&self, after: Position, _: usize, _: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        self.read(|event| event.position > after)
    }
    fn read_stream(&self, stream: StreamId, after: Sequence, _: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        self.read(|event| event.stream == stream && event.sequence > after)
    }
    fn read_at(&self, positions: Vec<Position>, _: bool) -> Reading<'_, Vec<Arc<Recorded>>> {
        self.read(|event| positions.contains(&event.position))
    }
    fn stream_number(&self, _: StreamId) -> Reading<'_, Option<StreamNo>> {
        Box::pin(async { Ok(None) })
    }
    fn head(&self) -> Reading<'_, Position> {
        Box::pin(async { Ok(self.events.lock().unwrap().len() as u64) })
    }
}

fn requested(recipient: RecipientId) -> NotificationEvent {
    NotificationEvent::Requested(Requested::plain(SenderKey::new("shop").unwrap(), recipient, CategoryKey::new("orders").unwrap(), Personal::Erased))
}

fn attempt(delivery: DeliveryNo) -> NotificationEvent {
    NotificationEvent::AttemptStarted(AttemptStarted { delivery, attempt: 1, provider: "fcm".to_owned(), after_unknown: false, from: None })
}

fn sent(delivery: DeliveryNo) -> NotificationEvent {
    NotificationEvent::Sent(Sent { delivery, attempt: 1, provider_id: None, cost: None })
}

/// Long enough after the start that what was there then has lapsed.
fn among_others() -> (Arc<ManualClock>, Arc<Log>, OptOutBarrier) {
    let (clock, log) = (Arc::new(ManualClock::at(0)), Arc::<Log>::default());
    let barrier = OptOutBarrier::among(log.clone(), clock.clone());
    barrier.passed(0);
    clock.advance(SECOND);
    (clock, log, barrier)
}

#[tokio::test]
async fn an_opt_out_waits_for_what_other_replicas_may_be_about_to_call() {
    let (clock, log, barrier) = among_others();
    let (alice, bob) = (RecipientId(Uuid::from_u128(1)), RecipientId(Uuid::from_u128(2)));
    for event in [requested(alice), attempt(0), attempt(1)] {
        barrier.passed(log.add(5, event));
    }
    barrier.settled(bob).await;
    let waiting = barrier.settled(alice);
    tokio::pin!(waiting);
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    log.add(5, sent(0));
    clock.advance(SECOND / 10);
    assert!(futures_util::poll!(waiting.as_mut()).is_pending(), "the other delivery may not have begun");
    log.add(5, sent(1));
    clock.advance(SECOND / 10);
    waiting.await;
}

#[tokio::test]
async fn what_others_attempt_lapses_as_it_does_there() {
    let (clock, log, barrier) = among_others();
    let alice = RecipientId(Uuid::from_u128(1));
    barrier.passed(log.add(5, requested(alice)));
    clock.advance(SECOND / 2);
    barrier.passed(log.add(5, attempt(0)));
    // Much else happens, and what was known when is not forgotten for it.
    for _ in 0..60 {
        clock.advance(SECOND / 100);
        barrier.passed(log.add(6, requested(RecipientId(Uuid::from_u128(7)))));
    }
    let waiting = barrier.settled(alice);
    tokio::pin!(waiting);
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    clock.advance(SECOND / 2);
    let after = barrier.settled(alice);
    after.await;
}

#[tokio::test]
async fn an_opt_out_waits_in_full_while_nothing_is_known_of_the_others() {
    let (clock, log, barrier) = among_others();
    let alice = RecipientId(Uuid::from_u128(1));
    barrier.passed(log.add(5, requested(alice)));
    log.away.store(true, Ordering::SeqCst);
    let waiting = barrier.settled(alice);
    tokio::pin!(waiting);
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    clock.advance(SECOND / 2);
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    clock.advance(SECOND / 2);
    waiting.await;

    // One that has just begun cannot know what was attempted before.
    let begun = OptOutBarrier::among(log, clock.clone());
    begun.passed(1);
    let waiting = begun.settled(alice);
    tokio::pin!(waiting);
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    clock.advance(SECOND);
    waiting.await;
}

#[tokio::test]
async fn an_own_attempt_that_has_begun_holds_no_opt_out() {
    let (_clock, log, barrier) = among_others();
    let alice = RecipientId(Uuid::from_u128(1));
    barrier.passed(log.add(5, requested(alice)));
    let place = log.add(5, attempt(0));
    let own = log.events.lock().unwrap().last().cloned().unwrap();
    barrier.committed(&[own]);
    barrier.passed(place);
    barrier.settled(alice).await;
}
