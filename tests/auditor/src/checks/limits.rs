//! I15: no window holds more places than its limit allows, each notification takes one at most, and
//! whatever goes out of a limited category has one and is called for no earlier than it.
//!
//! A call may come later than its place (a provider that was down, a retry): calls that were put off may meet, and
//! count where their place is. Rejected: to count the calls by their own moments. A provider's outage
//! would be a violation then.

use super::world::{Limit, Per, Person, World};
use super::{Report, TOLERANCE, Told, integer, text};
use crate::inputs::{Event, Inputs, plain};
use std::collections::{HashMap, HashSet};

#[derive(Default)]
struct Places<'a> {
    of: HashMap<String, i64>,
    taken: HashMap<(&'a str, &'a str), Vec<i64>>,
    called: HashSet<&'a str>,
}

/// See the module.
pub(super) fn check(inputs: &Inputs, told: &HashMap<String, Told>, report: &mut Report) {
    let mut world = World::before(inputs);
    let mut places = Places::default();
    for event in &inputs.events {
        world.see(event);
        match (event.kind, event.name.as_str()) {
            (8, "PlaceFreed") => freed(&mut places, event, told, report),
            (8, "Counted") => counted(&mut places, &world, event, told, report),
            (1, "AttemptStarted") => called(&mut places, &world, event, told, report),
            _ => {}
        }
    }
}

fn counted<'a>(places: &mut Places<'a>, world: &World<'_>, event: &Event, told: &'a HashMap<String, Told>, report: &mut Report) {
    let Some(at) = integer(event, "at") else { return };
    let id = plain(text(event, "notification"));
    if places.of.insert(id.clone(), at).is_some() {
        report.violate("I15", format!("{id} was counted twice"));
    }
    let Some(notification) = told.get(&id) else { return };
    let taken = places.taken.entry((&notification.recipient, &notification.category)).or_default();
    taken.push(at);
    let nobody = Person::default();
    let person = world.choices(&notification.recipient).unwrap_or(&nobody);
    for limit in &world.category(&notification.category).limits {
        let most = fullest(taken, limit, person, at);
        if most > limit.most {
            report.violate("I15", format!("{id} is number {most} in a window of {:?} around {at}, which allows {}", limit.per, limit.most));
        }
    }
}

/// Who is taken back while it waits gives its place back, and only that one.
fn freed<'a>(places: &mut Places<'a>, event: &Event, told: &'a HashMap<String, Told>, report: &mut Report) {
    let id = plain(text(event, "notification"));
    let Some(at) = places.of.remove(&id) else {
        return report.violate("I15", format!("{id} gave a place back that it did not have"));
    };
    let Some(notification) = told.get(&id) else { return };
    if !notification.cancelled {
        report.violate("I15", format!("{id} gave its place back, and was not taken back"));
    }
    let taken = places.taken.entry((&notification.recipient, &notification.category)).or_default();
    if let Some(place) = taken.iter().position(|place| *place == at) {
        taken.swap_remove(place);
    }
}

/// Places in the fullest window of a limit that holds this one.
fn fullest(taken: &[i64], limit: &Limit, person: &Person, at: i64) -> usize {
    match &limit.per {
        Per::Calendar(period) => {
            let own = person.period(period, at);
            taken.iter().filter(|place| (at - **place).abs() < 32 * 86_400_000 && person.period(period, **place) == own).count()
        }
        Per::Sliding(millis) => {
            let starts = taken.iter().filter(|start| **start <= at && at - **start < *millis);
            starts.map(|start| taken.iter().filter(|place| (*start..start.saturating_add(*millis)).contains(*place)).count()).max().unwrap_or(0)
        }
    }
}

fn called<'a>(places: &mut Places<'a>, world: &World<'_>, event: &'a Event, told: &HashMap<String, Told>, report: &mut Report) {
    let Some(notification) = told.get(&event.id).filter(|notification| notification.priority != "critical") else { return };
    if world.category(&notification.category).limits.is_empty() || !places.called.insert(&event.id) {
        return;
    }
    match places.of.get(&event.id) {
        None => report.violate("I15", format!("{} goes out, and was not counted", event.id)),
        Some(at) if event.at + TOLERANCE < *at => report.violate("I15", format!("{} goes out at {}, and its place is at {at}", event.id, event.at)),
        Some(_) => {}
    }
}
