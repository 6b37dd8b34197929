//! How often a recipient was told something: what limits and dedup windows rest on.
//!
//! One stream per recipient (another for the sandbox), appended in the commit of the decision with
//! its sequence expected, so that each place is given once. An event carries the moment of the
//! *place* that was taken, which may be to come: who is over a limit takes the next free place and
//! waits for it. A place that was taken is spent, even if its notification is not sent in the end; but whoever is taken
//! back while it waits for its place gives it back. Those who wait behind keep theirs, so that no moment that was
//! told changes.

mod places;
mod state;
#[cfg(test)]
mod tests;

pub use places::{Clock, Found};
pub use state::{Count, Counted, Frequency, FrequencyEvent, FrequencyRefusal, MAX_EVENTS, MAX_KEPT, MAX_WAITING, Place, PlaceFreed, Told};

crate::cqrs_aggregate!(Frequency, "frequency");
