#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::*;
use crate::aggregate::Aggregate;
use crate::event::Personal;
use crate::policy::deciding::{Decided, Decision, FollowUp, Step};
use crate::policy::retry::RetrySchedule;
use crate::values::{AddressId, BadAddress, CategoryKey, Channel, Content, DigestId, FactVersions, NextWhen, Outcome, RecipientId, Rule, SenderKey};
use NotificationEvent as E;
use cqrs_es::test::TestFramework;
use uuid::Uuid;

type Test = TestFramework<Notification>;

fn requested(fingerprint: &str) -> Requested {
    Requested {
        fingerprint: fingerprint.to_owned(),
        ..Requested::plain(
            SenderKey::new("shop").unwrap(),
            RecipientId(Uuid::from_u128(1)),
            CategoryKey::new("orders").unwrap(),
            Personal::from(Content { body: "Paid".to_owned(), ..Content::default() }),
        )
    }
}

const FACTS: FactVersions = FactVersions { recipient: 2, subscription: 0, category: 1, frequency: 0 };

fn address() -> AddressId {
    AddressId(Uuid::from_u128(9))
}

fn queued(delivery: u16, channel: Channel) -> E {
    E::Queued(Queued { delivery, channel, address: channel.has_provider().then(address), rule: Rule::DefaultOptIn, rules: Rule::VERSION, facts: FACTS })
}

fn decision(outcome: Decided) -> Decision {
    Decision { outcome, facts: FACTS, count: None }
}

fn accept_as(fingerprint: &str, outcome: Decided) -> NotificationCommand {
    NotificationCommand::Accept(Box::new(Accept { requested: requested(fingerprint), decision: decision(outcome) }))
}

fn accept(fingerprint: &str, steps: Vec<Step>) -> NotificationCommand {
    accept_as(fingerprint, Decided::Deliver { steps, taken: 0, next: None })
}

fn push() -> Step {
    Step::Deliver { channel: Channel::AndroidPush, address: Some(address()), rule: Rule::DefaultOptIn }
}

fn started(attempt: u32, after_unknown: bool) -> E {
    E::AttemptStarted(AttemptStarted { delivery: 0, attempt, provider: "fcm".to_owned(), after_unknown, from: None })
}

fn in_flight() -> Vec<E> {
    vec![E::Requested(requested("f")), queued(0, Channel::AndroidPush), started(1, false)]
}

fn outcome(attempt: u32, outcome: Outcome) -> NotificationCommand {
    NotificationCommand::RecordOutcome {
        delivery: 0,
        attempt,
        outcome,
        schedule: RetrySchedule::default_for(Channel::AndroidPush),
        requested_at: 1_000,
        now: 2_000,
        jitter: 0.0,
    }
}

fn sent(attempt: u32) -> E {
    E::Sent(Sent { delivery: 0, attempt, provider_id: Some("m1".to_owned()), cost: None })
}

fn accepted() -> Outcome {
    Outcome::Accepted { provider_id: Some("m1".to_owned()) }
}

#[test]
fn accepting_records_request_and_decision_together() {
    Test::with(())
        .given_no_previous_events()
        .when(accept("f", vec![push()]))
        .then_expect_events(vec![E::Requested(requested("f")), queued(0, Channel::AndroidPush)]);
}

#[test]
fn in_app_is_sent_with_its_acceptance() {
    let step = Step::Deliver { channel: Channel::InApp, address: None, rule: Rule::DefaultOptIn };
    Test::with(()).given_no_previous_events().when(accept("f", vec![step, push()])).then_expect_events(vec![
        E::Requested(requested("f")),
        queued(0, Channel::InApp),
        E::Sent(Sent { delivery: 0, attempt: 0, provider_id: None, cost: None }),
        queued(1, Channel::AndroidPush),
    ]);
}

#[test]
fn a_repeat_is_recorded_and_changes_nothing() {
    let given = vec![E::Requested(requested("f")), queued(0, Channel::AndroidPush)];
    Test::with(()).given(given).when(accept("f", vec![push()])).then_expect_events(vec![E::Deduplicated(Deduplicated { repeats: 1 })]);
}

#[test]
fn the_eleventh_repeat_is_answered_without_an_event() {
    let given = vec![E::Requested(requested("f")), E::Deduplicated(Deduplicated { repeats: 10 })];
    Test::with(()).given(given).when(accept("f", vec![push()])).then_expect_events(vec![]);
}

