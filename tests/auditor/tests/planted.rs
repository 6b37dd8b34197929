//! The checker is checked: a clean history passes, and each planted fault is caught.
#![allow(clippy::unwrap_used, missing_docs)]

use auditor::{Answer, Arrival, Event, Inputs, check};
use serde_json::{Value, json};

const ID: &str = "000000000000000000000000000000aa";
const RECIPIENT: &str = "000000000000000000000000000000bb";

struct History(Inputs);

impl History {
    fn new() -> Self {
        Self(Inputs { commits: vec![1], ..Inputs::default() })
    }

    fn event(mut self, kind: u8, name: &str, payload: Value) -> Self {
        let (stream, id) = if kind == 1 { (1, ID) } else { (u64::from(kind), RECIPIENT) };
        let sequence = self.0.events.iter().filter(|event| event.stream == stream).count() as u64 + 1;
        let position = self.0.events.len() as u64 + 1;
        self.0.events.push(Event { position, stream, kind, id: id.to_owned(), sequence, name: name.to_owned(), payload, at: 1_000 });
        self
    }

    fn queued(self) -> Self {
        self.event(1, "Requested", json!({ "recipient": RECIPIENT, "category": "orders" })).event(1, "Queued", json!({ "delivery": 0, "channel": "email" }))
    }

    fn attempt(self, attempt: u32) -> Self {
        self.event(1, "AttemptStarted", json!({ "delivery": 0, "attempt": attempt }))
    }

    fn sent(self, attempt: u32) -> Self {
        self.event(1, "Sent", json!({ "delivery": 0, "attempt": attempt }))
    }

    fn arrived(mut self, attempt: u32) -> Self {
        self.0.arrivals.push(Arrival {
            provider: "smtp".to_owned(),
            delivered: true,
            notification: Some(ID.to_owned()),
            delivery: Some(0),
            attempt: Some(attempt),
            ..Arrival::default()
        });
        self
    }

    fn promised(mut self, key: &str, id: &str) -> Self {
        self.0.answers.push(Answer { key: key.to_owned(), id: id.to_owned(), position: "p".to_owned(), ..Answer::default() });
        self
    }

    fn finds(mut self, invariant: &str) {
        self.0.pending_checkpoint = self.0.events.len() as u64;
        let report = check(&self.0, true);
        assert!(report.by_invariant.contains_key(invariant), "{report:?}");
    }
}

fn clean() -> History {
    History::new().queued().attempt(1).sent(1).arrived(1).promised("k", ID)
}

#[test]
fn a_clean_history_passes() {
    let mut history = clean();
    history.0.pending_checkpoint = 4;
    let report = check(&history.0, true);
    assert_eq!((report.violations, report.accepted, report.delivered, report.lost), (0, 1, 1, 0), "{report:?}");
}

#[test]
fn an_explained_repeat_passes_and_an_unexplained_one_does_not() {
    let unknown = |history: History| {
        let history = history.event(1, "AttemptUnknown", json!({ "delivery": 0, "attempt": 1 }));
        history.event(1, "RetryScheduled", json!({ "delivery": 0, "due": 1_000 }))
    };
    let flagged = |history: History| history.event(1, "AttemptStarted", json!({ "delivery": 0, "attempt": 2, "after_unknown": true }));
    let mut explained = flagged(unknown(History::new().queued().attempt(1))).sent(2).arrived(1).arrived(2);
    explained.0.pending_checkpoint = 7;
    let report = check(&explained.0, true);
    assert_eq!((report.violations, report.repeated_explained), (0, 1), "{report:?}");
    clean().arrived(1).finds("I3");
    unknown(History::new().queued().attempt(1)).attempt(2).sent(2).arrived(2).finds("I3");
}

#[test]
fn a_promise_that_is_not_in_the_log_is_found() {
    clean().promised("other", "000000000000000000000000000000cc").finds("I1");
}

#[test]
fn a_delivery_without_end_is_found() {
    History::new().queued().finds("I1");
}

#[test]
fn two_ends_of_one_delivery_are_found() {
    clean().event(1, "Cancelled", json!({ "delivery": 0 })).finds("I1");
}

#[test]
fn sent_without_an_arrival_is_found() {
    History::new().queued().attempt(1).sent(1).finds("I1");
}

#[test]
fn an_arrival_that_the_log_does_not_know_is_found() {
    clean().arrived(7).finds("I2");
}

#[test]
fn an_attempt_after_the_opt_out_is_found() {
    let opted_out = |scope: Value| History::new().queued().event(3, "Unsubscribed", json!({ "scope": scope }));
    opted_out(json!({ "channel": "email" })).attempt(1).sent(1).arrived(1).finds("I4");
    opted_out(json!("all")).attempt(1).sent(1).arrived(1).finds("I4");
    opted_out(json!({ "category": "orders" })).attempt(1).sent(1).arrived(1).finds("I4");
    let mut other = opted_out(json!({ "channel": "webhook" })).attempt(1).sent(1).arrived(1);
    other.0.pending_checkpoint = 5;
    assert_eq!(check(&other.0, true).violations, 0);
}

#[test]
fn one_key_with_two_answers_is_found() {
    clean().promised("k", "000000000000000000000000000000cc").finds("I5");
}

#[test]
fn gaps_are_found() {
    let mut history = clean();
    history.0.events.remove(2);
    history.finds("I6");
    let mut history = clean();
    history.0.events[1].sequence = 9;
    history.finds("I6");
}

#[test]
fn a_retry_before_its_time_is_found() {
    History::new()
        .queued()
        .attempt(1)
        .event(1, "AttemptFailed", json!({ "delivery": 0, "attempt": 1 }))
        .event(1, "RetryScheduled", json!({ "delivery": 0, "due": 9_000 }))
        .attempt(2)
        .finds("I8");
}

#[test]
fn a_stale_row_of_what_is_owed_is_found() {
    let mut history = clean();
    history.0.pending.push((1, 0));
    history.finds("I1");
}

#[test]
fn an_attempt_after_the_end_is_found_unless_a_person_asked_for_it() {
    clean().attempt(1).sent(1).finds("I3");
    let dead = |history: History| history.event(1, "AttemptFailed", json!({ "delivery": 0, "attempt": 1 })).event(1, "DeadLettered", json!({ "delivery": 0 }));
    dead(History::new().queued().attempt(1)).attempt(2).sent(2).arrived(2).finds("I3");
    let mut redriven = dead(History::new().queued().attempt(1)).event(1, "Redriven", json!({ "delivery": 0 })).attempt(2).sent(2).arrived(2);
    redriven.0.pending_checkpoint = redriven.0.events.len() as u64;
    let report = check(&redriven.0, true);
    assert_eq!(report.violations, 0, "{report:?}");
}

#[test]
fn two_attempts_under_way_are_found() {
    History::new().queued().attempt(1).attempt(2).sent(2).arrived(2).finds("I3");
}
