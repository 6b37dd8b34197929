#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use super::*;
use crate::aggregate::Aggregate;
use crate::event::EventBody;
use crate::notification::{
    AttemptFailed, AttemptStarted, AttemptUnknown, DeadLettered, Notification, NotificationCommand, NotificationEvent as E, Queued, RetryScheduled, Sent,
};
use crate::policy::plan::{StepVerdict, step_due};
use crate::values::{AddressId, Channel, FactVersions, NextWhen, Rule};
use proptest::prelude::*;
use uuid::Uuid;

const FACTS: FactVersions = FactVersions { recipient: 2, subscription: 0, category: 1, frequency: 0 };

fn started(attempt: u32, after_unknown: bool) -> E {
    E::AttemptStarted(AttemptStarted { delivery: 0, attempt, provider: "twilio".to_owned(), after_unknown, from: None })
}

/// Queued, and what else happened.
fn after(events: &[E]) -> Notification {
    let queued = Queued { delivery: 0, channel: Channel::Sms, address: Some(AddressId(Uuid::from_u128(9))), rule: Rule::DefaultOptIn, rules: 1, facts: FACTS };
    let mut state = Notification::replay([&E::Queued(queued)]);
    state.exists = true;
    for event in events {
        state.evolve(event);
    }
    state
}

fn sent() -> E {
    E::Sent(Sent { delivery: 0, attempt: 1, provider_id: None, cost: None })
}

fn unknown() -> [E; 3] {
    let code = "timeout".to_owned();
    [
        started(1, false),
        E::AttemptUnknown(AttemptUnknown { delivery: 0, attempt: 1, code }),
        E::RetryScheduled(RetryScheduled { delivery: 0, due: 9, after_unknown: true }),
    ]
}

fn receipt(attempt: Option<u32>, at: Option<Millis>, said: Said) -> Receipt {
    Receipt { delivery: 0, attempt, provider_id: None, at, said }
}

fn lost(class: FailureClass) -> Said {
    Said::Bounced { class, dead: class == FailureClass::BadAddress, code: "c".to_owned() }
}

fn told(state: &mut Notification, receipt: Receipt) -> Vec<&'static str> {
    let events = state.decide(NotificationCommand::Report { receipt }).unwrap();
    for event in &events {
        state.evolve(event);
    }
    events.iter().map(E::name).collect()
}

#[test]
fn what_was_sent_arrives_once() {
    let mut state = after(&[started(1, false), sent()]);
    assert_eq!(told(&mut state, receipt(Some(1), Some(5), Said::Delivered)), ["Delivered"]);
    assert_eq!(told(&mut state, receipt(Some(1), Some(5), Said::Delivered)), [""; 0]);
    assert_eq!(state.deliveries[0].state, DeliveryState::Delivered);
}

#[test]
fn nothing_is_believed_of_what_was_never_handed_over() {
    let mut state = after(&[]);
    for said in [Said::Delivered, lost(FailureClass::Permanent), Said::Opened { automatic: false }] {
        assert_eq!(told(&mut state, receipt(None, None, said)), [""; 0]);
    }
    let mut state = after(&[started(1, false), sent()]);
    assert_eq!(told(&mut state, receipt(Some(2), None, Said::Delivered)), [""; 0], "an attempt that was never made");
    assert!(state.decide(NotificationCommand::Report { receipt: Receipt { delivery: 7, ..receipt(None, None, Said::Delivered) } }).is_err());
}

