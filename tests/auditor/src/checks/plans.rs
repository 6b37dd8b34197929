//! I18: a later step of a plan is taken only after it was scheduled, when it is due or what was before
//! has failed, and only where what it waits for is still so. Deliveries are queued with a decision and at no other time.

use super::{LATE, Report, TOLERANCE, integer, number, text};
use crate::inputs::{Event, Inputs};
use std::collections::HashMap;

#[derive(Default)]
struct Plan<'a> {
    /// Number, when it is due, and what has to be so.
    next: Option<(u64, i64, &'a str)>,
    seen: bool,
    read: bool,
    /// The state of each delivery of the step that was taken last, by its last event.
    last: HashMap<u64, &'a str>,
    /// The event before this one.
    before: &'a str,
    over: bool,
}

impl Plan<'_> {
    /// Whether nothing of the last step can reach anybody any more.
    fn hopeless(&self) -> bool {
        !self.last.is_empty() && self.last.values().all(|end| ["Failed", "DeadLettered", "Discarded", "Suppressed"].contains(end))
    }
}

/// See the module.
pub(super) fn check(inputs: &Inputs, quiesced: bool, report: &mut Report) {
    let mut plans: HashMap<&str, Plan<'_>> = HashMap::new();
    for event in inputs.events.iter().filter(|event| event.kind == 1) {
        let plan = plans.entry(&event.id).or_default();
        see(plan, event, report);
        plan.before = &event.name;
    }
    for (id, plan) in plans {
        if let Some((step, due, _)) = plan.next
            && quiesced
            && !plan.over
            && due + LATE < inputs.now
        {
            report.violate("I18", format!("{id} step {step} was due at {due}, {} ms ago, and is neither taken nor skipped", inputs.now - due));
        }
    }
}

fn see<'a>(plan: &mut Plan<'a>, event: &'a Event, report: &mut Report) {
    let id = &event.id;
    match event.name.as_str() {
        "Seen" => plan.seen = true,
        "Read" => (plan.seen, plan.read) = (true, true),
        "StepScheduled" => plan.next = Some((number(event, "step").unwrap_or(0), integer(event, "due").unwrap_or(0), text(event, "when"))),
        "StepSkipped" => plan.next = None,
        "StepTaken" => taken(plan, event, report),
        "Queued" => {
            // With a decision, which is one append.
            if !["Requested", "Released", "StepTaken", "StepSkipped", "Queued", "Suppressed", "Sent"].contains(&plan.before) {
                report.violate("I18", format!("{id} delivery {:?} was queued by no decision, after {}", event.payload.get("delivery"), plan.before));
            }
            plan.last.insert(number(event, "delivery").unwrap_or(0), "Queued");
        }
        "Cancelled" | "Expired" if number(event, "delivery").is_none() => plan.over = true,
        name => {
            if let Some(state) = number(event, "delivery").and_then(|delivery| plan.last.get_mut(&delivery)) {
                *state = name;
            }
        }
    }
}

fn taken(plan: &mut Plan<'_>, event: &Event, report: &mut Report) {
    let (id, step) = (&event.id, number(event, "step").unwrap_or(0));
    match plan.next.take() {
        None => report.violate("I18", format!("{id} took step {step}, which was not scheduled")),
        Some((next, ..)) if step < next => report.violate("I18", format!("{id} took step {step} where {next} was next")),
        Some((_, due, _)) if event.at + TOLERANCE < due && !plan.hopeless() => {
            report.violate("I18", format!("{id} took step {step} at {}, which was due at {due}", event.at));
        }
        Some((_, _, when)) => {
            let needless = match when {
                "not_seen" => plan.seen,
                "not_read" => plan.read,
                _ => plan.last.values().any(|end| *end == "Sent"),
            };
            if needless {
                report.violate("I18", format!("{id} took step {step} in spite of {when}"));
            }
        }
    }
    plan.last.clear();
}
