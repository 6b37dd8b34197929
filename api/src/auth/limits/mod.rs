//! How many requests one credential may make: one that floods us delays only itself.
//!
//! A token bucket a caller, with two seconds' worth saved up. What a request costs beyond that is
//! bounded elsewhere (complexity, list length, the committer's queue). Adapters: [`InMemory`], where one
//! process answers all requests, and [`SharedLimits`], where several replicas do.

mod account;
mod address;
mod memory;
mod notifications;
mod shared;
mod stock;
mod terms;

pub use address::Mistakes;
pub use memory::InMemory;
pub use notifications::{NotificationRate, TooMany};
pub use shared::SharedLimits;
pub use stock::RedisStock;

use super::principal::Caller;
use std::time::Duration;
use uuid::Uuid;

/// Callers remembered. One that is forgotten starts with a full bucket.
const CALLERS: usize = 100_000;
/// Seconds' worth of requests that may come at once.
const SAVED: f64 = 2.0;

/// Requests a second; 0 for any number.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    /// Of one API key.
    pub key: u32,
    /// Of one recipient, all its tokens together.
    pub recipient: u32,
}

impl Rates {
    /// Whose requests a caller's are, and how many of them are allowed a second; none where any number is.
    fn of(&self, caller: &Caller) -> Option<(Uuid, f64)> {
        let (id, rate) = match caller {
            Caller::Administrator { key } | Caller::Sender { key, .. } => (key.0, self.key),
            Caller::Recipient { id } => (id.0, self.recipient),
        };
        (rate > 0).then(|| (id, f64::from(rate)))
    }
}

/// The limits of requests.
pub trait Limits: Send + Sync + 'static {
    /// Takes one request of what a caller is allowed, at a moment of the monotonic clock; false where
    /// nothing is left. Never waits for anything.
    fn take(&self, caller: &Caller, now: Duration) -> bool;
}