#[test]
fn the_same_key_for_other_content_is_refused() {
    Test::with(()).given(vec![E::Requested(requested("f"))]).when(accept("g", vec![push()])).then_expect_error(NotificationRefusal::IdempotencyConflict);
}

#[test]
fn an_attempt_is_started_once() {
    let start = || NotificationCommand::StartAttempt { delivery: 0, provider: "fcm".to_owned() };
    Test::with(()).given(vec![E::Requested(requested("f")), queued(0, Channel::AndroidPush)]).when(start()).then_expect_events(vec![started(1, false)]);
    Test::with(()).given(in_flight()).when(start()).then_expect_events(vec![]);
}

#[test]
fn acceptance_by_the_provider_ends_it_and_a_second_report_is_void() {
    Test::with(()).given(in_flight()).when(outcome(1, accepted())).then_expect_events(vec![sent(1)]);
    let mut given = in_flight();
    given.push(sent(1));
    Test::with(()).given(given).when(outcome(1, accepted())).then_expect_events(vec![]);
}

#[test]
fn the_outcome_of_an_older_attempt_is_void() {
    let mut given = in_flight();
    given.extend([
        E::AttemptFailed(AttemptFailed { delivery: 0, attempt: 1, class: FailureClass::Transient, code: "503".to_owned() }),
        E::RetryScheduled(RetryScheduled { delivery: 0, due: 9, after_unknown: false }),
        started(2, false),
    ]);
    Test::with(()).given(given).when(outcome(1, accepted())).then_expect_events(vec![]);
}

#[test]
fn a_transient_failure_is_retried_no_sooner_than_the_provider_asks() {
    let retry = Outcome::Retry { after: Some(std::time::Duration::from_secs(60)), code: "503".to_owned() };
    Test::with(()).given(in_flight()).when(outcome(1, retry)).then_expect_events(vec![
        E::AttemptFailed(AttemptFailed { delivery: 0, attempt: 1, class: FailureClass::Transient, code: "503".to_owned() }),
        E::RetryScheduled(RetryScheduled { delivery: 0, due: 62_000, after_unknown: false }),
    ]);
}

#[test]
fn a_throttled_attempt_does_not_count() {
    let throttled =
        Outcome::Throttled { after: Some(std::time::Duration::from_secs(1)), scope: crate::values::ThrottleScope::Provider, code: "429".to_owned() };
    let held = E::Held(Held { delivery: 0, attempt: 1, reason: HoldReason::Throttled, code: "429".to_owned(), until: 3_000 });
    Test::with(()).given(in_flight()).when(outcome(1, throttled)).then_expect_events(vec![held.clone()]);
    let mut given = in_flight();
    given.push(held);
    let state = <Notification as crate::aggregate::Aggregate>::replay(&given);
    assert_eq!(state.deliveries[0].counted, 0);
    assert_eq!(state.deliveries[0].state, DeliveryState::Waiting { due: 3_000 });
}

#[test]
fn an_unknown_push_is_repeated_and_flagged() {
    let unknown = E::AttemptUnknown(AttemptUnknown { delivery: 0, attempt: 1, code: "lost".to_owned() });
    let again = E::RetryScheduled(RetryScheduled { delivery: 0, due: 7_000, after_unknown: true });
    Test::with(()).given(in_flight()).when(outcome(1, Outcome::Unknown { code: "lost".to_owned() })).then_expect_events(vec![unknown.clone(), again.clone()]);
    let mut given = in_flight();
    given.extend([unknown, again]);
    Test::with(()).given(given).when(NotificationCommand::StartAttempt { delivery: 0, provider: "fcm".to_owned() }).then_expect_events(vec![started(2, true)]);
}

#[test]
fn an_email_of_unknown_fate_is_repeated_once_and_then_left_to_a_person() {
    let unknown = |attempt| E::AttemptUnknown(AttemptUnknown { delivery: 0, attempt, code: "lost".to_owned() });
    let given = vec![
        E::Requested(requested("f")),
        queued(0, Channel::Email),
        started(1, false),
        unknown(1),
        E::RetryScheduled(RetryScheduled { delivery: 0, due: 9, after_unknown: true }),
        started(2, true),
    ];
    Test::with(())
        .given(given)
        .when(outcome(2, Outcome::Unknown { code: "lost".to_owned() }))
        .then_expect_events(vec![unknown(2), E::DeadLettered(DeadLettered { delivery: 0, attempts: 2, code: "lost".to_owned(), unknown: true })]);
}

