//! Events of a subscription: what a person wants, who said so, from where, and with what evidence.

use crate::calendar::WeeklyWindows;
use crate::event::Personal;
use crate::values::{AddressId, CategoryKey, Channel, Millis, RecipientId, TopicKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a switch is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everything.
    All,
    /// One channel.
    Channel(Channel),
    /// One category.
    Category(CategoryKey),
    /// One category on one channel.
    CategoryChannel {
        /// The category.
        category: CategoryKey,
        /// The channel.
        channel: Channel,
    },
    /// One device or other address.
    Device(AddressId),
    /// One topic.
    Topic(TopicKey),
    /// Being watched: whether e-mails are opened and their links followed. Says nothing about what is sent.
    Tracking,
}

impl Scope {
    /// Whether switching it off would switch a category off, which a required one does not allow.
    pub const fn is_of_category(&self) -> bool {
        matches!(self, Self::Category(_) | Self::CategoryChannel { .. })
    }
}

/// Who changed a preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangedBy {
    /// The person.
    Recipient,
    /// A sender, on the person's behalf.
    Sender,
    /// An administrator.
    Administrator,
    /// A bulk import of consents given elsewhere.
    Import,
}

/// By which way it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The API.
    #[default]
    Api,
    /// The page behind a link in a notification.
    UnsubscribeLink,
    /// The mail program's own button (RFC 8058).
    OneClick,
    /// The preference page.
    PreferencePage,
    /// `STOP` or `START` by SMS.
    SmsStop,
    /// A complaint to the mail provider.
    Complaint,
    /// A bulk import.
    Import,
}

/// The personal part of a change: what proves it. Sealed.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// The words that were agreed to, or that the person used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The address that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The program that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// When it was given (ms since the epoch), where that is not now: of imports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Millis>,
}

/// Nothing personal: such types end up in traces by way of others that hold them.
impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence").finish_non_exhaustive()
    }
}

/// Does not want it any more. Version 2 had no switch for tracking. Honoured from the next provider call on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unsubscribed {
    /// Whose switch; absent in what was version 1, whose stream says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<RecipientId>,
    /// What.
    pub scope: Scope,
    /// Who said so.
    pub by: ChangedBy,
    /// By which way.
    pub source: Source,
    /// Sealed: what proves it.
    #[serde(skip)]
    #[schemars(skip)]
    pub personal: Personal<Evidence>,
}

/// Wants it; version 2 had no switch for tracking. Again, or for the first time where a category is opt-in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resubscribed {
    /// Whose switch; absent in what was version 1, whose stream says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<RecipientId>,
    /// What.
    pub scope: Scope,
    /// Who said so.
    pub by: ChangedBy,
    /// By which way.
    pub source: Source,
    /// Sealed: what proves it.
    #[serde(skip)]
    #[schemars(skip)]
    pub personal: Personal<Evidence>,
}

/// Wants to be left alone at some hours of the week, or be told at some hours only. Both are of
/// the wall clock in the recipient's time zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuietHoursChanged {
    /// Not within these; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<WeeklyWindows>,
    /// Only within these; absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<WeeklyWindows>,
    /// Who said so.
    pub by: ChangedBy,
    /// By which way.
    pub source: Source,
}

/// Is not to be disturbed until a moment, or may be again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DoNotDisturbChanged {
    /// Until when (ms since the epoch); absent: may be disturbed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
    /// Who said so.
    pub by: ChangedBy,
    /// By which way.
    pub source: Source,
}

/// Prefers some channels where the sender leaves the choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PreferredChannelsChanged {
    /// The channels; none: no preference.
    pub channels: Vec<Channel>,
    /// Who said so.
    pub by: ChangedBy,
    /// By which way.
    pub source: Source,
}

macro_rules! with_evidence {
    ($($body:ty),+) => {$(
        impl crate::event::Body for $body {
            fn subject(&self) -> Option<RecipientId> {
                self.recipient
            }
            fn encode_personal(&self, into: &mut Vec<u8>) -> bool {
                match (&self.personal, self.recipient) {
                    (Personal::Known(evidence), Some(_)) if **evidence != Evidence::default() => {
                        crate::event::write_json(evidence, into);
                        true
                    }
                    _ => false,
                }
            }
            fn attach_personal(&mut self, json: &[u8]) -> Result<(), serde_json::Error> {
                self.personal = Personal::from(serde_json::from_slice::<Evidence>(json)?);
                Ok(())
            }
        }
    )+};
}

with_evidence!(Unsubscribed, Resubscribed);
crate::plain_bodies!(QuietHoursChanged, DoNotDisturbChanged, PreferredChannelsChanged);
crate::events! {
    /// What can have happened to a subscription.
    SubscriptionEvent of Subscription {
        Unsubscribed = 3, Resubscribed = 3, QuietHoursChanged = 1, DoNotDisturbChanged = 1,
        PreferredChannelsChanged = 1,
    }
}
