//! What can be asked of a schedule, and why it may say no.

use super::events::Terms;
use crate::calendar::TimeZone;
use crate::values::{Content, Millis, NotificationId, RecipientId, ScheduleId};

/// What a schedule is to be.
#[derive(Debug, Clone)]
pub struct Define {
    /// The schedule.
    pub schedule: ScheduleId,
    /// For whom.
    pub recipient: RecipientId,
    /// What and when.
    pub terms: Terms,
    /// What is to be told; checked by the caller.
    pub content: Content,
    /// The recipient's zone.
    pub zone: TimeZone,
    /// Now.
    pub now: Millis,
}

/// What can be asked of a schedule.
#[derive(Debug, Clone)]
pub enum ScheduleCommand {
    /// Set it up. Asks for nothing where it is there and the same.
    Define(Box<Define>),
    /// Ask for something else, or at other times.
    Change(Box<Define>),
    /// Do not fire for the time being.
    Pause,
    /// Fire again.
    Resume {
        /// The recipient's zone.
        zone: TimeZone,
    },
    /// Never fire again.
    Cancel,
    /// Fire what is due, as [`due`](super::Schedule::due) says. Asks for nothing where that
    /// occurrence was fired or missed before.
    Fire {
        /// The occurrence; none where what is due is too late for that, and only to be recorded.
        occurrence: Option<(Millis, NotificationId)>,
        /// The recipient's zone.
        zone: TimeZone,
        /// Now.
        now: Millis,
    },
    /// Reckon the next run anew: the recipient's zone may have changed.
    Reckon {
        /// The recipient's zone.
        zone: TimeZone,
    },
}

/// Why a schedule says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleRefusal {
    /// There is none of this id.
    #[error("there is no schedule of this id")]
    NotFound,
    /// The id was used for something else.
    #[error("a schedule with this key exists and asks for something else; change it, or use a new key")]
    Exists,
    /// It is over.
    #[error("this schedule has ended; define a new one")]
    Ended,
    /// The recipient of a schedule stays the same.
    #[error("a schedule belongs to one recipient; define another schedule for another recipient")]
    OtherRecipient,
    /// It is in the past, or ends before it begins.
    #[error("this schedule would never fire: its time has passed, or it ends before its first occurrence; give a later time or end")]
    NeverFires,
    /// Out of bounds.
    #[error("a schedule catches up with an occurrence that is late by zero to seven days, no more")]
    CatchUp,
    /// Nothing could be reached.
    #[error("name at least one channel, or none at all to leave them to the category")]
    NoChannels,
}
