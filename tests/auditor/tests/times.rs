//! What shows by the clocks of clients, nemesis and providers: planted, and caught.
#![allow(clippy::unwrap_used, missing_docs)]

use auditor::{Answer, Arrival, Event, Fault, Inputs, Report, Switch, Turn, check};
use serde_json::{Value, json};

const ID: &str = "000000000000000000000000000000aa";
const RECIPIENT: &str = "000000000000000000000000000000bb";
/// Noon of some day, in ms since the epoch.
const NOON: i64 = 1_767_268_800_000;

/// One notification to r1's mailbox, promised; times are ms after noon.
struct History(Inputs);

impl History {
    fn new() -> Self {
        let answer = Answer { key: "k".to_owned(), id: ID.to_owned(), position: "p".to_owned(), recipient: Some("r1".to_owned()), acked: Some(NOON) };
        let history = Self(Inputs { commits: vec![1], answers: vec![answer], call_within: 3_000, all_answered: true, ..Inputs::default() });
        history.event(1, "Requested", json!({ "recipient": RECIPIENT, "category": "general" })).event(1, "Queued", json!({ "delivery": 0, "channel": "email" }))
    }

    fn event(mut self, kind: u8, name: &str, payload: Value) -> Self {
        let (stream, id) = if kind == 1 { (1, ID) } else { (u64::from(kind), RECIPIENT) };
        let sequence = self.0.events.iter().filter(|event| event.stream == stream).count() as u64 + 1;
        let position = self.0.events.len() as u64 + 1;
        self.0.events.push(Event { position, stream, kind, id: id.to_owned(), sequence, name: name.to_owned(), payload, at: NOON });
        self
    }

    fn attempt(self, attempt: u32) -> Self {
        self.event(1, "AttemptStarted", json!({ "delivery": 0, "attempt": attempt }))
    }

    fn failed(self, attempt: u32) -> Self {
        self.event(1, "AttemptFailed", json!({ "delivery": 0, "attempt": attempt }))
    }

    fn sent(self, attempt: u32) -> Self {
        self.event(1, "Sent", json!({ "delivery": 0, "attempt": attempt }))
    }

    fn arrived(mut self, attempt: u32, delivered: bool, at: u32) -> Self {
        let at = format!("2026-01-01T12:00:{:02}.{:03}000Z", at / 1_000, at % 1_000);
        self.0.arrivals.push(Arrival {
            provider: "smtp".to_owned(),
            delivered,
            notification: Some(ID.to_owned()),
            delivery: Some(0),
            attempt: Some(attempt),
            at,
        });
        self
    }

    fn switched(mut self, what: Turn, at: i64) -> Self {
        self.0.switches.push(Switch { recipient: "r1".to_owned(), channel: "email".to_owned(), what, at: NOON + at, ..Switch::default() });
        self
    }

    fn opted_out(self) -> Self {
        self.event(3, "Unsubscribed", json!({ "scope": { "channel": "email" } }))
    }

    fn frozen(mut self, from: i64, to: i64) -> Self {
        self.0.faults.push(Fault { fault: "freeze_replica".to_owned(), from: NOON + from, to: NOON + to });
        self
    }

    fn report(mut self) -> Report {
        self.0.pending_checkpoint = self.0.events.len() as u64;
        check(&self.0, true)
    }

    fn finds(self, invariant: &str) {
        let report = self.report();
        assert!(report.by_invariant.contains_key(invariant), "{report:?}");
    }

    fn passes(self) {
        let report = self.report();
        assert_eq!(report.violations, 0, "{report:?}");
    }
}

#[test]
fn what_arrives_after_the_answer_to_an_opt_out_and_the_longest_call_is_found() {
    let sent = |at: u32| History::new().attempt(1).opted_out().sent(1).switched(Turn::Left, 1_000).arrived(1, true, at);
    sent(3_900).passes();
    let report = sent(9_000).report();
    assert_eq!((report.sent_after_opt_out, report.by_invariant.get("I4")), (1, Some(&1)), "{report:?}");
    sent(9_000).frozen(500, 8_000).passes();
    sent(20_000).frozen(500, 8_000).finds("I4");
}

#[test]
fn who_opts_in_again_may_get_it_from_the_moment_of_asking() {
    let back = || History::new().opted_out().event(3, "Resubscribed", json!({ "scope": { "channel": "email" } })).attempt(1).sent(1);
    back().switched(Turn::Left, 0).switched(Turn::Joining, 8_000).switched(Turn::Joined, 8_100).arrived(1, true, 9_000).passes();
    back().switched(Turn::Left, 0).switched(Turn::Joining, 9_500).switched(Turn::Joined, 9_600).arrived(1, true, 9_000).finds("I4");
}

#[test]
fn an_opt_in_that_was_not_answered_may_come_late_and_excuses_what_follows() {
    History::new().attempt(1).sent(1).switched(Turn::Joining, 0).switched(Turn::Left, 1_000).arrived(1, true, 9_000).passes();
}

#[test]
fn an_opt_out_that_was_answered_and_is_not_in_the_log_is_found() {
    let report = History::new().attempt(1).sent(1).arrived(1, true, 100).switched(Turn::Left, 200).report();
    assert_eq!((report.lost, report.by_invariant.get("I1")), (1, Some(&1)), "{report:?}");
}

#[test]
fn a_retry_that_comes_early_by_the_providers_clock_is_found() {
    let due = NOON + 5_000;
    let retried = |at: u32| {
        let mut history = History::new().attempt(1).failed(1).event(1, "RetryScheduled", json!({ "delivery": 0, "due": due })).attempt(2).sent(2);
        // A replica whose clock is ahead.
        history.0.events.iter_mut().skip(5).for_each(|event| event.at += 3_600_000);
        history.0.commits = vec![1, 6];
        history.arrived(1, false, 100).arrived(2, true, at)
    };
    retried(5_200).passes();
    retried(2_000).finds("I8");
}

#[test]
fn a_second_retry_for_one_moment_is_found() {
    let scheduled = |history: History| history.event(1, "RetryScheduled", json!({ "delivery": 0, "due": NOON }));
    scheduled(History::new().attempt(1).failed(1)).attempt(2).sent(2).arrived(2, true, 0).passes();
    scheduled(History::new().attempt(1).failed(1)).attempt(2).failed(2).attempt(3).sent(3).arrived(3, true, 0).finds("I8");
}

#[test]
fn what_nobody_was_promised_is_found() {
    let invented = |all_answered: bool| {
        let mut history = History::new().attempt(1).sent(1).arrived(1, true, 0);
        history.0.answers.clear();
        history.0.all_answered = all_answered;
        history
    };
    invented(true).finds("I2");
    invented(false).passes();
}

#[test]
fn a_parked_event_is_found() {
    let mut history = History::new().attempt(1).sent(1).arrived(1, true, 0);
    history.0.parked.push("delivery at 3: unreadable".to_owned());
    history.finds("I1");
}

#[test]
fn latency_is_told_apart_by_faults() {
    let report = History::new().attempt(1).sent(1).arrived(1, true, 250).report();
    assert_eq!((report.latency.calm.count, report.latency.calm.max, report.latency.disturbed.count), (1, 250, 0), "{report:?}");
    let report = History::new().attempt(1).sent(1).arrived(1, true, 250).frozen(-1_000, 50).report();
    assert_eq!((report.latency.calm.count, report.latency.disturbed.p99), (0, 250), "{report:?}");
}
