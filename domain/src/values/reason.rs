//! Why something was decided: the rule by name and version, and the facts it looked at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rule of the policy, by a name that `explain` can read out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The category reaches everybody who has not opted out.
    DefaultOptIn,
    /// The category is required (security, legal): opt-outs of categories do not apply.
    RequiredCategory,
    /// The recipient switched everything off.
    OptedOutOfAll,
    /// The recipient switched this channel off.
    OptedOutOfChannel,
    /// The recipient switched this category off.
    OptedOutOfCategory,
    /// The recipient has no address on this channel.
    NoAddress,
    /// None of the channels asked for can be used.
    NoChannel,
    /// The address or device was removed before the call.
    AddressRemoved,
    /// The recipient was erased.
    RecipientErased,
    /// Too late: `expires_at` had passed.
    Expired,
}

/// The sequences of the streams that a decision was made on: with them, anybody can rebuild the
/// exact facts from the log. 0 means that the stream did not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct FactVersions {
    /// Of the `Recipient`.
    pub recipient: u64,
    /// Of the `Subscription`.
    pub subscription: u64,
    /// Of the `Category`.
    pub category: u64,
}

impl Rule {
    /// Version of the rules as a whole; raised when any rule's meaning changes.
    pub const VERSION: u16 = 1;
}
