//! I8 by the providers' clock: between two arrivals of a delivery lies at least the pause that the
//! log promised after the first. The log's own times would not show a replica whose clock is ahead.

use super::{Report, Told};
use crate::inputs::{Inputs, plain};
use std::collections::HashMap;

/// For the steps of the clocks.
const SLACK: i64 = 100;
/// A longer pause was computed across a shift of its replica's clock, and says nothing.
const LONGEST: i64 = 60_000;

/// What was promised after an attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause {
    /// The attempt.
    pub after: u32,
    /// From the record of its failure, in ms.
    pub ms: i64,
}

/// See the module.
pub(super) fn kept(inputs: &Inputs, told: &HashMap<String, Told>, report: &mut Report) {
    let mut arrived: HashMap<(String, u16, u32), i64> = HashMap::new();
    for arrival in &inputs.arrivals {
        if let (Some(id), Some(delivery), Some(attempt), Some(at)) = (&arrival.notification, arrival.delivery, arrival.attempt, arrival.millis()) {
            let first = arrived.entry((plain(id), delivery, attempt)).or_insert(at);
            *first = at.min(*first);
        }
    }
    for (id, notification) in told {
        for (delivery, life) in &notification.lives {
            for pause in life.pauses.iter().filter(|pause| pause.ms <= LONGEST) {
                let at = |attempt: u32| arrived.get(&(id.clone(), *delivery, attempt));
                let (Some(before), Some(after)) = (at(pause.after), at(pause.after + 1)) else { continue };
                if after - before + SLACK < pause.ms {
                    report.violate(
                        "I8",
                        format!("{id} attempt {} arrived {} ms after the one before, and {} ms were promised", pause.after + 1, after - before, pause.ms),
                    );
                }
            }
        }
    }
}
