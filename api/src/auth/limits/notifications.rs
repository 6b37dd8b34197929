//! How many notifications a sender may ask for, with all its keys and lists together. Refused before
//! anything is accepted, so that nothing of it is in the log.
//!
//! A bucket a sender, which holds a minute's worth; a list is taken as a whole or not at all. Each of
//! several replicas gives out its part of the rate.
//!
//! Guarantee: with a rate of r a minute, n replicas that answer requests let through r × (1 + t) in t minutes at
//! most, and r ÷ n more for each that starts meanwhile, with its bucket full. One is let through by each in any case.
//! Less is let through where a sender asks some of them only: r ÷ n each. Rejected: the stock that replicas share for requests.
//! It is asked once a share and not once a list, and what would be lent here is a thousand at a time.

use commands::ports::Clock;
use commands::recent::Recent;
use commands::replicas::Peers;
use domain::values::SenderKey;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Senders remembered. One that is forgotten starts with a full bucket.
const SENDERS: usize = 10_000;

/// Why a list was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooMany {
    /// There will be enough after so many seconds.
    Later(u32),
    /// There will never be so many at once; this is the most.
    Ever(usize),
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Duration,
}

/// See the module.
pub struct NotificationRate {
    per_minute: u32,
    peers: watch::Receiver<Arc<Peers>>,
    role: &'static str,
    clock: Arc<dyn Clock>,
    /// By sender, and whether it rehearses.
    buckets: Mutex<Recent<(SenderKey, bool), Bucket>>,
}

impl NotificationRate {
    /// Nobody has sent anything. 0 a minute stands for any number. `role` is that of replicas which
    /// answer requests.
    pub fn new(per_minute: u32, peers: watch::Receiver<Arc<Peers>>, role: &'static str, clock: Arc<dyn Clock>) -> Self {
        Self { per_minute, peers, role, clock, buckets: Mutex::new(Recent::new(SENDERS)) }
    }

    /// Takes so many notifications of what a sender is allowed, or none of them.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers of notifications are small")]
    pub fn take(&self, sender: &SenderKey, sandbox: bool, count: usize) -> Result<(), TooMany> {
        if self.per_minute == 0 {
            return Ok(());
        }
        let replicas = self.peers.borrow().living_with(self.role).max(1);
        let most = (f64::from(self.per_minute) / replicas as f64).max(1.0);
        let wanted = count as f64;
        if wanted > most {
            return Err(TooMany::Ever(most as usize));
        }
        let now = self.clock.monotonic();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (sender.clone(), sandbox);
        let before = buckets.get(&key).copied().unwrap_or(Bucket { left: most, at: now });
        let left = (before.left + now.saturating_sub(before.at).as_secs_f64() * most / 60.0).min(most);
        let after = left - wanted;
        let taken = after >= 0.0;
        buckets.insert(key, Bucket { left: if taken { after } else { left }, at: now });
        if taken { Ok(()) } else { Err(TooMany::Later((-after * 60.0 / most).ceil().max(1.0) as u32)) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{NotificationRate, TooMany};
    use commands::ports::ManualClock;
    use domain::values::SenderKey;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::sync::watch;

    #[test]
    fn a_list_is_taken_as_a_whole_and_comes_back_over_a_minute() {
        let clock = Arc::new(ManualClock::at(0));
        let of = |per_minute| NotificationRate::new(per_minute, watch::channel(Arc::default()).1, "api", Arc::<ManualClock>::clone(&clock) as _);
        let (shop, bank) = (SenderKey::new("shop").unwrap(), SenderKey::new("bank").unwrap());
        let rate = of(60);
        assert_eq!(rate.take(&shop, false, 61), Err(TooMany::Ever(60)));
        assert_eq!(rate.take(&shop, false, 50), Ok(()));
        assert_eq!(rate.take(&shop, false, 20), Err(TooMany::Later(10)), "nothing of it is taken");
        assert_eq!(rate.take(&shop, false, 10), Ok(()));
        assert_eq!(rate.take(&shop, true, 60), Ok(()), "rehearsals are counted apart");
        assert_eq!(rate.take(&bank, false, 60), Ok(()), "nobody pays for another");
        clock.advance(Duration::from_secs(20));
        assert_eq!(rate.take(&shop, false, 21), Err(TooMany::Later(1)));
        assert_eq!(rate.take(&shop, false, 20), Ok(()));
        clock.advance(Duration::from_secs(3_600));
        assert_eq!(rate.take(&shop, false, 60), Ok(()), "a minute's worth is saved up, no more");
        assert!(rate.take(&shop, false, 1).is_err());
        assert!((0..1_000).all(|_| of(0).take(&shop, false, 1_000).is_ok()), "0 is any number");
    }
}
