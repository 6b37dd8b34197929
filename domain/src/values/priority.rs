//! How urgent a notification is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Higher is drained first; lower never starves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// May wait: newsletters, suggestions.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Somebody is waiting for it: verification codes.
    High,
    /// Harm if it is late: alarms. Skips quiet hours and limits.
    Critical,
}

impl Priority {
    /// From the most to the least urgent.
    pub const DESCENDING: [Self; 4] = [Self::Critical, Self::High, Self::Normal, Self::Low];

    /// The name in events, configuration and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// A small stable number for compact storage: 0 is the most urgent.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Critical => 0,
            Self::High => 1,
            Self::Normal => 2,
            Self::Low => 3,
        }
    }

    /// Reads [`rank`](Self::rank) back.
    pub fn from_rank(rank: u8) -> Option<Self> {
        Self::DESCENDING.get(usize::from(rank)).copied()
    }
}
