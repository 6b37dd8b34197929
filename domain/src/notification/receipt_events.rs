//! Events of a delivery after its provider took it.

use super::events::FailureClass;
use crate::values::{DeliveryNo, Millis};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Where a delivery stood when its report came: what the report ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stood {
    /// With its provider.
    #[default]
    Sent,
    /// Owed: a call under way, or to be repeated.
    Owed,
    /// A dead letter.
    DeadLettered,
    /// Over in another way.
    Over,
}

fn is_sent(stood: &Stood) -> bool {
    *stood == Stood::Sent
}

/// Its provider reports that it arrived. An end of the delivery, also of one of which nobody knew what
/// became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Delivered {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// Where it stood until then.
    #[serde(default, skip_serializing_if = "is_sent")]
    pub stood: Stood,
    /// The attempt, where the report tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The provider's id for the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// The provider's moment (ms since the epoch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Millis>,
}

/// Its provider reports that it did not arrive. An end of the delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bounced {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// Where it stood until then.
    #[serde(default, skip_serializing_if = "is_sent")]
    pub stood: Stood,
    /// The attempt, where the report tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// In which way.
    pub class: FailureClass,
    /// The provider's code.
    pub code: String,
    /// The address does not exist: nothing goes there any more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub address_dead: bool,
    /// The provider's moment (ms since the epoch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Millis>,
}

/// How somebody said that it was not wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComplaintKind {
    /// Called it spam.
    Spam,
    /// Took the provider's own way out.
    Unsubscribed,
}

/// Somebody there told the provider that it was not wanted: nothing goes there any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Complained {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// In which way.
    pub kind: ComplaintKind,
    /// The provider's moment (ms since the epoch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Millis>,
}

/// It was opened. Recorded once for people and once for programs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// By a program, as far as one can tell: a scanner, or a mail service that fetches pictures ahead.
    #[serde(default, skip_serializing_if = "is_false")]
    pub automatic: bool,
    /// The provider's moment (ms since the epoch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Millis>,
}

/// A link in it was followed. Recorded once for each link, and once more for programs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Clicked {
    /// The delivery.
    pub delivery: DeliveryNo,
    /// Which link, from 0; the 64th stands for all behind it.
    pub link: u16,
    /// By a program, as far as one can tell.
    #[serde(default, skip_serializing_if = "is_false")]
    pub automatic: bool,
    /// The provider's moment (ms since the epoch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Millis>,
}
