//! The invariants, each over plain records.

mod digests;
mod latency;
mod limits;
mod opt_outs;
mod pauses;
mod plans;
mod quiet;
mod schedules;
mod waiting;
mod world;

pub use latency::Latency;

use crate::inputs::{Event, Inputs, plain};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Examples kept of each invariant.
const EXAMPLES: usize = 20;
/// For the steps of the clocks: two replicas may differ by half of what their database's answer takes.
const TOLERANCE: i64 = 50;
/// What is so late when all has come to rest is late for good.
const LATE: i64 = 10_000;

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Notifications that the client was promised.
    pub accepted: usize,
    /// Deliveries that arrived at a provider's device or mailbox.
    pub delivered: usize,
    /// Promised and not in the log, or recorded as sent and never arrived.
    pub lost: usize,
    /// Arrivals beyond the first that no recorded unknown outcome explains.
    pub repeated_unexplained: usize,
    /// Repeats that a recorded unknown outcome explains.
    pub repeated_explained: usize,
    /// Arrivals of what its recipient had opted out of.
    pub sent_after_opt_out: usize,
    /// From the client's answer to the first arrival.
    pub latency: Latency,
    /// How often what was not sent at once went each way, by event: told and not judged.
    pub decided: BTreeMap<String, usize>,
    /// Events in the log.
    pub events: usize,
    /// All violations.
    pub violations: usize,
    /// Violations by invariant.
    pub by_invariant: BTreeMap<&'static str, usize>,
    /// Some of them, in words.
    pub examples: Vec<String>,
}

impl Report {
    fn violate(&mut self, invariant: &'static str, what: String) {
        self.violations += 1;
        let count = self.by_invariant.entry(invariant).or_default();
        *count += 1;
        if *count <= EXAMPLES {
            self.examples.push(format!("{invariant}: {what}"));
        }
    }
}

/// A delivery's life as the log tells it.
#[derive(Debug, Default)]
struct Life {
    provider_channel: bool,
    ended: Option<String>,
    ends: usize,
    attempts: HashSet<u32>,
    unknown: usize,
    last_unknown: bool,
    sent: usize,
    due: Option<i64>,
    open: Option<u32>,
    unscheduled: bool,
    pauses: Vec<pauses::Pause>,
}

#[derive(Debug, Default)]
struct Told {
    requested: usize,
    recipient: String,
    category: String,
    lives: BTreeMap<u16, Life>,
    channels: BTreeMap<u16, String>,
    suppressed: bool,
    priority: String,
    topic: String,
    origin: Option<Origin>,
    /// The window that collected it.
    collected: Option<(String, u64)>,
    /// It was taken back as a whole.
    cancelled: bool,
    /// It was taken back or too late as a whole, waited, or was collected.
    held: bool,
}

/// What made a notification that nobody asked for.
#[derive(Debug, PartialEq, Eq)]
enum Origin {
    /// The window of a digest.
    Digest((String, u64)),
    /// The occurrence of a schedule.
    Schedule(String, i64),
}

fn origin(event: &Event) -> Option<Origin> {
    let origin = event.payload.get("origin")?;
    let named = |kind: &str, field: &str| origin.get(kind)?.get(field)?.as_str().map(plain);
    if let (Some(digest), Some(window)) = (named("digest", "digest"), origin["digest"]["window"].as_u64()) {
        return Some(Origin::Digest((digest, window)));
    }
    Some(Origin::Schedule(named("schedule", "schedule")?, origin["schedule"]["occurrence"].as_i64()?))
}

const DECIDED: [&str; 12] = [
    "Deferred",
    "Released",
    "Postponed",
    "Digested",
    "DigestItemRemoved",
    "DigestClosed",
    "Counted",
    "StepScheduled",
    "StepTaken",
    "StepSkipped",
    "OccurrenceFired",
    "OccurrencesMissed",
];
const ENDS: [&str; 7] = ["Sent", "Failed", "Cancelled", "Expired", "DeadLettered", "Discarded", "Suppressed"];

