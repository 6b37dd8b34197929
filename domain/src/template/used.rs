//! That a notification is made from a template.

use super::experiment::Assigned;
use crate::calendar::TimeZone;
use crate::values::{Locale, TemplateKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All that a notification's content is a function of, besides its parameters. Fixed when it is accepted, so
/// that what is sent, shown and explained later is the same, whoever moves or edits meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateUse {
    /// The template.
    pub key: TemplateKey,
    /// Its version that was current.
    pub version: u32,
    /// What its recipient was assigned, where there was an experiment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<Assigned>,
    /// The recipient's language; absent: the template's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// The zone in which moments are shown; absent: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<TimeZone>,
}
