//! I17: each occurrence of a schedule fires at most once, none before its time, and none is lost: what
//! was promised as the next run is fired, or said to be missed, which is true of what is too late.

use super::{LATE, Origin, Report, TOLERANCE, Told, integer, text};
use crate::inputs::{Event, Inputs, plain};
use std::collections::{HashMap, HashSet};

#[derive(Default)]
struct Schedule {
    next: Option<i64>,
    catch_up: i64,
    fired: HashSet<i64>,
}

/// See the module.
pub(super) fn check(inputs: &Inputs, told: &HashMap<String, Told>, quiesced: bool, report: &mut Report) {
    let mut schedules: HashMap<&str, Schedule> = HashMap::new();
    for event in inputs.events.iter().filter(|event| event.kind == 10) {
        see(schedules.entry(&event.id).or_default(), event, told, report);
    }
    for (id, schedule) in &schedules {
        if let Some(next) = schedule.next.filter(|next| quiesced && next + LATE < inputs.now) {
            report.violate("I17", format!("schedule {id} should have fired {} ms ago", inputs.now - next));
        }
    }
    for (id, notification) in told {
        let Some(Origin::Schedule(schedule, occurrence)) = &notification.origin else { continue };
        if !schedules.get(schedule.as_str()).is_some_and(|schedule| schedule.fired.contains(occurrence)) {
            report.violate("I17", format!("{id} names the occurrence {occurrence} of schedule {schedule}, which did not fire"));
        }
    }
}

fn see(schedule: &mut Schedule, event: &Event, told: &HashMap<String, Told>, report: &mut Report) {
    let id = &event.id;
    let next = integer(event, "next");
    match event.name.as_str() {
        "ScheduleDefined" | "ScheduleChanged" => schedule.catch_up = event.payload["terms"]["catch_up"].as_i64().unwrap_or(i64::MAX),
        "OccurrenceFired" => {
            let occurrence = integer(event, "occurrence").unwrap_or(0);
            if !schedule.fired.insert(occurrence) {
                report.violate("I17", format!("schedule {id} fired {occurrence} twice"));
            }
            if event.at + TOLERANCE < occurrence {
                report.violate("I17", format!("schedule {id} fired {occurrence} at {}", event.at));
            }
            if schedule.next.is_some_and(|promised| promised != occurrence) {
                report.violate("I17", format!("schedule {id} fired {occurrence} where {:?} was next", schedule.next));
            }
            let made = told.get(&plain(text(event, "notification"))).filter(|made| made.requested == 1).and_then(|made| made.origin.as_ref());
            if !matches!(made, Some(Origin::Schedule(own, moment)) if own == id && *moment == occurrence) {
                report.violate("I17", format!("schedule {id} fired {occurrence}, and its notification is not there"));
            }
        }
        "OccurrencesMissed" => {
            let (from, to) = (integer(event, "from").unwrap_or(0), integer(event, "to").unwrap_or(0));
            if schedule.next.is_some_and(|promised| promised != from) {
                report.violate("I17", format!("schedule {id} missed {from} where {:?} was next", schedule.next));
            }
            // A later one that is made up for makes up for those before it too.
            if next.is_none_or(|next| next > event.at) && event.at - to <= schedule.catch_up {
                report.violate("I17", format!("schedule {id} missed {to}, and was {} ms late only", event.at - to));
            }
        }
        _ => {}
    }
    schedule.next = next;
}
