//! How often a provider is called: no oftener than its operator says, by all replicas together.
//!
//! A bucket that holds a tenth of a second's calls, so that a pause is not followed by a flood. Each of several
//! replicas that deliver makes its part of the calls: the rate holds without a store that could lose count, and
//! what a replica without work does not use is lost to the others. While a replica has died and is not yet
//! known to be dead, and for as long as one has come and is not yet known, the parts are too small or too
//! large for three seconds at most.

use commands::replicas::Peers;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// What a bucket holds, in seconds' worth.
const HELD: f64 = 0.1;

/// See the module.
pub struct Pace {
    a_second: f64,
    peers: watch::Receiver<Arc<Peers>>,
    role: &'static str,
    bucket: Mutex<Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Duration,
}

/// How many calls may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// So many at once, and they are taken.
    Calls(usize),
    /// None before this long.
    After(Duration),
}

impl Pace {
    /// So many calls a second, by all that live and have a role.
    pub fn new(a_second: NonZeroU32, peers: watch::Receiver<Arc<Peers>>, role: &'static str) -> Self {
        Self { a_second: f64::from(a_second.get()), peers, role, bucket: Mutex::new(Bucket { left: 1.0, at: Duration::ZERO }) }
    }

    #[allow(clippy::cast_precision_loss, reason = "replicas are few")]
    fn part(&self) -> f64 {
        self.a_second / self.peers.borrow().living_with(self.role).max(1) as f64
    }

    /// Takes up to so many calls. What is not made of them is to be given back.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never more than `most`, which is small")]
    pub fn take(&self, most: usize, now: Duration) -> Allowed {
        let part = self.part();
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let gained = now.saturating_sub(bucket.at).as_secs_f64() * part;
        let left = (bucket.left + gained).min(holds(part));
        // A hair's breadth is a matter of rounding.
        let calls = ((left + 1e-9).floor() as usize).min(most);
        *bucket = Bucket { left: left - calls as f64, at: now };
        if calls == 0 && most > 0 {
            return Allowed::After(Duration::from_secs_f64(((1.0 - left) / part).max(0.001)));
        }
        Allowed::Calls(calls)
    }

    /// Gives back calls that were taken and not made.
    #[allow(clippy::cast_precision_loss, reason = "small")]
    pub fn give_back(&self, calls: usize) {
        let most = holds(self.part());
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.left = (bucket.left + calls as f64).min(most);
    }
}

fn holds(part: f64) -> f64 {
    (part * HELD).max(1.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Allowed, Pace};
    use commands::replicas::{Peer, Peers};
    use proptest::prelude::*;
    use std::num::NonZeroU32;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::sync::watch;

    fn peers(count: u32) -> watch::Receiver<Arc<Peers>> {
        let peer = |number| Peer { number, name: String::new(), version: String::new(), roles: vec!["workers".to_owned()], shares: true };
        watch::channel(Arc::new(Peers { me: 1, living: (1..=count.into()).map(peer).collect(), certain: true, ended: Vec::new() })).1
    }

    fn pace(a_second: u32, replicas: u32) -> Pace {
        Pace::new(NonZeroU32::new(a_second).unwrap(), peers(replicas), "workers")
    }

    #[test]
    fn a_slow_one_is_called_one_by_one() {
        let pace = pace(2, 1);
        assert_eq!(pace.take(5, Duration::from_secs(10)), Allowed::Calls(1));
        assert_eq!(pace.take(5, Duration::from_secs(10)), Allowed::After(Duration::from_millis(500)));
        assert_eq!(pace.take(5, Duration::from_millis(10_500)), Allowed::Calls(1));
        pace.give_back(1);
        assert_eq!(pace.take(5, Duration::from_millis(10_500)), Allowed::Calls(1), "it was not made");
    }

    proptest! {
        #[test]
        fn in_no_second_are_there_more_calls_than_allowed_and_a_bucketful(
            a_second in 1_u32..2_000, replicas in 1_u32..5, asks in prop::collection::vec((0_u64..200, 1_usize..300), 1..200)
        ) {
            let paces: Vec<Pace> = (0..replicas).map(|_| pace(a_second, replicas)).collect();
            let (mut now, mut made) = (Duration::from_secs(1), Vec::new());
            for (pause, most) in asks {
                now += Duration::from_millis(pause);
                for pace in &paces {
                    if let Allowed::Calls(calls) = pace.take(most, now) {
                        made.push((now, calls));
                    }
                }
            }
            // Each replica may begin with one call, and holds at least one.
            let most = f64::from(a_second) * 1.1 + f64::from(2 * replicas);
            for (index, (from, _)) in made.iter().enumerate() {
                let within: usize = made[index..].iter().take_while(|(at, _)| *at < *from + Duration::from_secs(1)).map(|(_, calls)| calls).sum();
                prop_assert!(within as f64 <= most, "{within} calls in a second, allowed {a_second}");
            }
        }
    }
}