/// Checks everything. `quiesced`: faults have ended and everything was given time to finish.
pub fn check(inputs: &Inputs, quiesced: bool) -> Report {
    let mut report = Report { events: inputs.events.len(), ..Report::default() };
    streams(inputs, &mut report);
    let told = lives(inputs, &mut report);
    conservation(inputs, &told, quiesced, &mut report);
    answers(inputs, &told, &mut report);
    arrivals(inputs, &told, &mut report);
    opt_outs::in_the_log(inputs, &told, &mut report);
    opt_outs::in_time(inputs, &told, &mut report);
    pauses::kept(inputs, &told, &mut report);
    for event in inputs.events.iter().filter(|event| DECIDED.contains(&event.name.as_str())) {
        *report.decided.entry(event.name.clone()).or_default() += 1;
    }
    waiting::check(inputs, quiesced, &mut report);
    digests::check(inputs, &told, quiesced, &mut report);
    limits::check(inputs, &told, &mut report);
    schedules::check(inputs, &told, quiesced, &mut report);
    plans::check(inputs, quiesced, &mut report);
    quiet::check(inputs, &told, &mut report);
    report.latency = latency::measure(inputs, &told);
    report
}

/// I6: positions and sequences without gaps, and every event in a commit.
fn streams(inputs: &Inputs, report: &mut Report) {
    let mut sequences: HashMap<u64, u64> = HashMap::new();
    for (index, event) in inputs.events.iter().enumerate() {
        let expected = inputs.after + index as u64 + 1;
        if event.position != expected {
            report.violate("I6", format!("position {} stands where {expected} should", event.position));
            break;
        }
        let expected = sequences.entry(event.stream).or_default();
        *expected += 1;
        if event.sequence != *expected {
            report.violate("I6", format!("stream {} has sequence {} where {expected} should be", event.stream, event.sequence));
            *expected = event.sequence;
        }
        if event.kind == 0 || event.name.is_empty() {
            report.violate("I6", format!("the event at {} is of a stream or type that is not there", event.position));
        }
    }
    let head = inputs.events.last().map_or(0, |event| event.position);
    for commit in inputs.commits.iter().filter(|commit| **commit > head) {
        report.violate("I6", format!("a commit begins at {commit}, the log ends at {head}"));
    }
    if let Some(first) = inputs.events.first()
        && inputs.commits.first().is_none_or(|commit| *commit > first.position)
    {
        report.violate("I6", "the first event belongs to no commit".to_owned());
    }
}

fn number(event: &Event, field: &str) -> Option<u64> {
    event.payload.get(field).and_then(serde_json::Value::as_u64)
}

fn integer(event: &Event, field: &str) -> Option<i64> {
    event.payload.get(field).and_then(serde_json::Value::as_i64)
}

fn text<'a>(event: &'a Event, field: &str) -> &'a str {
    event.payload.get(field).and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// Folds the notifications' events; I8 and the order within a delivery are checked on the way.
fn lives(inputs: &Inputs, report: &mut Report) -> HashMap<String, Told> {
    let mut told: HashMap<String, Told> = HashMap::new();
    for event in inputs.events.iter().filter(|event| event.kind == 1) {
        let notification = told.entry(event.id.clone()).or_default();
        let delivery = number(event, "delivery").and_then(|number| u16::try_from(number).ok());
        match (event.name.as_str(), delivery) {
            ("Requested", _) => {
                notification.requested += 1;
                notification.recipient = plain(text(event, "recipient"));
                notification.category = text(event, "category").to_owned();
                notification.priority = text(event, "priority").to_owned();
                notification.topic = text(event, "topic").to_owned();
                notification.origin = origin(event);
            }
            ("Queued", Some(delivery)) => {
                let life = Life { provider_channel: text(event, "channel") != "in_app", ..Life::default() };
                notification.channels.insert(delivery, text(event, "channel").to_owned());
                if notification.lives.insert(delivery, life).is_some() {
                    report.violate("I1", format!("{} queued delivery {delivery} twice", event.id));
                }
            }
            ("Suppressed", None) => notification.suppressed = true,
            ("Deferred" | "Expired", None) => notification.held = true,
            ("Cancelled", None) => (notification.held, notification.cancelled) = (true, true),
            ("Digested", None) => {
                notification.held = true;
                if notification.collected.replace((plain(text(event, "digest")), number(event, "window").unwrap_or(0))).is_some() {
                    report.violate("I16", format!("{} was collected twice", event.id));
                }
            }
            (name, Some(delivery)) => match notification.lives.get_mut(&delivery) {
                Some(life) => of_delivery(life, name, event, report),
                None => report.violate("I1", format!("{} has {name} for delivery {delivery} that was never queued", event.id)),
            },
            _ => {}
        }
    }
    told
}

