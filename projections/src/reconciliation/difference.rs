//! One attempt of which our books and the provider's differ, or may.

use domain::values::{DeliveryNo, Millis, NotificationId};
use serde::Serialize;

/// In which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Nobody knows whether it was taken.
    Unknown,
    /// We did not know, and it arrived.
    ArrivedThoughUnknown,
    /// It was refused or put off, and arrived all the same.
    ArrivedThoughRefused,
    /// The same delivery arrived by more than one attempt.
    ArrivedTwice,
    /// It was taken, the provider reports others, and not this one.
    Unreported,
    /// It was taken, and is not in the provider's list.
    NotInTheirs,
    /// It is in the provider's list, and we do not know that it was taken.
    TheirsOnly,
    /// It is in the provider's list more than once.
    TheirsTwice,
    /// It is in the provider's list, and we never sent it.
    NeverSent,
}

impl Kind {
    /// The name in queries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::ArrivedThoughUnknown => "arrived_though_unknown",
            Self::ArrivedThoughRefused => "arrived_though_refused",
            Self::ArrivedTwice => "arrived_twice",
            Self::Unreported => "unreported",
            Self::NotInTheirs => "not_in_theirs",
            Self::TheirsOnly => "theirs_only",
            Self::TheirsTwice => "theirs_twice",
            Self::NeverSent => "never_sent",
        }
    }

    /// What it comes to, and what can be done.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unknown => "the call had no verdict and no report has come since: it may have arrived or not",
            Self::ArrivedThoughUnknown => "the call had no verdict; the provider reports that it arrived",
            Self::ArrivedThoughRefused => "the provider refused it or asked to come later, and reports that it arrived: it did not mean what it answered",
            Self::ArrivedTwice => "more than one attempt of this delivery arrived: the person has it twice",
            Self::Unreported => "the provider took it and has reported neither that it arrived nor that it did not; ask the provider by its id",
            Self::NotInTheirs => "the provider took it, and it is not in the provider's list: it was lost there; ask the provider by its id",
            Self::TheirsOnly => "the provider's list has it, and we hold it for refused or unknown: it was taken all the same",
            Self::TheirsTwice => "the provider's list has it more than once: the person may have it twice",
            Self::NeverSent => "the provider's list has it, and we never sent it: another installation, or somebody who has our credentials",
        }
    }
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// In which way.
    pub kind: Kind,
    /// What it comes to.
    pub words: &'static str,
    /// The provider's configured name.
    pub provider: String,
    /// The notification.
    pub notification: NotificationId,
    /// The delivery within it.
    pub delivery: DeliveryNo,
    /// The attempt; 0 where it is not known.
    pub attempt: u32,
    /// When the attempt began (ms since the epoch); 0 where there was none.
    pub at: Millis,
    /// What we recorded of it.
    pub ours: String,
    /// The provider's id for the message, where one is known.
    pub provider_id: Option<String>,
}
