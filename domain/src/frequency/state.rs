//! The frequency's event, state and decisions.

use crate::aggregate::Aggregate;
use crate::values::{CategoryKey, Millis, NotificationId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Places and contents that are kept of one category, each; older ones are forgotten. Enough for every
/// limit there can be, with all places that may wait before it.
pub const MAX_KEPT: usize = 512;

/// Events of the stream that the state rests on, the last ones: loading reads as many, and a state that
/// was kept in memory forgets what came before them. So both are the same, and both are bounded,
/// however many categories there are.
pub const MAX_EVENTS: usize = 4_096;

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

/// A notification that waited for its place was taken back: the place is free again, for whoever asks next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceFreed {
    /// The notification.
    pub notification: NotificationId,
    /// Its category.
    pub category: CategoryKey,
    /// The moment of the place (ms since the epoch).
    pub at: Millis,
}

crate::plain_bodies!(Counted, PlaceFreed);
crate::events! {
    /// What can have been counted.
    FrequencyEvent of Frequency { Counted = 1, PlaceFreed = 1 }
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
    /// By which notification.
    pub notification: NotificationId,
    /// Number of its event, among those that were folded.
    pub number: u64,
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
    /// Number of its event, among those that were folded.
    pub number: u64,
}

/// What a recipient was told lately, as the events tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frequency {
    /// The latest places, by their moments.
    pub places: Vec<Place>,
    /// The latest contents, in the order of the requests.
    pub told: Vec<Told>,
    /// Events that were folded.
    pub events: u64,
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

    /// Gives back the place that a notification holds and will not use; none where it holds none, or one so long
    /// ago that it is forgotten.
    pub fn free(&self, notification: NotificationId) -> Option<FrequencyEvent> {
        let place = self.places.iter().find(|place| place.notification == notification)?;
        Some(FrequencyEvent::PlaceFreed(PlaceFreed { notification, category: place.category.clone(), at: place.at }))
    }

    fn count(&mut self, e: &Counted) {
        let number = self.events;
        if let Some(at) = e.at {
            let behind = self.places.partition_point(|place| place.at <= at);
            self.places.insert(behind, Place { category: e.category.clone(), at, alone: e.alone, notification: e.notification, number });
            // What counts alone is no reason to forget what counts for all.
            forget_oldest(&mut self.places, |place| place.alone == e.alone && place.category == e.category, |place| place.number);
        }
        if let Some(content) = e.content {
            self.told.push(Told { category: e.category.clone(), content, at: e.asked_at, notification: e.notification, number });
            forget_oldest(&mut self.told, |told| told.category == e.category, |told| told.number);
        }
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

    fn evolve(&mut self, event: &FrequencyEvent) {
        self.events += 1;
        match event {
            FrequencyEvent::Counted(e) => self.count(e),
            FrequencyEvent::PlaceFreed(e) => self.places.retain(|place| place.notification != e.notification),
        }
        if let Some(last) = self.events.checked_sub(MAX_EVENTS as u64).filter(|last| *last > 0) {
            self.places.retain(|place| place.number > last);
            self.told.retain(|told| told.number > last);
        }
    }
}

/// Of the category that has just grown; others lose nothing by it. The oldest by its event and not by its
/// moment: that order is the stream's, so what is loaded from its end comes to the same.
fn forget_oldest<T>(all: &mut Vec<T>, of_category: impl Fn(&T) -> bool, number: impl Fn(&T) -> u64) {
    if all.len() <= MAX_KEPT || all.iter().filter(|one| of_category(one)).count() <= MAX_KEPT {
        return;
    }
    let oldest = all.iter().enumerate().filter(|(_, one)| of_category(one)).min_by_key(|(_, one)| number(one)).map(|(place, _)| place);
    if let Some(place) = oldest {
        all.remove(place);
    }
}