fn of_delivery(life: &mut Life, name: &str, event: &Event, report: &mut Report) {
    let attempt = number(event, "attempt").and_then(|number| u32::try_from(number).ok()).unwrap_or(0);
    let id = &event.id;
    match name {
        "AttemptStarted" => {
            if life.ended.is_some() {
                report.violate("I3", format!("{id} attempt {attempt} after its end"));
            }
            if life.open.is_some() {
                report.violate("I3", format!("{id} attempt {attempt} while another had no outcome"));
            }
            if !life.attempts.insert(attempt) {
                report.violate("I3", format!("{id} attempt {attempt} twice"));
            }
            if life.due.is_some_and(|due| event.at + 50 < due) {
                report.violate("I8", format!("{id} attempt {attempt} at {} before it was due at {}", event.at, life.due.unwrap_or(0)));
            }
            if life.last_unknown && event.payload.get("after_unknown") != Some(&serde_json::Value::Bool(true)) {
                report.violate("I3", format!("{id} attempt {attempt} repeats an unknown one and is not flagged"));
            }
            if life.unscheduled {
                report.violate("I8", format!("{id} attempt {attempt} follows a failed one, and no retry was scheduled"));
            }
            life.due = None;
            life.open = Some(attempt);
        }
        "AttemptUnknown" => {
            life.unknown += 1;
            life.last_unknown = true;
            life.open = None;
            life.unscheduled = true;
        }
        "AttemptFailed" => {
            life.last_unknown = false;
            life.open = None;
            life.unscheduled = true;
        }
        "Held" => {
            life.open = None;
            life.unscheduled = false;
            // A call that was not made may be made at once.
            let until = event.payload.get("until").and_then(serde_json::Value::as_i64);
            life.due = until.filter(|_| text(event, "reason") != "not_made");
        }
        "RetryScheduled" => {
            life.unscheduled = false;
            life.due = event.payload.get("due").and_then(serde_json::Value::as_i64);
            life.pauses.extend(life.attempts.iter().max().zip(life.due).map(|(after, due)| pauses::Pause { after: *after, ms: due - event.at }));
        }
        "Postponed" => life.due = integer(event, "until"),
        "Redriven" => {
            life.ended = None;
            life.ends = 0;
            life.unscheduled = false;
        }
        end if ENDS.contains(&end) => {
            if end == "Sent" {
                life.sent += 1;
                if life.provider_channel && life.open != Some(attempt) {
                    report.violate("I2", format!("{id} sent by attempt {attempt} that was not under way"));
                }
            }
            // Giving up a dead letter ends what had ended.
            life.ends += usize::from(!(end == "Discarded" && life.ended.as_deref() == Some("DeadLettered")));
            life.ended = Some(end.to_owned());
            life.open = None;
            if life.ends > 1 {
                report.violate("I1", format!("{id} delivery {:?} ended {} times", event.payload.get("delivery"), life.ends));
            }
        }
        _ => {}
    }
}

