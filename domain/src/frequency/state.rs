//! The frequency's event, state and decisions.

use crate::aggregate::Aggregate;
use crate::values::{CategoryKey, Millis, NotificationId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Places and contents that are kept, each; older ones are forgotten. Loading reads as many events.
pub const MAX_KEPT: usize = 512;

/// Places to come that one recipient may hold; beyond, nothing more can wait for one.
pub const MAX_WAITING: usize = 256;

fn is_false(flag: &bool) -> bool {
    !flag
}

/// A notification was counted, or its content noted, or both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    /// The notification.
    pub notification: NotificationId,
    /// Its category.
    pub category: CategoryKey,
    /// When it was asked for (ms since the epoch).
    pub asked_at: Millis,
    /// The moment of the place that it took (ms since the epoch), perhaps to come; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Millis>,
    /// Counts for its category only, not for the limits over all.
    #[serde(default, skip_serializing_if = "is_false")]
    pub alone: bool,
    /// Keyed hash of its content, where the category has a dedup window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Uuid>,
}

crate::plain_bodies!(Counted);
crate::events! {
    /// What can have been counted.
    FrequencyEvent of Frequency { Counted = 1 }
}

/// A place that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Of which category.
    pub category: CategoryKey,
    /// When.
    pub at: Millis,
    /// Counts for its category only.
    pub alone: bool,
}

/// A content that was told, or will be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// In which category.
    pub category: CategoryKey,
    /// Its keyed hash.
    pub content: Uuid,
    /// When it was asked for.
    pub at: Millis,
    /// By which notification.
    pub notification: NotificationId,
}

/// What a recipient was told lately, as the events tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frequency {
    /// The latest places, by their moments.
    pub places: Vec<Place>,
    /// The latest contents, in the order of the requests.
    pub told: Vec<Told>,
}

/// Count a notification, as the decision says.
#[derive(Debug, Clone)]
pub struct Count {
    /// The notification.
    pub notification: NotificationId,
    /// Its category.
    pub category: CategoryKey,
    /// When it was asked for.
    pub asked_at: Millis,
    /// The place it takes.
    pub at: Option<Millis>,
    /// Counts for its category only.
    pub alone: bool,
    /// Keyed hash of its content.
    pub content: Option<Uuid>,
}

/// Counting never says no; the type exists because every aggregate has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrequencyRefusal {}

impl Frequency {
    /// The notification that told the recipient the same content of this category within the
    /// window (ms) before now.
    pub fn seen_content(&self, category: &CategoryKey, content: Uuid, window: Millis, now: Millis) -> Option<NotificationId> {
        let same = |told: &&Told| told.content == content && told.at.saturating_add(window) > now && told.category == *category;
        self.told.iter().rev().find(same).map(|told| told.notification)
    }
}

impl Aggregate for Frequency {
    type Command = Count;
    type Event = FrequencyEvent;
    type Refusal = FrequencyRefusal;

    fn decide(&self, count: Count) -> Result<Vec<FrequencyEvent>, FrequencyRefusal> {
        let Count { notification, category, asked_at, at, alone, content } = count;
        if at.is_none() && content.is_none() {
            return Ok(Vec::new());
        }
        Ok(vec![FrequencyEvent::Counted(Counted { notification, category, asked_at, at, alone, content })])
    }

    fn evolve(&mut self, FrequencyEvent::Counted(e): &FrequencyEvent) {
        if let Some(at) = e.at {
            let behind = self.places.partition_point(|place| place.at <= at);
            self.places.insert(behind, Place { category: e.category.clone(), at, alone: e.alone });
            let over = self.places.len().saturating_sub(MAX_KEPT);
            self.places.drain(..over);
        }
        if let Some(content) = e.content {
            self.told.push(Told { category: e.category.clone(), content, at: e.asked_at, notification: e.notification });
            let over = self.told.len().saturating_sub(MAX_KEPT);
            self.told.drain(..over);
        }
    }
}