#[test]
fn a_report_settles_what_nobody_knew() {
    let mut state = after(&unknown());
    assert_eq!(told(&mut state, receipt(Some(1), None, Said::Delivered)), ["Delivered"]);
    assert!(!state.deliveries[0].is_stoppable(), "it is not repeated");
    let mut state = after(&unknown());
    assert_eq!(told(&mut state, receipt(Some(1), None, Said::Opened { automatic: true })), ["Opened"], "perhaps the server that refuses it then");
    assert_eq!(told(&mut state, receipt(Some(1), None, Said::Opened { automatic: false })), ["Delivered", "Opened"]);
    let failed = E::AttemptFailed(AttemptFailed { delivery: 0, attempt: 1, class: FailureClass::Transient, code: "451".to_owned() });
    let mut state = after(&[started(1, false), failed, E::RetryScheduled(RetryScheduled { delivery: 0, due: 9, after_unknown: false })]);
    assert_eq!(told(&mut state, receipt(None, None, Said::Opened { automatic: false })), ["Opened"], "it is known to have failed");
    assert!(state.deliveries[0].is_stoppable(), "and is tried again");
    // A call under way may be reported before it is answered.
    let mut state = after(&[started(1, false)]);
    assert_eq!(told(&mut state, receipt(Some(1), None, Said::Delivered)), ["Delivered"]);
    let late = state.deliveries[0].conclude(
        1,
        &crate::values::Outcome::Accepted { provider_id: None },
        &crate::policy::retry::RetrySchedule::default_for(Channel::Sms),
        0,
        1,
        0.0,
    );
    assert_eq!(late, [], "the answer that comes then says nothing new");
}

#[test]
fn a_dead_letter_is_settled_too() {
    let dead = E::DeadLettered(DeadLettered { delivery: 0, attempts: 1, code: "timeout".to_owned(), unknown: true });
    let doubtful = || after(&[&unknown()[..2], std::slice::from_ref(&dead)].concat());
    let mut state = doubtful();
    let events = state.decide(NotificationCommand::Report { receipt: receipt(Some(1), None, Said::Delivered) }).unwrap();
    assert!(matches!(&events[..], [E::Delivered(Delivered { stood: Stood::DeadLettered, .. })]), "{events:?}");
    state.evolve(&events[0]);
    assert!(state.decide(NotificationCommand::Redrive { delivery: 0 }).is_err(), "it has arrived");
    assert_eq!(told(&mut doubtful(), receipt(Some(1), None, lost(FailureClass::Permanent))), ["Bounced"]);
    let failed = E::AttemptFailed(AttemptFailed { delivery: 0, attempt: 1, class: FailureClass::Transient, code: "503".to_owned() });
    let mut state = after(&[started(1, false), failed, E::DeadLettered(DeadLettered { delivery: 0, attempts: 1, code: "503".to_owned(), unknown: false })]);
    assert_eq!(told(&mut state, receipt(Some(1), None, lost(FailureClass::Permanent))), [""; 0], "it is known to have failed");
}

#[test]
fn a_later_word_counts_and_an_earlier_one_that_comes_late_does_not() {
    let mut state = after(&[started(1, false), sent()]);
    assert_eq!(told(&mut state, receipt(Some(1), Some(10), Said::Delivered)), ["Delivered"]);
    assert_eq!(told(&mut state, receipt(Some(1), Some(5), lost(FailureClass::BadAddress))), [""; 0]);
    assert_eq!(told(&mut state, receipt(Some(1), Some(20), lost(FailureClass::BadAddress))), ["Bounced"], "one server took it, the next refused it");
    assert_eq!(told(&mut state, receipt(Some(1), Some(10), Said::Delivered)), [""; 0], "comes again, late");
    assert_eq!(told(&mut state, receipt(Some(1), Some(30), Said::Delivered)), ["Delivered"]);
}

#[test]
fn what_may_work_later_does_not_end_what_is_tried_again() {
    let mut state = after(&unknown());
    assert_eq!(told(&mut state, receipt(Some(1), None, lost(FailureClass::Transient))), [""; 0]);
    assert_eq!(told(&mut state, receipt(Some(1), None, lost(FailureClass::BadAddress))), ["Bounced"]);
}

#[test]
fn what_arrives_by_two_attempts_is_known_to_have_arrived_twice() {
    let again = [started(2, true), E::Sent(Sent { delivery: 0, attempt: 2, provider_id: None, cost: None })];
    let mut state = after(&[&unknown()[..], &again[..]].concat());
    assert_eq!(told(&mut state, receipt(Some(2), None, Said::Delivered)), ["Delivered"]);
    assert_eq!(told(&mut state, receipt(Some(1), None, Said::Delivered)), ["Delivered"]);
    for attempt in [1, 2] {
        assert_eq!(told(&mut state, receipt(Some(attempt), None, Said::Delivered)), [""; 0]);
    }
    assert_eq!(told(&mut state, receipt(None, None, Said::Delivered)), [""; 0], "which one is not told");
}

