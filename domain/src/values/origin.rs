//! Where a notification comes from that no sender asked for in so many words.

use super::{DigestId, Millis, ScheduleId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What made a notification, other than a request of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It sums up a digest's window.
    Digest {
        /// The digest.
        digest: DigestId,
        /// The window.
        window: u32,
    },
    /// It is an occurrence of a schedule.
    Schedule {
        /// The schedule.
        schedule: ScheduleId,
        /// The moment that it was planned for (ms since the epoch).
        occurrence: Millis,
    },
}
