//! Limits, digests and conditions of plans.

use super::length;
use domain::values::{DigestSettings, DigestWindow, Limit, LimitWindow, NextWhen};

/// «3 a day of the calendar», «10 in any 1 hour».
pub(in crate::explain) fn limit(limit: &Limit) -> String {
    match limit.per {
        LimitWindow::Calendar(period) => format!("{} a {} of the calendar", limit.most, period.name()),
        LimitWindow::Sliding(millis) => format!("{} in any {}", limit.most, length(millis)),
    }
}

/// How long a digest collects.
pub(in crate::explain) fn digest_window(settings: &DigestSettings) -> String {
    match settings.window {
        DigestWindow::Fixed { millis } => format!("for {} from the first item", length(millis)),
        DigestWindow::Sliding { millis, at_most } => format!("until {} without an item, {} at most", length(millis), length(at_most)),
        DigestWindow::Until { local_time } => format!("until {local_time} on the recipient's clock"),
    }
}

/// The condition of a next step.
pub(in crate::explain) const fn next_when(when: NextWhen) -> &'static str {
    match when {
        NextWhen::NotSeen => "it has not been seen",
        NextWhen::NotRead => "it has not been read",
        NextWhen::Failed => "no delivery of the step before was taken by its provider, or all came back",
        NextWhen::NotDelivered => "no provider reports that a delivery of the step before arrived",
    }
}
