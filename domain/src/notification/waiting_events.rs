//! Events of a notification that waits, is collected, or goes on to a later step of its plan.
//!
//! A notification waits as a whole: deliveries come into being when it comes due, on the facts of
//! that moment. What a digest collected gets no further event of its own: the digest's `DigestClosed`
//! names it, and the summary's notification tells what became of it.

use crate::values::{DeliveryNo, DigestId, FactVersions, Limit, Millis, NextWhen, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Decided: not now. At that moment it is decided anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deferred {
    /// Until when (ms since the epoch).
    pub until: Millis,
    /// The rule that made it wait.
    pub rule: Rule,
    /// The limit that is used up, where it waits for one: it has the place at `until`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// Version of the rules.
    pub rules: u16,
    /// The facts that it was decided on.
    pub facts: FactVersions,
}

/// Waits no longer: it came due and was decided anew. What was decided follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Released {}

/// Decided: goes out with others. Its digest tells what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Digested {
    /// The digest.
    pub digest: DigestId,
    /// The window that collected it.
    pub window: u32,
    /// The rule that made it so.
    pub rule: Rule,
    /// Version of the rules.
    pub rules: u16,
    /// The facts that it was decided on.
    pub facts: FactVersions,
}

/// The next step of its channel plan is due at a moment, unless it is no longer needed then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepScheduled {
    /// Number of the step, from 0.
    pub step: u8,
    /// When (ms since the epoch).
    pub due: Millis,
    /// What has to be so then.
    pub when: NextWhen,
    /// Why it was put off, where it was due before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
}

/// A later step of the plan was taken. Its deliveries follow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepTaken {
    /// Number of the step.
    pub step: u8,
    /// The facts that it was decided on.
    pub facts: FactVersions,
}

/// A later step of the plan was not taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepSkipped {
    /// Number of the step.
    pub step: u8,
    /// Why.
    pub rule: Rule,
}

/// A delivery that was queued is put off: its moment came within quiet hours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Postponed {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// Until when (ms since the epoch).
    pub until: Millis,
    /// The rule that put it off.
    pub rule: Rule,
    /// Version of the rules.
    pub rules: u16,
    /// The facts that it was decided on.
    pub facts: FactVersions,
}
