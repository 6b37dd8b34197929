//! Whether, when and to whom: each rule planted as broken, and caught; and kept, and passed.
#![allow(clippy::unwrap_used, missing_docs)]

use auditor::{Event, Inputs, Report, check};
use serde_json::{Value, json};

const RECIPIENT: &str = "000000000000000000000000000000bb";
const DIGEST: &str = "000000000000000000000000000000dd";
const SCHEDULE: &str = "000000000000000000000000000000ee";
/// Noon of a Thursday in London, in ms since the epoch.
const NOON: i64 = 1_767_268_800_000;

fn id(number: u8) -> String {
    format!("{number:032x}")
}

/// A log; times are ms after noon.
struct History(Inputs);

impl History {
    fn new() -> Self {
        Self(Inputs { commits: vec![1], now: NOON + 60_000, ..Inputs::default() })
    }

    fn event(mut self, at: i64, kind: u8, of: &str, name: &str, payload: Value) -> Self {
        let stream = u64::from(kind) * 1_000 + u64::from_str_radix(of, 16).unwrap_or(0) % 1_000;
        let sequence = self.0.events.iter().filter(|event| event.stream == stream).count() as u64 + 1;
        let position = self.0.events.len() as u64 + 1;
        let event = Event { position, stream, kind, id: of.to_owned(), sequence, name: name.to_owned(), payload, at: NOON + at };
        self.0.events.push(event);
        self
    }

    fn of(self, at: i64, number: u8, name: &str, payload: Value) -> Self {
        self.event(at, 1, &id(number), name, payload)
    }

    fn requested(self, number: u8, more: Value) -> Self {
        let mut payload = json!({ "recipient": RECIPIENT, "category": "orders", "priority": "normal" });
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.of(0, number, "Requested", payload)
    }

    fn deferred(self, number: u8, until: i64) -> Self {
        self.of(0, number, "Deferred", json!({ "until": NOON + until, "rule": "not_before" }))
    }

    fn queued(self, at: i64, number: u8, delivery: u16) -> Self {
        self.of(at, number, "Queued", json!({ "delivery": delivery, "channel": "email", "address": id(0xad) }))
    }

    fn attempted(self, at: i64, number: u8, delivery: u16) -> Self {
        self.of(at, number, "AttemptStarted", json!({ "delivery": delivery, "attempt": 1 }))
    }

    fn failed(self, at: i64, number: u8, delivery: u16) -> Self {
        let history = self.of(at, number, "AttemptFailed", json!({ "delivery": delivery, "attempt": 1 }));
        history.of(at, number, "Failed", json!({ "delivery": delivery }))
    }

    /// Attempted and failed: an end that wants no arrival.
    fn over(self, at: i64, number: u8, delivery: u16) -> Self {
        self.attempted(at, number, delivery).failed(at, number, delivery)
    }

    fn chose(self, name: &str, payload: Value) -> Self {
        self.event(0, 3, RECIPIENT, name, payload)
    }

    fn switched(self, on: bool, scope: Value) -> Self {
        self.chose(if on { "Resubscribed" } else { "Unsubscribed" }, json!({ "scope": scope }))
    }

    fn category(self, more: Value) -> Self {
        let mut payload = json!({ "key": "orders", "required": false, "subscribed_by_default": true });
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.event(0, 4, &id(0xca), "CategoryDefined", payload)
    }

    fn counted(self, number: u8, at: i64) -> Self {
        self.event(0, 8, &id(0xf0), "Counted", json!({ "notification": id(number), "category": "orders", "asked_at": NOON, "at": NOON + at }))
    }

    fn digest(self, at: i64, name: &str, payload: Value) -> Self {
        let mut payload = payload;
        payload["window"] = json!(1);
        self.event(at, 9, DIGEST, name, payload)
    }

    fn opened(self) -> Self {
        self.digest(0, "DigestOpened", json!({ "closes_at": NOON + 1_000 }))
    }

    fn collected(self, number: u8) -> Self {
        let history = self.requested(number, json!({})).of(0, number, "Digested", json!({ "digest": DIGEST, "window": 1 }));
        history.digest(0, "DigestItemAdded", json!({ "notification": id(number) }))
    }

    fn closed(self, items: &[u8], summary: u8) -> Self {
        let items: Vec<String> = items.iter().map(|item| id(*item)).collect();
        self.digest(1_000, "DigestClosed", json!({ "items": items, "summary": id(summary) }))
    }

    fn summed_up(self, number: u8) -> Self {
        self.requested(number, json!({ "origin": { "digest": { "digest": DIGEST, "window": 1 } } })).queued(1_000, number, 0).over(1_000, number, 0)
    }