#[test]
fn a_dead_address_ends_it_and_says_so() {
    let dead = Outcome::BadAddress { kind: BadAddress::Dead, as_of: Some(5), code: "410".to_owned() };
    Test::with(()).given(in_flight()).when(outcome(1, dead)).then_expect_events(vec![
        E::AttemptFailed(AttemptFailed { delivery: 0, attempt: 1, class: FailureClass::BadAddress, code: "410".to_owned() }),
        E::Failed(Failed { delivery: 0, class: FailureClass::BadAddress, code: "410".to_owned(), as_of: Some(5), address_dead: true }),
    ]);
}

#[test]
fn exhausted_attempts_become_a_dead_letter_that_can_be_redriven() {
    let failed = |attempt| E::AttemptFailed(AttemptFailed { delivery: 0, attempt, class: FailureClass::Transient, code: "503".to_owned() });
    let mut given = vec![E::Requested(requested("f")), queued(0, Channel::AndroidPush)];
    for attempt in 1..9 {
        given.extend([started(attempt, false), failed(attempt), E::RetryScheduled(RetryScheduled { delivery: 0, due: 9, after_unknown: false })]);
    }
    given.push(started(9, false));
    let dead = E::DeadLettered(DeadLettered { delivery: 0, attempts: 9, code: "503".to_owned(), unknown: false });
    Test::with(())
        .given(given.clone())
        .when(outcome(9, Outcome::Retry { after: None, code: "503".to_owned() }))
        .then_expect_events(vec![failed(9), dead.clone()]);
    given.extend([failed(9), dead]);
    Test::with(()).given(given.clone()).when(NotificationCommand::Redrive { delivery: 0 }).then_expect_events(vec![E::Redriven(Redriven { delivery: 0 })]);
    given.push(E::Redriven(Redriven { delivery: 0 }));
    Test::with(())
        .given(given.clone())
        .when(NotificationCommand::StartAttempt { delivery: 0, provider: "fcm".to_owned() })
        .then_expect_events(vec![started(10, false)]);
    Test::with(()).given(given).when(NotificationCommand::Redrive { delivery: 0 }).then_expect_error(NotificationRefusal::NotADeadLetter);
}

#[test]
fn cancelling_stops_what_is_not_under_way() {
    let given = vec![E::Requested(requested("f")), queued(0, Channel::AndroidPush), queued(1, Channel::Email), started(1, false)];
    Test::with(()).given(given).when(cancel(false)).then_expect_events(vec![last_call(), E::Cancelled(Cancelled { delivery: Some(1) })]);
}

fn last_call() -> E {
    E::CancelRequested(CancelRequested { delivery: 0 })
}

#[test]
fn what_is_taken_back_during_a_call_is_not_called_again() {
    let under_way = || vec![E::Requested(requested("f")), queued(0, Channel::AndroidPush), started(1, false)];
    let taken_back = || [under_way(), vec![last_call()]].concat();
    Test::with(()).given(under_way()).when(cancel(false)).then_expect_events(vec![last_call()]);
    Test::with(()).given(taken_back()).when(cancel(false)).then_expect_events(vec![]);
    let cancelled = || E::Cancelled(Cancelled { delivery: Some(0) });
    // It had gone out: that is what is said.
    Test::with(()).given(taken_back()).when(outcome(1, accepted())).then_expect_events(vec![sent(1)]);
    for (outcome_of, failed) in [
        (
            Outcome::Retry { after: None, code: "503".to_owned() },
            E::AttemptFailed(AttemptFailed { delivery: 0, attempt: 1, class: FailureClass::Transient, code: "503".to_owned() }),
        ),
        (
            Outcome::NotMade { code: "late".to_owned() },
            E::Held(Held { delivery: 0, attempt: 1, reason: HoldReason::NotMade, code: "late".to_owned(), until: 2_000 }),
        ),
    ] {
        Test::with(()).given(taken_back()).when(outcome(1, outcome_of)).then_expect_events(vec![failed, cancelled()]);
    }
    let unknown = || E::AttemptUnknown(AttemptUnknown { delivery: 0, attempt: 1, code: "reset".to_owned() });
    let dead = || E::DeadLettered(DeadLettered { delivery: 0, attempts: 1, code: "reset".to_owned(), unknown: true });
    Test::with(()).given(taken_back()).when(outcome(1, Outcome::Unknown { code: "reset".to_owned() })).then_expect_events(vec![unknown(), dead()]);
    // Unless a person wants it after all: then it is like any other.
    let again = vec![unknown(), dead(), E::Redriven(Redriven { delivery: 0 }), started(2, true)];
    let given = [taken_back(), again].concat();
    Test::with(()).given(given).when(cancel(false)).then_expect_events(vec![last_call()]);
}

