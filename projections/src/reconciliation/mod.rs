//! The books with each provider: what we sent, what it took, what arrived, and where that differs.
//!
//! Guarantee: computed from the log whenever it is asked for, so it cannot lag or be wrong by itself,
//! and costs nothing when something is sent. Every attempt that began in the time asked for is looked
//! at with all that was heard of it since. Rejected: a read model of it, since an attempt's provider and
//! outcome are in different events, and a row for each attempt would cost a tenth of sending it.

mod accounts;
mod difference;
mod scan;
#[cfg(test)]
mod tests;
mod theirs;

pub use accounts::Accounts;
pub use difference::{Difference, Kind};
pub use scan::{MOST_ATTEMPTS, ScanError, scan};
pub use theirs::{Theirs, TheirsError};

use domain::values::{Millis, Money};
use serde::Serialize;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// From this moment (ms since the epoch).
    pub from: Millis,
    /// Up to this one, without it.
    pub upto: Millis,
    /// Only this provider.
    pub provider: Option<String>,
    /// A report may take so long before it is missed (ms).
    pub patience: Millis,
}

/// One day of one provider, over one channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The day (UTC), such as `2026-11-22`.
    pub day: String,
    /// The provider's configured name.
    pub provider: String,
    /// The channel.
    pub channel: String,
    /// Calls that we recorded before we made them.
    pub attempts: u64,
    /// It took responsibility.
    pub accepted: u64,
    /// It refused, or asked to come later; or the call was not made.
    pub refused: u64,
    /// Nobody knows whether it took it, and it has not reported since.
    pub unknown: u64,
    /// Under way.
    pub under_way: u64,
    /// It reported that it arrived.
    pub delivered: u64,
    /// It reported that it did not arrive.
    pub bounced: u64,
    /// It took it, and has reported neither; of providers that report nothing, all that it took.
    pub unreported: u64,
    /// Repeats after an attempt of unknown outcome.
    pub repeats: u64,
    /// Segments of text messages that it took with an answer.
    pub segments: u64,
    /// What those of them cost of which a price was configured when they were sent: a sum for each currency.
    pub costs: Vec<Money>,
}

/// The books.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// By day, provider and channel.
    pub rows: Vec<Row>,
    /// Where what we know and what the provider says differ, or may; in the order of the attempts.
    pub differences: Vec<Difference>,
    /// There are more than those.
    pub more: u64,
}