    fn schedule(self, at: i64, name: &str, payload: Value) -> Self {
        self.event(at, 10, SCHEDULE, name, payload)
    }

    fn planned(self, next: i64) -> Self {
        self.schedule(0, "ScheduleDefined", json!({ "next": NOON + next, "terms": { "catch_up": 5_000 } }))
    }

    fn fired(self, at: i64, occurrence: i64, number: u8) -> Self {
        let origin = json!({ "origin": { "schedule": { "schedule": SCHEDULE, "occurrence": NOON + occurrence } } });
        let history = self.requested(number, origin).queued(at, number, 0).over(at, number, 0);
        history.schedule(at, "OccurrenceFired", json!({ "occurrence": NOON + occurrence, "notification": id(number) }))
    }

    fn step(self, name: &str, at: i64, payload: Value) -> Self {
        self.of(at, 1, name, payload)
    }

    fn report(&self) -> Report {
        check(&self.0, true)
    }

    #[track_caller]
    fn finds(self, invariant: &str) {
        let report = self.report();
        assert!(report.by_invariant.contains_key(invariant), "{report:?}");
    }

    /// What rows there are in other tables is not what this is about.
    #[track_caller]
    fn passes(mut self) {
        self.0.pending_checkpoint = self.0.events.len() as u64;
        let report = self.report();
        assert_eq!(report.violations, 0, "{report:?}");
    }
}

#[test]
fn what_waits_is_released_in_time_and_goes_on_to_something() {
    let waits = || History::new().requested(1, json!({ "not_before": NOON + 2_000 })).deferred(1, 2_000);
    let released = |at| waits().of(at, 1, "Released", json!({}));
    released(2_000).queued(2_000, 1, 0).over(2_100, 1, 0).passes();
    waits().of(10, 1, "Cancelled", json!({})).passes();
    let mut early = waits();
    early.0.now = NOON + 2_500;
    early.passes();
    waits().finds("I14");
    released(1_000).queued(1_000, 1, 0).over(2_100, 1, 0).finds("I14");
    waits().queued(2_000, 1, 0).over(2_100, 1, 0).finds("I14");
    released(2_000).queued(2_000, 1, 0).over(2_100, 1, 0).of(2_200, 1, "Released", json!({})).finds("I14");
    released(2_000).finds("I14");
    History::new().requested(1, json!({ "not_before": NOON + 2_000 })).queued(0, 1, 0).over(1_000, 1, 0).finds("I14");
}

#[test]
fn every_scope_of_an_opt_out_is_kept_in_its_order() {
    let sent = |history: History| history.queued(0, 1, 0).over(0, 1, 0);
    let asked = |topic: bool| History::new().requested(1, if topic { json!({ "topic": "matches" }) } else { json!({}) });
    let off = |scope: Value| asked(true).switched(false, scope);
    for scope in [
        json!("all"),
        json!({ "channel": "email" }),
        json!({ "category": "orders" }),
        json!({ "category_channel": { "category": "orders", "channel": "email" } }),
        json!({ "topic": "matches" }),
        json!({ "device": id(0xad) }),
    ] {
        sent(off(scope.clone())).finds("I4");
        sent(off(scope.clone()).switched(true, scope)).passes();
    }
    for scope in [
        json!({ "channel": "webhook" }),
        json!({ "category": "news" }),
        json!({ "category_channel": { "category": "orders", "channel": "webhook" } }),
        json!({ "topic": "weather" }),
        json!({ "device": id(0xae) }),
    ] {
        sent(off(scope)).passes();
    }
    // What was queued before, and attempted after.
    asked(false).queued(0, 1, 0).switched(false, json!({ "category": "orders" })).over(0, 1, 0).finds("I4");
    // The narrower choice about a category counts; a topic that is off is off in spite of it.
    let narrow = json!({ "category_channel": { "category": "orders", "channel": "email" } });
    sent(off(json!({ "category": "orders" })).switched(true, narrow.clone())).passes();
    sent(off(narrow.clone()).switched(true, json!({ "category": "orders" }))).finds("I4");
    sent(off(json!({ "topic": "matches" })).switched(true, narrow.clone())).finds("I4");
    sent(off(json!("all")).switched(true, narrow.clone())).finds("I4");
    // A required category passes all but a channel and a device; one that must be asked for waits for that.
    let required = |scope: Value| History::new().category(json!({ "required": true })).requested(1, json!({})).switched(false, scope);
    sent(required(json!("all"))).passes();
    sent(required(json!({ "category": "orders" }))).passes();
    sent(required(json!({ "channel": "email" }))).finds("I4");
    let opt_in = |scope: Value| History::new().category(json!({ "subscribed_by_default": false })).requested(1, json!({})).switched(true, scope);
    sent(opt_in(json!({ "category": "orders" }))).passes();
    sent(opt_in(json!("all"))).finds("I4");
}

