//! How many notifications somebody may get in a stretch of time.

use super::{DAY_MS, Millis};
use crate::calendar::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Limits that one category (or the whole system) may have.
pub const MAX_LIMITS: usize = 5;

/// At most so many in such a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limit {
    /// The most, 1 to 100.
    pub most: u32,
    /// The window.
    pub per: LimitWindow,
}

/// The stretch of time that a limit is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitWindow {
    /// An hour, day … of the calendar in the recipient's time zone.
    Calendar(Period),
    /// Any stretch of so many milliseconds: two that are exactly so far apart are not in one.
    Sliding(Millis),
}

/// Why limits were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// Nothing would ever be sent.
    #[error("a limit of 0 would let nothing through; the least is 1, and who wants none at all switches the category off")]
    Zero,
    /// Too many to count.
    #[error("a limit is at most 100, not {0}")]
    TooHigh(u32),
    /// Out of bounds.
    #[error("the window of a sliding limit has one second to 31 days")]
    Window,
    /// Too many.
    #[error("at most {MAX_LIMITS} limits, not {0}")]
    TooMany(usize),
}

/// Checks a list of limits.
pub fn check_limits(limits: &[Limit]) -> Result<(), LimitError> {
    if limits.len() > MAX_LIMITS {
        return Err(LimitError::TooMany(limits.len()));
    }
    for limit in limits {
        match (limit.most, limit.per) {
            (0, _) => return Err(LimitError::Zero),
            (most @ 101.., _) => return Err(LimitError::TooHigh(most)),
            (_, LimitWindow::Sliding(millis)) if !(1_000..=31 * DAY_MS).contains(&millis) => return Err(LimitError::Window),
            _ => {}
        }
    }
    Ok(())
}
