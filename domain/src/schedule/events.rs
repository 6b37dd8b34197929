//! Events of a schedule.

use crate::calendar::{Cron, LocalDateTime, TimeZone};
use crate::event::Personal;
use crate::values::{CategoryKey, Channel, Content, Millis, NotificationId, Priority, RecipientId, ScheduleId, SenderKey, TopicKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn is_false(flag: &bool) -> bool {
    !flag
}

/// When a schedule fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Once, at a moment.
    Once {
        /// When (ms since the epoch).
        at: Millis,
    },
    /// Once, when the recipient's clock shows a date and time.
    OnceLocal {
        /// The date and time.
        at: LocalDateTime,
    },
    /// Again and again.
    Recurring {
        /// When, by the wall clock.
        cron: Cron,
        /// Of this zone; absent: the recipient's, wherever they are then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<TimeZone>,
    },
}

/// What a schedule asks for, each time that it fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    /// Who asks.
    pub sender: SenderKey,
    /// Which kind.
    pub category: CategoryKey,
    /// Over which channels; absent: the category's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<Channel>>,
    /// How urgent; absent: as the category says then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// About which topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<TopicKey>,
    /// When.
    pub trigger: Trigger,
    /// Not before this moment (ms since the epoch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<Millis>,
    /// Not after this moment (ms since the epoch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Millis>,
    /// An occurrence that is late by more than this (ms) is missed and not fired.
    pub catch_up: Millis,
    /// Asked with a sandbox key.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sandbox: bool,
}

/// Was set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleDefined {
    /// The schedule.
    pub schedule: ScheduleId,
    /// For whom.
    pub recipient: RecipientId,
    /// What and when.
    pub terms: Terms,
    /// Only occurrences after this moment count (ms since the epoch).
    pub since: Millis,
    /// The next run (ms since the epoch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Millis>,
    /// Sealed: the content.
    #[serde(skip)]
    #[schemars(skip)]
    pub personal: Personal<Content>,
}

/// Asks for something else, or at other times. What it asked for before is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleChanged {
    /// The schedule.
    pub schedule: ScheduleId,
    /// For whom; always the same.
    pub recipient: RecipientId,
    /// What and when.
    pub terms: Terms,
    /// Only occurrences after this moment count (ms since the epoch).
    pub since: Millis,
    /// The next run (ms since the epoch); absent: none, or it is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Millis>,
    /// Sealed: the content.
    #[serde(skip)]
    #[schemars(skip)]
    pub personal: Personal<Content>,
}

/// Does not fire for the time being.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SchedulePaused {}

/// Fires again. What fell due meanwhile is caught up with as after an outage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleResumed {
    /// The next run (ms since the epoch), perhaps past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Millis>,
}

/// Why a schedule is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its sender took it back.
    Cancelled,
    /// There is no further occurrence.
    Finished,
}

/// Never fires again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleEnded {
    /// Why.
    pub reason: EndReason,
}

/// An occurrence became a notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OccurrenceFired {
    /// The moment that it was planned for (ms since the epoch).
    pub occurrence: Millis,
    /// The notification.
    pub notification: NotificationId,
    /// The next run (ms since the epoch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Millis>,
}

/// Occurrences fell due while it was paused or the system was down, and are not made up for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OccurrencesMissed {
    /// The first of them (ms since the epoch).
    pub from: Millis,
    /// The last of them (ms since the epoch).
    pub to: Millis,
    /// How many; 10000 stands for as many or more.
    pub count: u32,
    /// The next run (ms since the epoch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Millis>,
}

/// The next run is at another moment: the recipient's time zone changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NextRunMoved {
    /// The next run (ms since the epoch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Millis>,
}

crate::personal_body!(ScheduleDefined, subject = recipient);
crate::personal_body!(ScheduleChanged, subject = recipient);
crate::plain_bodies!(SchedulePaused, ScheduleResumed, ScheduleEnded, OccurrenceFired, OccurrencesMissed, NextRunMoved);
crate::events! {
    /// What can have happened to a schedule.
    ScheduleEvent of Schedule {
        ScheduleDefined = 1, ScheduleChanged = 1, SchedulePaused = 1, ScheduleResumed = 1,
        ScheduleEnded = 1, OccurrenceFired = 1, OccurrencesMissed = 1, NextRunMoved = 1,
    }
}