#[test]
fn marks_are_recorded_once() {
    let given = vec![E::Requested(requested("f")), E::Read(Read {})];
    Test::with(()).given(given.clone()).when(NotificationCommand::MarkSeen).then_expect_events(vec![]);
    Test::with(()).given(given.clone()).when(NotificationCommand::MarkRead).then_expect_events(vec![]);
    Test::with(()).given(given).when(NotificationCommand::Archive).then_expect_events(vec![E::Archived(Archived {})]);
}

#[test]
fn nothing_can_be_asked_of_a_notification_that_does_not_exist() {
    Test::with(()).given_no_previous_events().when(cancel(false)).then_expect_error(NotificationRefusal::NotFound);
}

#[test]
fn events_survive_storage_and_lose_only_what_is_personal() {
    use crate::event::EventBody;
    let event = E::Requested(requested("f"));
    let (mut payload, mut personal) = (Vec::new(), Vec::new());
    event.encode(&mut payload);
    assert!(event.encode_personal(&mut personal));
    assert!(!String::from_utf8(payload.clone()).unwrap().contains("Paid"));
    assert_eq!(E::decode("Requested", 2, &payload, Some(&personal)).unwrap(), event);
    let erased = E::decode("Requested", 2, &payload, None).unwrap();
    assert!(matches!(erased, E::Requested(requested) if requested.personal == Personal::Erased));
}

fn cancel(collected: bool) -> NotificationCommand {
    NotificationCommand::Cancel { collected }
}

fn deferred(until: i64) -> E {
    E::Deferred(Deferred { until, rule: Rule::QuietHours, limit: None, rules: Rule::VERSION, facts: FACTS })
}

fn release(outcome: Decided) -> NotificationCommand {
    NotificationCommand::Release { decision: Box::new(decision(outcome)) }
}

fn scheduled(step: u8) -> E {
    E::StepScheduled(StepScheduled { step, due: 600, when: NextWhen::NotSeen, rule: None })
}

#[test]
fn what_waits_has_no_delivery_and_is_decided_once_when_it_comes_due() {
    let waits = Decided::Defer { until: 500, rule: Rule::QuietHours, limit: None };
    Test::with(()).given_no_previous_events().when(accept_as("f", waits.clone())).then_expect_events(vec![E::Requested(requested("f")), deferred(500)]);
    let given = || vec![E::Requested(requested("f")), deferred(500)];
    let steps = || Decided::Deliver { steps: vec![push()], taken: 0, next: None };
    Test::with(()).given(given()).when(release(steps())).then_expect_events(vec![E::Released(Released {}), queued(0, Channel::AndroidPush)]);
    Test::with(()).given(given()).when(release(waits)).then_expect_events(vec![E::Released(Released {}), deferred(500)]);
    Test::with(()).given(given()).when(release(Decided::Expire)).then_expect_events(vec![E::Released(Released {}), E::Expired(Expired { delivery: None })]);
    let mut released = given();
    released.extend([E::Released(Released {}), queued(0, Channel::AndroidPush)]);
    Test::with(()).given(released).when(release(steps())).then_expect_events(vec![]);
}

#[test]
fn what_waits_or_is_collected_can_be_taken_back_once() {
    let digested = || E::Digested(Digested { digest: DigestId(Uuid::from_u128(3)), window: 1, rule: Rule::Digested, rules: Rule::VERSION, facts: FACTS });
    let whole = || E::Cancelled(Cancelled { delivery: None });
    Test::with(()).given(vec![E::Requested(requested("f")), deferred(5)]).when(cancel(false)).then_expect_events(vec![whole()]);
    Test::with(()).given(vec![E::Requested(requested("f")), deferred(5), whole()]).when(cancel(false)).then_expect_events(vec![]);
    Test::with(()).given(vec![E::Requested(requested("f")), digested()]).when(cancel(true)).then_expect_events(vec![whole()]);
    Test::with(()).given(vec![E::Requested(requested("f")), digested()]).when(cancel(false)).then_expect_events(vec![]);
    let given = vec![E::Requested(requested("f")), queued(0, Channel::AndroidPush), sent(1), scheduled(1)];
    Test::with(()).given(given).when(cancel(false)).then_expect_events(vec![E::StepSkipped(StepSkipped { step: 1, rule: Rule::Cancelled })]);
}

