//! How many messages or calls may still go, in one hour, to one country or to one range of numbers.
//!
//! One stream for each of them and each hour, so that none grows. Whoever sends draws a few at once and
//! spends them by itself: what was drawn is spent, even where its process dies, so more than the cap
//! never goes out, whoever dies and however many replicas draw. Rejected: counting attempts behind the
//! log's head. Each replica would be behind by another stretch, and let the flood through for as long.

mod state;
#[cfg(test)]
mod tests;

pub use state::{Draw, Quota, QuotaDrawn, QuotaEvent, QuotaRefusal};

crate::cqrs_aggregate!(Quota, "quota");
