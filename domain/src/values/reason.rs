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
    /// The recipient asked for this category.
    OptedIn,
    /// The recipient switched this category off on this channel.
    OptedOutOfCategoryChannel,
    /// The recipient switched this topic off.
    OptedOutOfTopic,
    /// The recipient switched this device off.
    OptedOutOfDevice,
    /// The category reaches those only who asked for it, and this recipient did not.
    NotOptedIn,
    /// The address bounced, complained, or was taken off by hand: nothing goes there.
    AddressSuppressed,
    /// It is within the recipient's quiet hours.
    QuietHours,
    /// It is outside of the hours in which the recipient allows notifications.
    OutsideAllowedWindow,
    /// The recipient is not to be disturbed for now.
    DoNotDisturb,
    /// A limit of the category or of the whole system is used up.
    OverLimit,
    /// The recipient got the same content within the category's dedup window.
    DuplicateContent,
    /// The sender asked for a later moment.
    NotBefore,
    /// Goes out together with others.
    Digested,
    /// A step of the channel plan is no longer needed: it was seen.
    AlreadySeen,
    /// A step of the channel plan is no longer needed: it was read.
    AlreadyRead,
    /// A step of the channel plan is no longer needed: the step before was delivered.
    StepDelivered,
    /// The sender took it back.
    Cancelled,
    /// Nothing goes to the number's country over this channel: the configuration does not allow it.
    CountryNotAllowed,
    /// As many as are allowed in one hour went to the number's country over this channel.
    OverCountryCap,
    /// As many as are allowed in one hour went to the numbers beside it over this channel.
    OverRangeCap,
    /// None of the channel's providers serves this sender and this country.
    NoProvider,
    /// None of the providers that may send it could take it just then.
    ProvidersBusy,
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
    /// Of the `Frequency`; 0 also where nothing is counted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub frequency: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Rule {
    /// Version of the rules as a whole; raised when any rule's meaning changes.
    pub const VERSION: u16 = 2;
}