#[test]
fn no_window_holds_more_than_its_limit() {
    let limited = |per: Value| {
        let history = History::new().category(json!({ "limits": [{ "most": 2, "per": per }] }));
        history.event(0, 2, RECIPIENT, "ProfileChanged", json!({ "recipient": RECIPIENT, "time_zone": "Asia/Seoul" }))
    };
    let sent = |history: History, number: u8, at: i64| history.requested(number, json!({})).counted(number, at).queued(at, number, 0).over(at, number, 0);
    let three = |per: Value, third: i64| sent(sent(sent(limited(per), 1, 0), 2, 1_000), 3, third);
    three(json!({ "sliding": 2_000 }), 2_000).passes();
    three(json!({ "sliding": 2_000 }), 1_999).finds("I15");
    // Noon in London is nine in the evening in Seoul.
    three(json!({ "calendar": "day" }), 3 * 3_600_000).passes();
    three(json!({ "calendar": "day" }), 3 * 3_600_000 - 1).finds("I15");
    three(json!({ "calendar": "hour" }), 3_600_000 - 1).finds("I15");
    let day = || limited(json!({ "calendar": "day" }));
    sent(day(), 1, 0).counted(1, 5).finds("I15");
    day().requested(1, json!({})).queued(0, 1, 0).over(0, 1, 0).finds("I15");
    day().requested(1, json!({ "priority": "critical" })).queued(0, 1, 0).over(0, 1, 0).passes();
    day().requested(1, json!({})).counted(1, 5_000).queued(0, 1, 0).over(1_000, 1, 0).finds("I15");
    // A place that is late holds up nobody, and an attempt that is repeated is counted once.
    day().requested(1, json!({})).counted(1, 0).queued(0, 1, 0).over(50_000, 1, 0).passes();
}

#[test]
fn a_digest_loses_and_repeats_nothing() {
    let two = || History::new().opened().collected(1).collected(2);
    two().closed(&[1, 2], 9).summed_up(9).passes();
    let taken_back = || two().of(10, 2, "Cancelled", json!({})).digest(10, "DigestItemRemoved", json!({ "notification": id(2) }));
    taken_back().closed(&[1], 9).summed_up(9).passes();
    // Lost, invented, collected twice, never closed.
    two().closed(&[1], 9).summed_up(9).finds("I16");
    two().closed(&[1, 2, 3], 9).summed_up(9).finds("I16");
    two().closed(&[2, 1], 9).summed_up(9).finds("I16");
    taken_back().closed(&[1, 2], 9).summed_up(9).finds("I16");
    two().of(10, 2, "Cancelled", json!({})).closed(&[1, 2], 9).summed_up(9).finds("I16");
    two().finds("I16");
    two().closed(&[1, 2], 9).summed_up(9).requested(3, json!({})).of(0, 3, "Digested", json!({ "digest": DIGEST, "window": 1 })).finds("I16");
    two().digest(0, "DigestItemAdded", json!({ "notification": id(1) })).closed(&[1, 2, 1], 9).summed_up(9).finds("I16");
    // After the end: an item, another end, another summary, or none.
    two().closed(&[1, 2], 9).summed_up(9).collected(3).finds("I16");
    two().closed(&[1, 2], 9).summed_up(9).closed(&[1, 2], 8).finds("I16");
    two().closed(&[1, 2], 9).summed_up(9).summed_up(8).finds("I16");
    two().closed(&[1, 2], 9).finds("I16");
    two().summed_up(9).finds("I16");
}

#[test]
fn an_occurrence_fires_once_and_is_not_lost() {
    let planned = || History::new().planned(1_000);
    planned().fired(1_000, 1_000, 1).passes();
    planned().fired(1_000, 1_000, 1).fired(1_100, 1_000, 2).finds("I17");
    planned().fired(500, 1_000, 1).finds("I17");
    planned().fired(2_000, 2_000, 1).finds("I17");
    planned().finds("I17");
    planned().schedule(1_000, "OccurrenceFired", json!({ "occurrence": NOON + 1_000, "notification": id(1) })).finds("I17");
    let origin = json!({ "origin": { "schedule": { "schedule": SCHEDULE, "occurrence": NOON + 7_000 } } });
    planned().fired(1_000, 1_000, 1).requested(2, origin).queued(0, 2, 0).over(0, 2, 0).finds("I17");
    let missed = |at: i64, from: i64| planned().schedule(at, "OccurrencesMissed", json!({ "from": NOON + from, "to": NOON + from, "count": 1 }));
    missed(6_001, 1_000).passes();
    missed(5_000, 1_000).finds("I17");
    missed(60_000, 30_000).finds("I17");
}

