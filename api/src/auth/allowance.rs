//! How many requests one credential may make: one that floods us delays only itself.
//!
//! A token bucket a caller, with two seconds' worth saved up. What a request costs beyond that is
//! bounded elsewhere (complexity, list length, the committer's queue).

use super::principal::Caller;
use commands::recent::Recent;
use std::sync::{Mutex, PoisonError};
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

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Duration,
}

/// See the module.
#[derive(Debug)]
pub struct Allowance {
    rates: Rates,
    buckets: Mutex<Recent<Uuid, Bucket>>,
}

impl Allowance {
    /// Nobody has used anything.
    pub fn new(rates: Rates) -> Self {
        Self { rates, buckets: Mutex::new(Recent::new(CALLERS)) }
    }

    /// Takes one request from a caller's bucket at a moment of the monotonic clock; false where
    /// it is empty.
    pub fn take(&self, caller: &Caller, now: Duration) -> bool {
        let (id, rate) = match caller {
            Caller::Administrator { key } | Caller::Sender { key, .. } => (key.0, self.rates.key),
            Caller::Recipient { id } => (id.0, self.rates.recipient),
        };
        if rate == 0 {
            return true;
        }
        let rate = f64::from(rate);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get(&id) {
            let earned = now.saturating_sub(bucket.at).as_secs_f64() * rate;
            bucket.left = (bucket.left + earned).min(rate * SAVED);
            bucket.at = bucket.at.max(now);
            let enough = bucket.left >= 1.0;
            if enough {
                bucket.left -= 1.0;
            }
            return enough;
        }
        buckets.insert(id, Bucket { left: rate * SAVED - 1.0, at: now });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Allowance, Rates};
    use crate::auth::Caller;
    use domain::values::{KeyId, RecipientId};
    use std::time::Duration;
    use uuid::Uuid;

    #[test]
    fn who_floods_is_held_and_nobody_else() {
        let allowance = Allowance::new(Rates { key: 10, recipient: 1 });
        let flooding = Caller::Administrator { key: KeyId(Uuid::from_u128(1)) };
        let other = Caller::Administrator { key: KeyId(Uuid::from_u128(2)) };
        let recipient = Caller::Recipient { id: RecipientId(Uuid::from_u128(3)) };
        let at = Duration::from_secs(100);
        assert_eq!((0..50).filter(|_| allowance.take(&flooding, at)).count(), 20, "two seconds' worth");
        assert!(allowance.take(&other, at));
        assert_eq!((0..50).filter(|_| allowance.take(&recipient, at)).count(), 2, "recipients have a rate of their own");
        assert_eq!((0..50).filter(|_| allowance.take(&flooding, at + Duration::from_secs(1))).count(), 10, "a second's worth came back");
    }

    #[test]
    fn without_a_rate_nothing_is_counted() {
        let allowance = Allowance::new(Rates::default());
        let caller = Caller::Administrator { key: KeyId(Uuid::from_u128(1)) };
        assert!((0..10_000).all(|_| allowance.take(&caller, Duration::ZERO)));
    }
}
