//! I16: what is collected is in exactly one window of one digest, every window that is over has exactly
//! one summary, which tells of all that it held, and nothing vanishes between them.

use super::{LATE, Origin, Report, Told, integer, number, text};
use crate::inputs::{Event, Inputs, plain};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

type Place = (String, u64);

#[derive(Default)]
struct Window {
    closes_at: i64,
    held: Vec<String>,
    closed: bool,
    summary: Option<String>,
}

#[derive(Default)]
struct Digests {
    windows: HashMap<Place, Window>,
    /// The window that an item was added to.
    added: HashMap<String, Place>,
    removed: HashSet<String>,
}

/// See the module.
pub(super) fn check(inputs: &Inputs, told: &HashMap<String, Told>, quiesced: bool, report: &mut Report) {
    let mut digests = Digests::default();
    for event in inputs.events.iter().filter(|event| event.kind == 9) {
        see(&mut digests, event, report);
    }
    items(&digests, told, report);
    summaries(&digests, told, report);
    for ((digest, number), window) in &digests.windows {
        if quiesced && !window.closed && window.closes_at + LATE < inputs.now {
            report.violate("I16", format!("window {number} of digest {digest} should have closed {} ms ago", inputs.now - window.closes_at));
        }
    }
}

fn see(digests: &mut Digests, event: &Event, report: &mut Report) {
    let place = (event.id.clone(), number(event, "window").unwrap_or(0));
    let told = format!("window {} of digest {}", place.1, place.0);
    let item = plain(text(event, "notification"));
    if event.name == "DigestOpened" {
        let window = Window { closes_at: integer(event, "closes_at").unwrap_or(0), ..Window::default() };
        if digests.windows.insert(place, window).is_some() {
            report.violate("I16", format!("{told} was opened twice"));
        }
        return;
    }
    let Some(window) = digests.windows.get_mut(&place) else {
        report.violate("I16", format!("{told} has {}, and was never opened", event.name));
        return;
    };
    if window.closed {
        report.violate("I16", format!("{told} has {} after it was closed", event.name));
    }
    match event.name.as_str() {
        "DigestItemAdded" => {
            window.closes_at = integer(event, "closes_at").unwrap_or(window.closes_at);
            window.held.push(item.clone());
            if digests.added.insert(item.clone(), place).is_some() {
                report.violate("I16", format!("{item} was collected twice"));
            }
        }
        "DigestItemRemoved" => {
            let before = window.held.len();
            window.held.retain(|held| *held != item);
            if window.held.len() == before {
                report.violate("I16", format!("{told} let {item} go, which it did not hold"));
            }
            digests.removed.insert(item);
        }
        "DigestClosed" => {
            window.closed = true;
            window.summary = event.payload.get("summary").and_then(Value::as_str).map(plain);
            let items: Vec<String> = event.payload["items"].as_array().into_iter().flatten().filter_map(Value::as_str).map(plain).collect();
            let more = number(event, "more").and_then(|more| usize::try_from(more).ok()).unwrap_or(0);
            let mut in_order = window.held.iter();
            let ordered = items.iter().all(|item| in_order.any(|held| held == item));
            if !ordered || items.len() + more != window.held.len() {
                report.violate("I16", format!("{told} closed with {} items and {more} more, and held {}", items.len(), window.held.len()));
            }
            if window.summary.is_none() != window.held.is_empty() {
                report.violate("I16", format!("{told} held {} and has the summary {:?}", window.held.len(), window.summary));
            }
        }
        _ => {}
    }
}

/// What the notifications say is what the digests say.
fn items(digests: &Digests, told: &HashMap<String, Told>, report: &mut Report) {
    for (id, notification) in told {
        match (&notification.collected, digests.added.get(id)) {
            (Some(own), Some(place)) if own == place => {}
            (None, None) => {}
            (own, place) => report.violate("I16", format!("{id} says that it was collected by {own:?}, and the digests say {place:?}")),
        }
        let (cancelled, removed) = (notification.collected.is_some() && notification.cancelled, digests.removed.contains(id));
        if cancelled != removed {
            report.violate("I16", format!("{id} was cancelled while it was collected: {cancelled}; its digest let it go: {removed}"));
        }
    }
    for item in digests.added.keys().filter(|item| !told.contains_key(*item)) {
        report.violate("I16", format!("{item} was collected and never asked for"));
    }
}

fn summaries(digests: &Digests, told: &HashMap<String, Told>, report: &mut Report) {
    let mut found: HashMap<&Place, Vec<&str>> = HashMap::new();
    for (id, notification) in told {
        if let Some(Origin::Digest(place)) = &notification.origin {
            found.entry(place).or_default().extend(std::iter::repeat_n(id.as_str(), notification.requested));
        }
    }
    for (place, window) in digests.windows.iter().filter(|(_, window)| window.closed) {
        let found = found.remove(place).unwrap_or_default();
        if !found.iter().copied().eq(window.summary.as_deref()) {
            report.violate("I16", format!("window {} of digest {} names {:?}, and is summed up by {found:?}", place.1, place.0, window.summary));
        }
    }
    for (place, found) in found {
        report.violate("I16", format!("{found:?} sum up window {} of digest {}, which is not closed", place.1, place.0));
    }
}
