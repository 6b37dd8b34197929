//! I19: no provider is called for what keeps quiet hours within them, by the recipient's zone and the
//! choices that stand above the attempt in the log. Critical notifications pass.

use super::world::{Quiet, World};
use super::{Report, Told};
use crate::inputs::Inputs;
use std::collections::HashMap;

/// Between the decision and its commit, and for hours whose edge is near.
const EDGE: i64 = 1_000;

/// See the module.
pub(super) fn check(inputs: &Inputs, told: &HashMap<String, Told>, report: &mut Report) {
    let mut world = World::before(inputs);
    for event in &inputs.events {
        world.see(event);
        if event.kind != 1 || event.name != "AttemptStarted" {
            continue;
        }
        let Some(notification) = told.get(&event.id).filter(|notification| notification.priority != "critical") else { continue };
        let Some(person) = world.choices(&notification.recipient) else { continue };
        let kept = world.category(&notification.category).quiet == Quiet::Kept;
        if kept && [-EDGE, 0, EDGE].into_iter().all(|edge| person.undisturbed(event.at + edge)) {
            report.violate("I19", format!("{} was attempted at {}, when its recipient was not to be disturbed", event.id, event.at));
        }
    }
}
