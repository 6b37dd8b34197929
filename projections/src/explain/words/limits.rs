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

/// How long a digest collects, and whose words its summary is in.
pub(in crate::explain) fn digest(settings: &DigestSettings) -> String {
    let window = match settings.window {
        DigestWindow::Fixed { millis } => format!("for {} from the first item", length(millis)),
        DigestWindow::Sliding { millis, at_most } => format!("until {} without an item, {} at most", length(millis), length(at_most)),
        DigestWindow::Until { local_time } => format!("until {local_time} on the recipient's clock"),
    };
    match &settings.template {
        Some(key) => format!("{window} and are told by template {key}"),
        None => window,
    }
}

/// Why a template could not say a digest's summary.
pub(in crate::explain) fn template_unused(code: &str) -> &str {
    match code {
        "TEMPLATE_NOT_FOUND" => "it did not exist",
        "TEMPLATE_UNPUBLISHED" => "it was not published",
        "TEMPLATE_ARCHIVED" => "it was archived",
        "TEMPLATE_NOT_A_MESSAGE" => "it is a layout or partial",
        "TEMPLATE_PARAMETERS" => "it needs parameters that no digest gives",
        "TEMPLATE_NO_BODY" => "it has nothing for one of the channels",
        _ => super::answer(None, code).unwrap_or(code),
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
