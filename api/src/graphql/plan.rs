//! Channel plans as callers write and read them: of a category, or of one notification.

use super::names::Channel;
use super::problem::Refused;
use async_graphql::{Enum, InputObject, SimpleObject};
use domain::values::{self, ChannelPlan, PlanError};

/// What leads to the next step.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "values::NextWhen")]
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

/// What leads from one step to the next.
#[derive(InputObject, Debug, Clone, Copy)]
pub struct NextStepInput {
    /// How long to wait, one second to seven days; no longer where every delivery of the step has failed before.
    after_seconds: i32,
    /// The next step is taken if this is so then.
    when: NextWhen,
}

/// One step: all its channels at once.
#[derive(InputObject, Debug, Clone)]
pub struct PlanStepInput {
    /// The channels; a plan names each once.
    channels: Vec<Channel>,
    /// What leads to the next step; leave it out in the last.
    next: Option<NextStepInput>,
}

/// Over which channels first, and over which later if that was not enough.
#[derive(InputObject, Debug, Clone)]
pub struct PlanInput {
    /// One to five steps; the first is taken at once.
    steps: Vec<PlanStepInput>,
}

impl From<PlanInput> for ChannelPlan {
    fn from(input: PlanInput) -> Self {
        let next = |next: NextStepInput| values::NextStep { after: i64::from(next.after_seconds) * 1_000, when: next.when.into() };
        let step = |step: PlanStepInput| values::PlanStep { channels: step.channels.into_iter().map(Into::into).collect(), next: step.next.map(next) };
        Self { steps: input.steps.into_iter().map(step).collect() }
    }
}

/// What leads from one step to the next.
#[derive(SimpleObject, Debug, Clone, Copy)]
#[graphql(name = "NextStep")]
pub struct NextStepObject {
    /// How long to wait.
    after_seconds: i64,
    /// The next step is taken if this is so then.
    when: NextWhen,
}

/// One step: all its channels at once.
#[derive(SimpleObject, Debug, Clone)]
#[graphql(name = "PlanStep")]
pub struct PlanStepObject {
    channels: Vec<Channel>,
    /// What leads to the next step; none in the last.
    next: Option<NextStepObject>,
}

/// Over which channels first, and over which later if that was not enough.
#[derive(SimpleObject, Debug, Clone)]
#[graphql(name = "Plan")]
pub struct PlanObject {
    steps: Vec<PlanStepObject>,
}

impl From<&ChannelPlan> for PlanObject {
    fn from(plan: &ChannelPlan) -> Self {
        let step = |step: &values::PlanStep| PlanStepObject {
            channels: step.channels.iter().map(|channel| (*channel).into()).collect(),
            next: step.next.map(|next| NextStepObject { after_seconds: next.after / 1_000, when: next.when.into() }),
        };
        Self { steps: plan.steps.iter().map(step).collect() }
    }
}

/// Why a plan was refused.
pub fn refused(error: PlanError) -> Refused {
    let code = if matches!(error, PlanError::Cycle(_)) { "PLAN_CYCLE" } else { "PLAN_INVALID" };
    Refused::at("plan", code, error.to_string())
}
