//! How long a digest collects, how much of it is listed, and in whose words.

use super::{DAY_MS, Millis, TemplateKey};
use crate::calendar::LocalTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a category's digests are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DigestSettings {
    /// How long it collects.
    pub window: DigestWindow,
    /// Items that the summary lists, 1 to 1000; further ones are counted only.
    pub max_items: u16,
    /// The template that says the summary; absent: in the words of Bongsu's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateKey>,
}

/// When a digest closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DigestWindow {
    /// So long after the first item.
    Fixed {
        /// Milliseconds, one second to seven days.
        millis: Millis,
    },
    /// So long after the last item.
    Sliding {
        /// Milliseconds without an item, one second to seven days.
        millis: Millis,
        /// But no later than this after the first (ms, up to seven days).
        at_most: Millis,
    },
    /// At the next such time on the recipient's clock.
    Until {
        /// The time of day.
        local_time: LocalTime,
    },
}

/// Why digest settings were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// Out of bounds.
    #[error("a digest collects for one second to seven days")]
    Window,
    /// It could never slide.
    #[error("a sliding digest's `at_most` is no shorter than its window, and at most seven days")]
    AtMost,
    /// Out of bounds.
    #[error("a digest lists 1 to 1000 items, not {0}")]
    Items(u16),
}

impl DigestSettings {
    /// Checks the bounds.
    pub fn check(&self) -> Result<(), DigestError> {
        let bounds = 1_000..=7 * DAY_MS;
        match self.window {
            DigestWindow::Fixed { millis } | DigestWindow::Sliding { millis, .. } if !bounds.contains(&millis) => return Err(DigestError::Window),
            DigestWindow::Sliding { millis, at_most } if at_most < millis || !bounds.contains(&at_most) => return Err(DigestError::AtMost),
            _ => {}
        }
        if !(1..=1_000).contains(&self.max_items) {
            return Err(DigestError::Items(self.max_items));
        }
        Ok(())
    }
}