#[test]
fn a_later_step_is_taken_only_where_it_is_wanted() {
    let first = |when: &str| {
        let history = History::new().requested(1, json!({})).queued(0, 1, 0);
        history.step("StepScheduled", 0, json!({ "step": 1, "due": NOON + 2_000, "when": when }))
    };
    let taken = |history: History, at: i64| history.step("StepTaken", at, json!({ "step": 1 })).queued(at, 1, 1).over(at, 1, 1);
    taken(first("not_seen").over(1_000, 1, 0), 2_000).passes();
    taken(first("failed").over(1_000, 1, 0), 1_001).passes();
    first("not_seen").over(1_000, 1, 0).step("StepSkipped", 2_000, json!({ "step": 1, "rule": "already_seen" })).passes();
    // Too early, too late, unasked, unwanted.
    taken(first("not_seen"), 1_000).over(3_000, 1, 0).finds("I18");
    first("not_seen").over(1_000, 1, 0).finds("I18");
    taken(History::new().requested(1, json!({})).queued(0, 1, 0).over(0, 1, 0), 2_000).finds("I18");
    first("not_seen").over(1_000, 1, 0).queued(2_000, 1, 1).over(2_000, 1, 1).finds("I18");
    taken(first("not_seen").over(1_000, 1, 0).step("Seen", 1_500, json!({})), 2_000).finds("I18");
    taken(first("not_read").over(1_000, 1, 0).step("Read", 1_500, json!({})), 2_000).finds("I18");
    taken(first("not_read").over(1_000, 1, 0).step("Seen", 1_500, json!({})), 2_000).passes();
    taken(first("failed").attempted(1_000, 1, 0).step("Sent", 1_000, json!({ "delivery": 0, "attempt": 1 })), 2_000).finds("I18");
}

#[test]
fn nobody_is_disturbed_in_their_quiet_hours() {
    let seoul = || History::new().event(0, 2, RECIPIENT, "ProfileChanged", json!({ "recipient": RECIPIENT, "time_zone": "Asia/Seoul" }));
    let sent = |history: History, priority: &str| history.requested(1, json!({ "priority": priority })).queued(0, 1, 0).over(0, 1, 0);
    let hours = |days: &str, from: &str, to: &str| json!([{ "days": [days], "from": from, "to": to }]);
    let quiet = |days: &str, from: &str, to: &str| seoul().chose("QuietHoursChanged", json!({ "quiet_hours": hours(days, from, to) }));
    // Nine in the evening of a Thursday.
    sent(quiet("thursday", "20:00", "07:00"), "normal").finds("I19");
    sent(quiet("thursday", "20:00", "07:00"), "critical").passes();
    sent(quiet("thursday", "20:00", "07:00").category(json!({ "quiet_hours": "ignore" })), "normal").passes();
    sent(quiet("friday", "20:00", "07:00"), "normal").passes();
    sent(quiet("wednesday", "22:00", "21:30"), "normal").finds("I19");
    sent(quiet("wednesday", "22:00", "20:30"), "normal").passes();
    sent(quiet("thursday", "09:00", "15:00"), "normal").passes();
    // On the very edge the decision may have come before.
    sent(quiet("thursday", "21:00", "22:00"), "normal").passes();
    let allowed = |from: &str, to: &str| seoul().chose("QuietHoursChanged", json!({ "allowed": hours("thursday", from, to) }));
    sent(allowed("08:00", "20:00"), "normal").finds("I19");
    sent(allowed("08:00", "22:00"), "normal").passes();
    let until = |until: Option<i64>| seoul().chose("DoNotDisturbChanged", json!({ "until": until.map(|ms| NOON + ms) }));
    sent(until(Some(5_000)), "normal").finds("I19");
    sent(until(Some(-1)), "normal").passes();
    sent(until(Some(5_000)).chose("DoNotDisturbChanged", json!({})), "normal").passes();
    // A retry of what was queued before.
    let postponed = |at: i64| {
        let history = History::new().requested(1, json!({})).queued(0, 1, 0).of(0, 1, "Postponed", json!({ "delivery": 0, "until": NOON + 4_000 }));
        history.over(at, 1, 0)
    };
    postponed(4_000).passes();
    postponed(3_000).finds("I8");
}
