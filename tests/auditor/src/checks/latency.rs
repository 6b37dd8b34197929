//! I10: from the client's answer to the first arrival, apart for what met a fault on its way.
//! Told and not judged: it depends on the machine. What waited for its time says nothing.

use super::Told;
use crate::inputs::{Inputs, plain};
use serde::Serialize;
use std::collections::HashMap;

/// In ms.
#[derive(Debug, Default, Serialize)]
pub struct Latency {
    /// While nothing was disturbed.
    pub calm: Spread,
    /// During a fault.
    pub disturbed: Spread,
}

/// How values are spread.
#[derive(Debug, Default, Serialize)]
pub struct Spread {
    /// How many.
    pub count: usize,
    /// Half are not above.
    pub p50: i64,
    /// All but one in a hundred are not above.
    pub p99: i64,
    /// The greatest.
    pub max: i64,
}

impl Spread {
    fn of(mut values: Vec<i64>) -> Self {
        values.sort_unstable();
        let at = |share: usize| values.get((values.len() * share / 100).min(values.len().saturating_sub(1))).copied().unwrap_or(0);
        Self { count: values.len(), p50: at(50), p99: at(99), max: at(100) }
    }
}

/// See the module.
pub(super) fn measure(inputs: &Inputs, told: &HashMap<String, Told>) -> Latency {
    let mut first: HashMap<String, i64> = HashMap::new();
    for arrival in inputs.arrivals.iter().filter(|arrival| arrival.delivered) {
        if let (Some(id), Some(at)) = (&arrival.notification, arrival.millis()) {
            let first = first.entry(plain(id)).or_insert(at);
            *first = at.min(*first);
        }
    }
    let (mut calm, mut disturbed) = (Vec::new(), Vec::new());
    for answer in &inputs.answers {
        let (Some(acked), Some(arrived)) = (answer.acked, first.remove(&plain(&answer.id))) else { continue };
        if told.get(&plain(&answer.id)).is_some_and(|notification| notification.held) {
            continue;
        }
        let met = inputs.faults.iter().any(|fault| fault.from <= arrived && acked <= fault.to);
        // What arrives before the answer took no time.
        (if met { &mut disturbed } else { &mut calm }).push((arrived - acked).max(0));
    }
    Latency { calm: Spread::of(calm), disturbed: Spread::of(disturbed) }
}
