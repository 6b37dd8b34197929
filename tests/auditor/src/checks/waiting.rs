//! I14: what waits does so as a whole and until its time, goes on to something, and no attempt is made
//! before. Each notification is queued, suppressed, collected, cancelled, expired or waiting, one at a time.

use super::{LATE, Report, TOLERANCE, integer, number};
use crate::inputs::{Event, Inputs};
use std::collections::HashMap;

/// Where a notification is as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Whole {
    /// Asked for, or released: a decision must follow at once.
    #[default]
    Undecided,
    Waits(i64),
    Collected,
    /// Decided on deliveries, or against it.
    Decided,
    /// Cancelled or expired as a whole.
    Over,
}

#[derive(Default)]
struct Course {
    whole: Whole,
    not_before: Option<i64>,
}

/// See the module.
pub(super) fn check(inputs: &Inputs, quiesced: bool, report: &mut Report) {
    let mut courses: HashMap<&str, Course> = HashMap::new();
    for event in inputs.events.iter().filter(|event| event.kind == 1) {
        let course = courses.entry(&event.id).or_default();
        if event.name == "Requested" {
            course.not_before = integer(event, "not_before");
        }
        step(course, event, report);
    }
    for (id, course) in courses {
        match course.whole {
            Whole::Undecided => report.violate("I14", format!("{id} is neither queued nor suppressed, deferred, collected, cancelled or expired")),
            Whole::Waits(until) if quiesced && until + LATE < inputs.now => {
                report.violate("I14", format!("{id} still waits for {until}, which was {} ms ago", inputs.now - until));
            }
            _ => {}
        }
    }
}

fn step(course: &mut Course, event: &Event, report: &mut Report) {
    let id = &event.id;
    let whole = number(event, "delivery").is_none();
    let next = match event.name.as_str() {
        "Deferred" => Whole::Waits(integer(event, "until").unwrap_or(0)),
        "Digested" => Whole::Collected,
        "Queued" | "StepTaken" => Whole::Decided,
        "Suppressed" if whole => Whole::Decided,
        "Cancelled" | "Expired" if whole => Whole::Over,
        "Released" => {
            match course.whole {
                Whole::Waits(until) if event.at + TOLERANCE < until => {
                    report.violate("I14", format!("{id} was released at {}, and waited for {until}", event.at));
                }
                Whole::Waits(_) => {}
                other => report.violate("I14", format!("{id} was released while it was {other:?}")),
            }
            course.whole = Whole::Undecided;
            return;
        }
        "AttemptStarted" => {
            if course.not_before.is_some_and(|at| event.at + TOLERANCE < at) {
                report.violate("I14", format!("{id} was attempted at {}, and was not to be sent before {:?}", event.at, course.not_before));
            }
            return;
        }
        _ => return,
    };
    let allowed = match (course.whole, next) {
        (Whole::Undecided, _) | (Whole::Waits(_) | Whole::Collected | Whole::Decided, Whole::Over) | (Whole::Decided, Whole::Decided) => true,
        (_, _) => false,
    };
    if !allowed {
        report.violate("I14", format!("{id} has {} while it was {:?}", event.name, course.whole));
    }
    course.whole = next;
}
