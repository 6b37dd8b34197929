//! I4, opt-outs: by the order of the log, and by the clocks of those who saw it.

use super::world::{World, scope};
use super::{Report, Told, number, text};
use crate::inputs::{Inputs, Switch, Turn, plain};
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// For the clocks' steps and a loaded machine's way from the socket to the provider's ledger.
const SLACK: i64 = 500;

/// I4: nothing is queued, and no attempt stands in the log, above a choice that forbids it.
pub(super) fn in_the_log(inputs: &Inputs, told: &HashMap<String, Told>, report: &mut Report) {
    let mut world = World::before(inputs);
    let mut queued: HashMap<(&str, u64), (&str, String)> = HashMap::new();
    for event in &inputs.events {
        world.see(event);
        let delivery = (event.id.as_str(), number(event, "delivery").unwrap_or(0));
        let did = match (event.kind, event.name.as_str()) {
            (1, "Queued") => {
                queued.insert(delivery, (text(event, "channel"), text(event, "address").to_owned()));
                "queued"
            }
            (1, "AttemptStarted") => "attempted",
            _ => continue,
        };
        let (Some(notification), Some((channel, address))) = (told.get(&event.id), queued.get(&delivery)) else { continue };
        let Some(person) = world.choices(&notification.recipient) else { continue };
        let category = world.category(&notification.category);
        if let Some(what) = person.forbids(&category, &notification.category, channel, &notification.topic, address) {
            report.violate("I4", format!("{} was {did} on {channel} after its recipient had opted out of {what}", event.id));
        }
    }
}

/// A time during which nothing may arrive.
struct Forbidden<'a> {
    switch: &'a Switch,
    from: i64,
    until: i64,
}

impl Forbidden<'_> {
    fn covers(&self, notification: &Told, channel: &str) -> bool {
        let is = |wanted: &str, own: &str| wanted.is_empty() || wanted == own;
        is(&self.switch.channel, channel) && is(&self.switch.category, &notification.category) && is(&self.switch.topic, &notification.topic)
    }
}

/// The scope of a switch, in the log's words.
fn scope_of(switch: &Switch) -> String {
    scope(&match (switch.channel.as_str(), switch.category.as_str(), switch.topic.as_str()) {
        ("", "", "") => json!("all"),
        ("", "", topic) => json!({ "topic": topic }),
        ("", category, _) => json!({ "category": category }),
        (channel, "", _) => json!({ "channel": channel }),
        (channel, category, _) => json!({ "category_channel": { "category": category, "channel": channel } }),
    })
}

/// Nothing arrives later than the answer to an opt-out and the longest provider call. A process
/// that was stopped in between finishes its call when it goes on: that time counts as none.
/// Also: what the answers said last is what the log says last.
///
/// Who notes switches of a category and of the same category on a channel, both, is not judged by this, for one may lift
/// the other; the order of the log judges all.
pub(super) fn in_time(inputs: &Inputs, told: &HashMap<String, Told>, report: &mut Report) {
    let names: HashMap<&str, &str> =
        inputs.answers.iter().filter_map(|answer| Some((told.get(&plain(&answer.id))?.recipient.as_str(), answer.recipient.as_deref()?))).collect();
    let mut forbidden: HashMap<&str, HashMap<String, Vec<Forbidden<'_>>>> = HashMap::new();
    let mut unclear: HashSet<(&str, String)> = HashSet::new();
    let mut last: HashMap<(&str, String), Turn> = HashMap::new();
    for switch in &inputs.switches {
        let scope = scope_of(switch);
        let key = (switch.recipient.as_str(), scope.clone());
        // One that was not answered may still be on its way.
        if last.insert(key.clone(), switch.what) == Some(Turn::Joining) && switch.what != Turn::Joined {
            unclear.insert(key.clone());
        }
        let times = forbidden.entry(&switch.recipient).or_default().entry(scope).or_default();
        match switch.what {
            Turn::Left if !unclear.contains(&key) => times.push(Forbidden { switch, from: switch.at + inputs.call_within + SLACK, until: i64::MAX }),
            Turn::Joining => times.iter_mut().filter(|open| open.until == i64::MAX).for_each(|open| open.until = switch.at),
            Turn::Left | Turn::Joined => {}
        }
    }
    let stopped = |from: i64, until: i64| -> i64 {
        let frozen = inputs.faults.iter().filter(|fault| fault.fault == "freeze_replica");
        frozen.map(|fault| (fault.to.min(until) - fault.from.max(from)).max(0)).sum()
    };
    for arrival in &inputs.arrivals {
        let (Some(id), Some(delivery), Some(at)) = (&arrival.notification, arrival.delivery, arrival.millis()) else { continue };
        let Some(notification) = told.get(&plain(id)) else { continue };
        let (Some(name), Some(channel)) = (names.get(notification.recipient.as_str()), notification.channels.get(&delivery)) else { continue };
        let mut times = forbidden.get(name).into_iter().flat_map(|times| times.values().flatten()).filter(|time| time.covers(notification, channel));
        if times.any(|time| time.from + stopped(time.from - inputs.call_within, at) < at && at < time.until) {
            report.sent_after_opt_out += 1;
            report.violate("I4", format!("{id} arrived at {} on {channel} after {name} was told that the opt-out holds", arrival.at));
        }
    }
    lost(inputs, &names, &last, &unclear, report);
}

/// An opt-out that was answered last, and which the log does not have.
fn lost(inputs: &Inputs, names: &HashMap<&str, &str>, last: &HashMap<(&str, String), Turn>, unclear: &HashSet<(&str, String)>, report: &mut Report) {
    let mut off: HashSet<(&str, String)> = HashSet::new();
    for event in inputs.events.iter().filter(|event| event.kind == 3) {
        let Some(name) = names.get(event.id.as_str()) else { continue };
        let key = (*name, scope(&event.payload["scope"]));
        match event.name.as_str() {
            "Unsubscribed" => drop(off.insert(key)),
            "Resubscribed" => drop(off.remove(&key)),
            _ => {}
        }
    }
    let known: HashSet<&str> = names.values().copied().collect();
    for (key, turn) in last {
        if *turn == Turn::Left && known.contains(key.0) && !unclear.contains(key) && !off.contains(key) {
            report.lost += 1;
            report.violate("I1", format!("the opt-out of {} from {} was promised and is not in the log", key.0, key.1));
        }
    }
}
