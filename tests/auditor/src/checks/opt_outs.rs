//! I4, opt-outs: by the order of the log, and by the clocks of those who saw it.

use super::{Report, Told, number, text};
use crate::inputs::{Inputs, Turn, plain};
use std::collections::{HashMap, HashSet};

/// For the clocks' steps and a loaded machine's way from the socket to the provider's ledger.
const SLACK: i64 = 500;

/// I4: no attempt stands in the log above an opt-out that covers it.
pub(super) fn in_the_log(inputs: &Inputs, told: &HashMap<String, Told>, report: &mut Report) {
    let mut off: HashMap<&str, HashSet<String>> = HashMap::new();
    let mut required: HashSet<&str> = HashSet::new();
    let mut channels: HashMap<(&str, u64), &str> = HashMap::new();
    for event in &inputs.events {
        match (event.kind, event.name.as_str()) {
            (4, "CategoryDefined") => {
                if event.payload.get("required") == Some(&serde_json::Value::Bool(true)) {
                    required.insert(text(event, "key"));
                } else {
                    required.remove(text(event, "key"));
                }
            }
            (3, "Unsubscribed") => {
                off.entry(&event.id).or_default().insert(event.payload["scope"].to_string());
            }
            (3, "Resubscribed") => {
                off.entry(&event.id).or_default().remove(&event.payload["scope"].to_string());
            }
            (1, "Queued") => {
                channels.insert((&event.id, number(event, "delivery").unwrap_or(0)), text(event, "channel"));
            }
            (1, "AttemptStarted") => {
                let Some(notification) = told.get(&event.id) else { continue };
                let Some(switched_off) = off.get(notification.recipient.as_str()) else { continue };
                let channel = channels.get(&(event.id.as_str(), number(event, "delivery").unwrap_or(0))).copied().unwrap_or_default();
                let by_channel = switched_off.contains(&serde_json::json!({ "channel": channel }).to_string());
                let by_category =
                    switched_off.contains("\"all\"") || switched_off.contains(&serde_json::json!({ "category": notification.category }).to_string());
                if by_channel || (by_category && !required.contains(notification.category.as_str())) {
                    report.violate("I4", format!("{} was attempted on {channel} after its recipient had opted out", event.id));
                }
            }
            _ => {}
        }
    }
}

/// A time during which nothing may arrive.
struct Forbidden {
    from: i64,
    until: i64,
}

/// Nothing arrives later than the answer to an opt-out and the longest provider call. A process
/// that was stopped in between finishes its call when it goes on: that time counts as none.
/// Also: what the answers said last is what the log says last.
pub(super) fn in_time(inputs: &Inputs, told: &HashMap<String, Told>, report: &mut Report) {
    let names: HashMap<&str, &str> =
        inputs.answers.iter().filter_map(|answer| Some((told.get(&plain(&answer.id))?.recipient.as_str(), answer.recipient.as_deref()?))).collect();
    let mut forbidden: HashMap<(&str, &str), Vec<Forbidden>> = HashMap::new();
    let mut unclear: HashSet<(&str, &str)> = HashSet::new();
    let mut last: HashMap<(&str, &str), Turn> = HashMap::new();
    for switch in &inputs.switches {
        let key = (switch.recipient.as_str(), switch.channel.as_str());
        // One that was not answered may still be on its way.
        if last.insert(key, switch.what) == Some(Turn::Joining) && switch.what != Turn::Joined {
            unclear.insert(key);
        }
        match switch.what {
            Turn::Left if !unclear.contains(&key) => {
                let until = i64::MAX;
                forbidden.entry(key).or_default().push(Forbidden { from: switch.at + inputs.call_within + SLACK, until });
            }
            Turn::Joining => {
                for open in forbidden.entry(key).or_default().iter_mut().filter(|open| open.until == i64::MAX) {
                    open.until = switch.at;
                }
            }
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
        let times = forbidden.get(&(*name, channel.as_str())).map_or(&[][..], Vec::as_slice);
        if times.iter().any(|time| time.from + stopped(time.from - inputs.call_within, at) < at && at < time.until) {
            report.sent_after_opt_out += 1;
            report.violate("I4", format!("{id} arrived at {} on {channel} after {name} was told that the opt-out holds", arrival.at));
        }
    }
    lost(inputs, &names, &last, &unclear, report);
}

/// An opt-out that was answered last, and which the log does not have.
fn lost(inputs: &Inputs, names: &HashMap<&str, &str>, last: &HashMap<(&str, &str), Turn>, unclear: &HashSet<(&str, &str)>, report: &mut Report) {
    let mut off: HashSet<(&str, String)> = HashSet::new();
    for event in inputs.events.iter().filter(|event| event.kind == 3) {
        let Some(name) = names.get(event.id.as_str()) else { continue };
        let channel = event.payload["scope"]["channel"].as_str().unwrap_or_default().to_owned();
        match event.name.as_str() {
            "Unsubscribed" => drop(off.insert((name, channel))),
            "Resubscribed" => drop(off.remove(&(*name, channel))),
            _ => {}
        }
    }
    let known: HashSet<&str> = names.values().copied().collect();
    for ((name, channel), turn) in last {
        let key = (*name, (*channel).to_owned());
        if *turn == Turn::Left && known.contains(name) && !unclear.contains(&(*name, *channel)) && !off.contains(&key) {
            report.lost += 1;
            report.violate("I1", format!("the opt-out of {name} from {channel} was promised and is not in the log"));
        }
    }
}
