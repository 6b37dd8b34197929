//! Events of a digest.

use crate::values::{CategoryKey, Millis, NotificationId, RecipientId, SenderKey, TemplateKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Begins to collect. The first item follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DigestOpened {
    /// For whom.
    pub recipient: RecipientId,
    /// Of which category.
    pub category: CategoryKey,
    /// Whose.
    pub sender: SenderKey,
    /// Of requests with a sandbox key.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sandbox: bool,
    /// Number of the window, from 1.
    pub window: u32,
    /// When (ms since the epoch).
    pub opened_at: Millis,
    /// When it closes (ms since the epoch).
    pub closes_at: Millis,
    /// When it closes at the latest (ms since the epoch), where items put its end off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<Millis>,
    /// Items that the summary lists.
    pub max_items: u16,
}

/// Collected a notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DigestItemAdded {
    /// The window.
    pub window: u32,
    /// The notification.
    pub notification: NotificationId,
    /// When it closes now (ms since the epoch), where the item put that off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Millis>,
}

/// Let a notification go: it was taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DigestItemRemoved {
    /// The window.
    pub window: u32,
    /// The notification.
    pub notification: NotificationId,
}

/// A template that could not say a summary, which was then said in the words of Bongsu's own: no digest is lost by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateUnused {
    /// The template that the category names.
    pub key: TemplateKey,
    /// Why, as a short stable code.
    pub code: String,
}

/// Collects no more. What was collected is told by the summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DigestClosed {
    /// The window.
    pub window: u32,
    /// The summary's notification; absent where nothing was left to sum up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<NotificationId>,
    /// The notifications that it lists, in the order in which they came.
    pub items: Vec<NotificationId>,
    /// Further ones, which it counts only.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u32,
    /// The category's template, where it could not say the summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_unused: Option<TemplateUnused>,
}

crate::plain_bodies!(DigestOpened, DigestItemAdded, DigestItemRemoved, DigestClosed);
crate::events! {
    /// What can have happened to a digest.
    DigestEvent of Digest { DigestOpened = 1, DigestItemAdded = 1, DigestItemRemoved = 1, DigestClosed = 1 }
}
