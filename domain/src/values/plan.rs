//! A channel plan: over which channels at once, and over which ones later if that was not enough.
//!
//! A list of steps and not a graph: each channel stands in one step at most, so a plan cannot come
//! back to where it was, and ends.

use super::{Channel, DAY_MS, Millis};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Steps that a plan may have.
pub const MAX_STEPS: usize = 5;

/// Longest wait for the next step.
const LONGEST_WAIT: Millis = 7 * DAY_MS;

/// Steps that are taken one after the other, the first at once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ChannelPlan {
    /// The steps, 1 to 5.
    pub steps: Vec<PlanStep>,
}

/// One step: all its channels at once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PlanStep {
    /// The channels.
    pub channels: Vec<Channel>,
    /// What leads to the next step; absent in the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextStep>,
}

/// What leads from one step to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NextStep {
    /// How long to wait (ms). Where every delivery of the step has failed before, no longer.
    pub after: Millis,
    /// The next step is taken if this is so then.
    pub when: NextWhen,
}

/// The condition of a next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NextWhen {
    /// It was not seen.
    NotSeen,
    /// It was not read.
    NotRead,
    /// No delivery of the step was taken by its provider, or all that were came back.
    Failed,
    /// No provider reports that a delivery of the step arrived.
    NotDelivered,
}

/// Why a plan was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// None or too many.
    #[error("a channel plan has 1 to {MAX_STEPS} steps, not {0}")]
    Steps(usize),
    /// Nothing to do in it.
    #[error("step {0} of the channel plan names no channel; name one or leave the step out")]
    EmptyStep(usize),
    /// It would come back to a channel.
    #[error("the channel plan names {0} twice; a plan does not come back to a channel, so name each once")]
    Cycle(Channel),
    /// It would stop half-way.
    #[error("step {0} of the channel plan does not say what leads to the next; give `after` and `when`")]
    NoNext(usize),
    /// It would lead nowhere.
    #[error("the last step of the channel plan leads to a next one that does not exist; leave `next` out there")]
    NextOfLast,
    /// Out of bounds.
    #[error("step {0} of the channel plan waits for one second to seven days before the next, no less and no more")]
    Wait(usize),
}

impl ChannelPlan {
    /// Checks the rules of a plan; steps are counted from 1 in what it says.
    pub fn check(&self) -> Result<(), PlanError> {
        let count = self.steps.len();
        if !(1..=MAX_STEPS).contains(&count) {
            return Err(PlanError::Steps(count));
        }
        let mut named: Vec<Channel> = Vec::new();
        for (step, number) in self.steps.iter().zip(1..) {
            if step.channels.is_empty() {
                return Err(PlanError::EmptyStep(number));
            }
            for channel in &step.channels {
                if named.contains(channel) {
                    return Err(PlanError::Cycle(*channel));
                }
                named.push(*channel);
            }
            match &step.next {
                None if number < count => return Err(PlanError::NoNext(number)),
                Some(_) if number == count => return Err(PlanError::NextOfLast),
                Some(next) if !(1_000..=LONGEST_WAIT).contains(&next.after) => return Err(PlanError::Wait(number)),
                _ => {}
            }
        }
        Ok(())
    }

    /// A step by number, from 0.
    pub fn step(&self, number: u8) -> Option<&PlanStep> {
        self.steps.get(usize::from(number))
    }
}