#[test]
fn words_that_contradict_each_other_for_ever_are_bounded() {
    let mut state = after(&[started(1, false), sent()]);
    let words = (0..1_000).map(|at| {
        let said = if at % 2 == 0 { Said::Delivered } else { lost(FailureClass::Permanent) };
        told(&mut state, receipt(Some(1), Some(at), said)).len()
    });
    assert_eq!(words.sum::<usize>(), usize::from(MAX_WORDS));
}

#[test]
fn opens_and_clicks_are_bounded() {
    let mut state = after(&[started(1, false), sent()]);
    let mut count = 0;
    for round in 0..1_000_u16 {
        for automatic in [false, true] {
            count += told(&mut state, receipt(None, None, Said::Opened { automatic })).len();
            count += told(&mut state, receipt(None, None, Said::Clicked { link: round, automatic })).len();
        }
    }
    assert_eq!(count, 2 + 2 * usize::from(MAX_LINKS));
}

#[test]
fn who_opened_it_wants_no_next_step_and_a_program_is_nobody() {
    for (when, automatic, wanted) in [(NextWhen::NotSeen, false, false), (NextWhen::NotRead, false, false), (NextWhen::NotRead, true, true)] {
        let mut state = after(&[started(1, false), sent()]);
        state.step = Some(crate::notification::ScheduledStep { step: 1, due: 5, when });
        told(&mut state, receipt(None, None, Said::Opened { automatic }));
        assert_eq!(step_due(&state) == Some(StepVerdict::Take), wanted, "{when:?} {automatic}");
    }
    for (reported, wanted) in [(None, true), (Some(Said::Delivered), false), (Some(lost(FailureClass::Permanent)), true)] {
        let mut state = after(&[started(1, false), sent()]);
        state.step = Some(crate::notification::ScheduledStep { step: 1, due: 5, when: NextWhen::NotDelivered });
        if let Some(said) = reported.clone() {
            told(&mut state, receipt(None, None, said));
        }
        assert_eq!(step_due(&state) == Some(StepVerdict::Take), wanted, "{reported:?}");
    }
}

/// One report of the arrival and one of the contrary at most, each of its own moment, and any of the rest.
fn reports() -> impl Strategy<Value = Vec<Receipt>> {
    let rest = prop_oneof![
        Just(Said::Complained { kind: ComplaintKind::Spam }),
        any::<bool>().prop_map(|automatic| Said::Opened { automatic }),
        (0..4_u16, any::<bool>()).prop_map(|(link, automatic)| Said::Clicked { link, automatic }),
    ];
    let rest = prop::collection::vec((0..9_i64, rest).prop_map(|(at, said)| receipt(Some(1), Some(at), said)), 0..6);
    (prop::sample::subsequence(vec![0, 1], 0..=2), any::<bool>(), rest)
        .prop_map(|(arrivals, first, rest)| {
            let at = |which: i64| if (which == 0) == first { 3 } else { 6 };
            let said = |which| if which == 0 { Said::Delivered } else { lost(FailureClass::BadAddress) };
            arrivals.into_iter().map(|which| receipt(Some(1), Some(at(which)), said(which))).chain(rest).collect::<Vec<_>>()
        })
        .prop_shuffle()
}

proptest! {
    /// Repeats change nothing, and the last word stands, in whatever order it came.
    #[test]
    fn any_order_and_any_repeats_lead_to_the_same(reports in reports(), unknown_first in any::<bool>()) {
        let mut state = if unknown_first { after(&unknown()) } else { after(&[started(1, false), sent()]) };
        for report in &reports {
            told(&mut state, report.clone());
        }
        let settled = state.clone();
        for report in reports.iter().chain(reports.iter().rev()) {
            prop_assert_eq!(told(&mut state, report.clone()), [""; 0]);
        }
        prop_assert_eq!(&settled, &state);
        let last = reports.iter().filter(|report| matches!(report.said, Said::Delivered | Said::Bounced { .. })).max_by_key(|report| report.at);
        if let Some(last) = last {
            let end = if last.said == Said::Delivered { DeliveryState::Delivered } else { DeliveryState::Bounced };
            prop_assert_eq!(state.deliveries[0].state, end);
        }
    }
}