/// I1: each notification was requested once and decided; each delivery has one end or is owed.
fn conservation(inputs: &Inputs, told: &HashMap<String, Told>, quiesced: bool, report: &mut Report) {
    let numbers: HashMap<u64, &str> = inputs.events.iter().filter(|event| event.kind == 1).map(|event| (event.stream, event.id.as_str())).collect();
    for (id, notification) in told {
        if notification.requested != 1 {
            report.violate("I1", format!("{id} was requested {} times", notification.requested));
        }
        if notification.lives.is_empty() && !notification.suppressed && !notification.held {
            report.violate("I1", format!("{id} is neither queued nor suppressed"));
        }
        for (delivery, life) in &notification.lives {
            if quiesced && life.ended.is_none() {
                report.violate("I1", format!("{id} delivery {delivery} is still owed"));
            }
        }
    }
    if inputs.pending_checkpoint == inputs.after + inputs.events.len() as u64 {
        for (stream, delivery) in &inputs.pending {
            let life = numbers.get(stream).and_then(|id| told.get(*id)).and_then(|told| told.lives.get(delivery));
            if life.is_none_or(|life| life.ended.is_some()) {
                report.violate("I1", format!("stream {stream} delivery {delivery} is in the table of what is owed and is not"));
            }
        }
        let owed: usize = told.values().flat_map(|told| told.lives.values()).filter(|life| life.ended.is_none()).count();
        if owed != inputs.pending.len() {
            report.violate("I1", format!("{owed} deliveries are owed, the table has {}", inputs.pending.len()));
        }
    }
}

/// I1 and I5: what the client was promised is in the log, and one key is one notification.
fn answers(inputs: &Inputs, told: &HashMap<String, Told>, report: &mut Report) {
    let mut by_key: HashMap<&str, (&str, &str)> = HashMap::new();
    let mut promised: HashSet<String> = HashSet::new();
    for answer in &inputs.answers {
        let first = by_key.entry(&answer.key).or_insert((&answer.id, &answer.position));
        if *first != (answer.id.as_str(), answer.position.as_str()) {
            report.violate("I5", format!("key {} was answered with {} and {}", answer.key, first.0, answer.id));
        }
        let id = plain(&answer.id);
        if promised.insert(id.clone()) && told.get(&id).is_none_or(|told| told.requested != 1) {
            report.lost += 1;
            report.violate("I1", format!("{id} was promised and is not in the log"));
        }
    }
    report.accepted = promised.len();
    let asked = told.iter().filter(|(_, notification)| notification.origin.is_none()).map(|(id, _)| id);
    for id in asked.filter(|id| inputs.all_answered && !promised.contains(*id)) {
        report.violate("I2", format!("{id} is in the log, and no answer named it"));
    }
    for parked in &inputs.parked {
        report.violate("I1", format!("an event was parked that nobody had spoilt: {parked}"));
    }
}

/// I2 and I3: every arrival is of a recorded attempt, and repeats are explained.
fn arrivals(inputs: &Inputs, told: &HashMap<String, Told>, report: &mut Report) {
    let mut delivered: HashMap<(String, u16), usize> = HashMap::new();
    for arrival in &inputs.arrivals {
        let (Some(id), Some(delivery), Some(attempt)) = (&arrival.notification, arrival.delivery, arrival.attempt) else {
            // What is refused before its content was read (an SMTP recipient) carries no ids.
            if arrival.delivered {
                report.violate("I2", format!("an arrival at {} names no attempt", arrival.provider));
            }
            continue;
        };
        let id = plain(id);
        let life = told.get(&id).and_then(|told| told.lives.get(&delivery));
        if life.is_none_or(|life| !life.attempts.contains(&attempt)) {
            report.violate("I2", format!("{id} delivery {delivery} attempt {attempt} arrived at {} and is not in the log", arrival.provider));
        }
        if arrival.delivered {
            *delivered.entry((id, delivery)).or_default() += 1;
        }
    }
    report.delivered = delivered.len();
    for ((id, delivery), count) in &delivered {
        let unknown = told.get(id).and_then(|told| told.lives.get(delivery)).map_or(0, |life| life.unknown);
        let repeats = count - 1;
        let explained = repeats.min(unknown);
        report.repeated_explained += explained;
        if repeats > explained {
            report.repeated_unexplained += repeats - explained;
            report.violate("I3", format!("{id} delivery {delivery} arrived {count} times with {unknown} unknown outcomes"));
        }
    }
    for (id, notification) in told {
        for (delivery, life) in &notification.lives {
            if life.provider_channel && life.sent > 0 && !delivered.contains_key(&(id.clone(), *delivery)) {
                report.lost += 1;
                report.violate("I1", format!("{id} delivery {delivery} is recorded as sent and never arrived"));
            }
        }
    }
}
