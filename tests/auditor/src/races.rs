//! Who won: of sends and opt-outs of the same thing at the same time, by the order of the log alone.
//!
//! Told, so that it is seen that both happen; what must not happen is judged here too, once more and by another
//! way than I4: a race names the notification and the choice, and nothing else has to be folded.

use crate::inputs::{Event, Inputs, plain};
use serde_json::Value;
use std::collections::HashMap;

/// A notification, and the choice that was made against it meanwhile.
#[derive(Debug, Clone)]
pub struct Race {
    /// The notification, as it was answered.
    pub notification: String,
    /// The scope of the choice, as the log has it.
    pub scope: Value,
    /// When the choice was answered (ms since the epoch).
    pub answered: i64,
}

/// How races went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// An attempt was recorded before the choice.
    pub send_won: usize,
    /// None was, and none came after.
    pub opt_out_won: usize,
    /// Of these: those that had been queued before the choice.
    pub caught_in_queue: usize,
    /// An attempt was recorded above the choice: there must be none.
    pub attempted_after: usize,
    /// The notification or the choice is not in the log: there must be none.
    pub unknown: usize,
    /// How long after the answer to its choice the latest arrived, of calls that began before it, in ms.
    pub latest: i64,
}

impl Tally {
    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            send_won: self.send_won + other.send_won,
            opt_out_won: self.opt_out_won + other.opt_out_won,
            caught_in_queue: self.caught_in_queue + other.caught_in_queue,
            attempted_after: self.attempted_after + other.attempted_after,
            unknown: self.unknown + other.unknown,
            latest: self.latest.max(other.latest),
        }
    }
}

/// Where a notification's events stand.
#[derive(Default)]
struct Places<'a> {
    recipient: &'a str,
    queued: Option<u64>,
    first_attempt: Option<u64>,
    last_attempt: Option<u64>,
}

fn places(events: &[Event]) -> HashMap<&str, Places<'_>> {
    let mut all: HashMap<&str, Places<'_>> = HashMap::new();
    for event in events.iter().filter(|event| event.kind == 1) {
        let places = all.entry(&event.id).or_default();
        match event.name.as_str() {
            "Requested" => places.recipient = event.payload["recipient"].as_str().unwrap_or_default(),
            "Queued" => places.queued = Some(event.position),
            "AttemptStarted" => {
                places.first_attempt.get_or_insert(event.position);
                places.last_attempt = Some(event.position);
            }
            _ => {}
        }
    }
    all
}

/// Counts races by who won. Each choice is made once.
pub fn tally(inputs: &Inputs, races: &[Race]) -> Tally {
    let places = places(&inputs.events);
    let left = inputs.events.iter().filter(|event| event.kind == 3 && event.name == "Unsubscribed");
    let mut choices: HashMap<&str, Vec<(&Value, u64)>> = HashMap::new();
    left.for_each(|event| choices.entry(&event.id).or_default().push((&event.payload["scope"], event.position)));
    let arrived: HashMap<&str, i64> = inputs.arrivals.iter().filter_map(|arrival| Some((arrival.notification.as_deref()?, arrival.millis()?))).collect();
    let mut tally = Tally::default();
    for race in races {
        tally.latest = arrived.get(race.notification.as_str()).map_or(tally.latest, |at| tally.latest.max(at - race.answered));
        let sent = places.get(plain(&race.notification).as_str());
        let own = sent.and_then(|sent| choices.get(plain(sent.recipient).as_str())).into_iter().flatten();
        let chosen = own.filter(|(scope, _)| **scope == race.scope).map(|(_, place)| *place).next();
        let (Some(sent), Some(chosen)) = (sent, chosen) else {
            tally.unknown += 1;
            continue;
        };
        let before = |place: Option<u64>| place.is_some_and(|place| place < chosen);
        tally.attempted_after += usize::from(sent.last_attempt.is_some_and(|place| place > chosen));
        if before(sent.first_attempt) {
            tally.send_won += 1;
        } else if sent.last_attempt.is_none() {
            tally.opt_out_won += 1;
            tally.caught_in_queue += usize::from(before(sent.queued));
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(position: u64, kind: u8, id: &str, name: &str, payload: Value) -> Event {
        Event { position, stream: 1, kind, id: id.to_owned(), sequence: 1, name: name.to_owned(), payload, at: 0 }
    }

    /// The events of one race in this order; how it went.
    fn went(names: &[&str]) -> Tally {
        let scope = json!({ "category_channel": { "category": "news", "channel": "email" } });
        let events = names.iter().zip(1..).map(|(name, position)| match *name {
            "Requested" => event(position, 1, "aa", name, json!({ "recipient": "BB" })),
            "Unsubscribed" => event(position, 3, "bb", name, json!({ "scope": scope })),
            _ => event(position, 1, "aa", name, json!({})),
        });
        let inputs = Inputs { events: events.collect(), ..Inputs::default() };
        tally(
            &inputs,
            &[Race { notification: "a-a".to_owned(), scope: json!({ "category_channel": { "channel": "email", "category": "news" } }), answered: 5 }],
        )
    }

    #[test]
    fn the_order_of_the_log_says_who_won() {
        let none = Tally::default();
        assert_eq!(went(&["Requested", "Queued", "AttemptStarted", "Unsubscribed", "Sent"]), Tally { send_won: 1, ..none });
        assert_eq!(went(&["Requested", "Queued", "Unsubscribed", "Suppressed"]), Tally { opt_out_won: 1, caught_in_queue: 1, ..none });
        assert_eq!(went(&["Unsubscribed", "Requested", "Suppressed"]), Tally { opt_out_won: 1, ..none });
        assert_eq!(went(&["Requested", "Queued", "Unsubscribed", "AttemptStarted"]), Tally { attempted_after: 1, ..none });
        assert_eq!(went(&["Requested", "Queued", "AttemptStarted", "Unsubscribed", "AttemptStarted"]), Tally { send_won: 1, attempted_after: 1, ..none });
        assert_eq!(went(&["Requested", "Queued"]), Tally { unknown: 1, ..none });
    }
}
