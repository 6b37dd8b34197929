//! Events of a category, and the words that they are made of.

use crate::values::{CategoryKey, Channel, ChannelPlan, DigestSettings, Limit, Millis, Priority, SentFrom};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of a notification that is over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverLimit {
    /// It waits for the next free place.
    #[default]
    Hold,
    /// It joins a digest.
    Digest,
    /// It is not sent.
    Suppress,
}

/// What becomes of a notification within quiet hours, outside of allowed hours, or while the
/// recipient is not to be disturbed. Critical ones pass in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuietHoursBehaviour {
    /// It waits for their end.
    #[default]
    Defer,
    /// It is not sent.
    Suppress,
    /// It is sent all the same.
    Ignore,
}

/// Whether what becomes of its e-mails is watched. Off unless somebody asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Tracking {
    /// By a picture of one point, whether they are opened.
    #[serde(default)]
    pub opens: bool,
    /// By links that lead through here, whether their links are followed.
    #[serde(default)]
    pub clicks: bool,
}

impl Tracking {
    /// Whether nothing is watched.
    pub const fn is_off(&self) -> bool {
        !self.opens && !self.clicks
    }
}

/// Was defined, or defined anew. Version 1 had no `default_channels`: it reached every channel.
/// Version 2 knew switches only: no plan, limits, digest, quiet hours or time to live.
/// Version 3 had no tracking, version 4 nothing of whom messages come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CategoryDefined {
    /// Its key.
    pub key: CategoryKey,
    /// Its name, for people.
    pub name: String,
    /// What it is about, for people.
    pub description: String,
    /// Security or legal: cannot be switched off.
    pub required: bool,
    /// The channels of a request that names none.
    pub default_channels: Vec<Channel>,
    /// The priority of a request that names none.
    pub priority: Priority,
    /// Whether it reaches who has said nothing about it; else those only who asked for it.
    pub subscribed_by_default: bool,
    /// The channel plan of a request that names neither plan nor channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<ChannelPlan>,
    /// For so long (ms), the same content is not told twice to the same recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedup_window: Option<Millis>,
    /// How many a recipient may get.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Limit>,
    /// What becomes of those over a limit.
    #[serde(default)]
    pub over_limit: OverLimit,
    /// What becomes of those in quiet hours.
    #[serde(default)]
    pub quiet_hours: QuietHoursBehaviour,
    /// How digests are made. With `over_limit: digest`, of what is over a limit; else of everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestSettings>,
    /// For so long (ms) it is worth sending, where a request does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_to_live: Option<Millis>,
    /// Whether what becomes of its e-mails is watched.
    #[serde(default, skip_serializing_if = "Tracking::is_off")]
    pub tracking: Tracking,
    /// Whom its messages come from, where that is not as configured for the provider.
    #[serde(default, skip_serializing_if = "SentFrom::is_default")]
    pub from: SentFrom,
}

crate::plain_bodies!(CategoryDefined);
crate::events! {
    /// What can have happened to a category.
    CategoryEvent of Category { CategoryDefined = 5 }
}