#[test]
fn a_plan_goes_on_step_by_step() {
    let next = Some(FollowUp { step: 2, due: 600, when: NextWhen::NotSeen });
    let first = Decided::Deliver { steps: vec![push()], taken: 1, next };
    Test::with(()).given_no_previous_events().when(accept_as("f", first)).then_expect_events(vec![
        E::Requested(requested("f")),
        E::StepSkipped(StepSkipped { step: 0, rule: Rule::NoChannel }),
        queued(0, Channel::AndroidPush),
        scheduled(2),
    ]);
    let given = || vec![E::Requested(requested("f")), queued(0, Channel::AndroidPush), scheduled(1)];
    let email = Step::Deliver { channel: Channel::Email, address: Some(address()), rule: Rule::DefaultOptIn };
    let second = || Box::new(decision(Decided::Deliver { steps: vec![email], taken: 1, next: None }));
    let take = |step, decision| NotificationCommand::TakeStep { step, decision, now: 600 };
    Test::with(())
        .given(given())
        .when(take(1, second()))
        .then_expect_events(vec![E::StepTaken(StepTaken { step: 1, facts: FACTS }), queued(1, Channel::Email)]);
    Test::with(()).given(given()).when(take(2, second())).then_expect_events(vec![]);
    let quiet = Box::new(decision(Decided::Defer { until: 900, rule: Rule::QuietHours, limit: None }));
    let later = E::StepScheduled(StepScheduled { step: 1, due: 900, when: NextWhen::NotSeen, rule: Some(Rule::QuietHours) });
    Test::with(()).given(given()).when(take(1, quiet)).then_expect_events(vec![later]);
    let skip = NotificationCommand::SkipStep { step: 1, rule: Rule::AlreadySeen };
    Test::with(()).given(given()).when(skip).then_expect_events(vec![E::StepSkipped(StepSkipped { step: 1, rule: Rule::AlreadySeen })]);
}

#[test]
fn a_step_is_needed_while_its_condition_holds() {
    use crate::policy::plan::{StepVerdict, step_due, step_hopeless};
    let state = |when, more: Vec<E>| {
        let mut events = vec![E::Requested(requested("f")), queued(0, Channel::AndroidPush)];
        events.push(E::StepScheduled(StepScheduled { step: 1, due: 600, when, rule: None }));
        events.extend(more);
        Notification::replay(&events)
    };
    let failed = || E::Failed(Failed { delivery: 0, class: FailureClass::Permanent, code: "400".to_owned(), as_of: None, address_dead: false });
    assert_eq!(step_due(&state(NextWhen::NotSeen, vec![sent(1)])), Some(StepVerdict::Take));
    assert_eq!(step_due(&state(NextWhen::NotSeen, vec![E::Read(Read {})])), Some(StepVerdict::Skip(Rule::AlreadySeen)));
    assert_eq!(step_due(&state(NextWhen::NotRead, vec![E::Seen(Seen {})])), Some(StepVerdict::Take));
    assert_eq!(step_due(&state(NextWhen::Failed, vec![sent(1)])), Some(StepVerdict::Skip(Rule::StepDelivered)));
    assert_eq!(step_due(&state(NextWhen::Failed, vec![failed()])), Some(StepVerdict::Take));
    assert!(!step_hopeless(&state(NextWhen::NotSeen, vec![])));
    assert!(!step_hopeless(&state(NextWhen::NotSeen, vec![sent(1)])));
    assert!(step_hopeless(&state(NextWhen::NotSeen, vec![failed()])));
}

#[test]
fn a_delivery_is_put_off_and_then_attempted() {
    let postpone = |until| NotificationCommand::Postpone { delivery: 0, until, rule: Rule::QuietHours, facts: FACTS };
    let postponed = E::Postponed(Postponed { delivery: 0, until: 700, rule: Rule::QuietHours, rules: Rule::VERSION, facts: FACTS });
    let given = || vec![E::Requested(requested("f")), queued(0, Channel::AndroidPush)];
    Test::with(()).given(given()).when(postpone(700)).then_expect_events(vec![postponed.clone()]);
    let put_off = [given(), vec![postponed]].concat();
    assert_eq!(Notification::replay(&put_off).deliveries[0].state, DeliveryState::Waiting { due: 700 });
    Test::with(()).given(put_off).when(postpone(700)).then_expect_events(vec![]);
    Test::with(()).given(in_flight()).when(postpone(700)).then_expect_events(vec![]);
}
