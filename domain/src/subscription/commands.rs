//! What can be asked of a subscription, and why it may say no.

use super::events::{ChangedBy, Evidence, Scope, Source};
use super::state::MAX_SWITCHES;
use crate::calendar::WeeklyWindows;
use crate::values::{Channel, Millis, RecipientId};

/// Turn one switch.
#[derive(Debug, Clone)]
pub struct SetSubscription {
    /// Whose.
    pub recipient: RecipientId,
    /// What.
    pub scope: Scope,
    /// On or off.
    pub subscribed: bool,
    /// Who says so.
    pub by: ChangedBy,
    /// By which way.
    pub source: Source,
    /// What proves it.
    pub evidence: Evidence,
    /// The category in `scope` is required and cannot be switched off.
    pub required: bool,
}

/// What can be asked of a subscription.
#[derive(Debug, Clone)]
pub enum SubscriptionCommand {
    /// Turn one switch.
    Set(Box<SetSubscription>),
    /// Set the hours of the week.
    SetQuietHours {
        /// Not within these.
        quiet_hours: Option<WeeklyWindows>,
        /// Only within these.
        allowed: Option<WeeklyWindows>,
        /// Who says so.
        by: ChangedBy,
        /// By which way.
        source: Source,
    },
    /// Leave the person alone for some time.
    SetDoNotDisturb {
        /// Until when; none: not any more.
        until: Option<Millis>,
        /// Now.
        now: Millis,
        /// Who says so.
        by: ChangedBy,
        /// By which way.
        source: Source,
    },
    /// Prefer some channels; none: no preference.
    SetPreferredChannels {
        /// The channels.
        channels: Vec<Channel>,
        /// Who says so.
        by: ChangedBy,
        /// By which way.
        source: Source,
    },
}

impl From<SetSubscription> for SubscriptionCommand {
    fn from(set: SetSubscription) -> Self {
        Self::Set(Box::new(set))
    }
}

/// Why a subscription says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionRefusal {
    /// Security and legal notices cannot be switched off.
    #[error("this category is required and cannot be switched off")]
    RequiredCategory,
    /// More than anybody chooses by hand.
    #[error("a recipient has at most {MAX_SWITCHES} switches of their own; switch off a whole category or channel instead")]
    TooManySwitches,
    /// There would be no moment at which anything may come.
    #[error("the quiet hours cover all of the allowed hours, so nothing could ever come; leave some allowed hour out of them")]
    NeverAllowed,
    /// It is over already.
    #[error("`until` has passed; give a moment to come, or none to be disturbed again")]
    PastDoNotDisturb,
    /// That is an opt-out.
    #[error("do-not-disturb is for 366 days at most; to get nothing at all, switch everything off")]
    LongDoNotDisturb,
    /// Not what was said.
    #[error("the evidence has at most 4000 characters of text, 64 of IP address and 512 of user agent")]
    Evidence,
}
