//! How often a provider is called: no oftener than its operator says, by all replicas together.
//!
//! A bucket that holds a tenth of a second's calls, so that a pause is not followed by a flood. Each of several
//! replicas that deliver makes its part of the calls: the rate holds without a store that could lose count, and
//! what a replica without work does not use is lost to the others. While a replica has died and is not yet
//! known to be dead, and for as long as one has come and is not yet known, the parts are too small or too
//! large for three seconds at most.

use commands::replicas::Peers;
use domain::values::{DAY_MS, Millis};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// What a bucket holds, in seconds' worth.
const HELD: f64 = 0.1;
/// The same while a provider is being warmed up: what little is allowed a day need not be spread evenly.
const HELD_RAMPING: f64 = 3_600.0;
/// Longest pause that is told: what is allowed may have grown until then.
const LONGEST: f64 = 60.0;

/// A provider that is to be called seldom at first, and twice as often each day: mail providers ask for it where
/// a domain or an address is new to them. It begins on a day that is written down, so that neither a restart nor
/// another replica begins it anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RampUp {
    /// Calls on the first day.
    pub first: NonZeroU32,
    /// When that day begins (ms since the epoch).
    pub from: Millis,
}

impl RampUp {
    /// Calls a second at a moment; 0 before the first day.
    pub fn a_second(self, now: Millis) -> f64 {
        let day = (now - self.from).div_euclid(DAY_MS);
        if day < 0 { 0.0 } else { f64::from(self.first.get()) * 2_f64.powi(i32::try_from(day.min(40)).unwrap_or(40)) / 86_400.0 }
    }
}

#[derive(Debug, Clone, Copy)]
enum Rate {
    Steady(f64),
    Ramp(RampUp),
}

/// See the module.
pub struct Pace {
    rate: Rate,
    peers: watch::Receiver<Arc<Peers>>,
    role: &'static str,
    bucket: Mutex<Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Duration,
    holds: f64,
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
        Self::of(Rate::Steady(f64::from(a_second.get())), peers, role)
    }

    /// As many as the ramp allows, likewise.
    pub fn ramping(ramp: RampUp, peers: watch::Receiver<Arc<Peers>>, role: &'static str) -> Self {
        Self::of(Rate::Ramp(ramp), peers, role)
    }

    fn of(rate: Rate, peers: watch::Receiver<Arc<Peers>>, role: &'static str) -> Self {
        Self { rate, peers, role, bucket: Mutex::new(Bucket { left: 1.0, at: Duration::ZERO, holds: 1.0 }) }
    }

    /// Calls a second that this replica may make at a moment, at this share of what is configured.
    #[allow(clippy::cast_precision_loss, reason = "replicas are few")]
    pub fn part(&self, date: Millis, share: f64) -> f64 {
        let all = match self.rate {
            Rate::Steady(a_second) => a_second,
            Rate::Ramp(ramp) => ramp.a_second(date),
        };
        share * all / self.peers.borrow().living_with(self.role).max(1) as f64
    }

    /// Takes up to so many calls, at a share of the rate. What is not made of them is to be given back.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never more than `most`, which is small")]
    pub fn take(&self, most: usize, share: f64, now: Duration, date: Millis) -> Allowed {
        let part = self.part(date, share);
        let held = if matches!(self.rate, Rate::Ramp(_)) { HELD_RAMPING } else { HELD };
        let holds = (part * held).max(1.0);
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let gained = now.saturating_sub(bucket.at).as_secs_f64() * part;
        let left = (bucket.left + gained).min(holds);
        // A hair's breadth is a matter of rounding.
        let calls = ((left + 1e-9).floor() as usize).min(most);
        *bucket = Bucket { left: left - calls as f64, at: now, holds };
        if calls == 0 && most > 0 {
            // Where nothing is allowed yet, no pause is long enough.
            return Allowed::After(Duration::from_secs_f64(((1.0 - left) / part.max(1e-9)).clamp(0.001, LONGEST)));
        }
        Allowed::Calls(calls)
    }

    /// Gives back calls that were taken and not made.
    #[allow(clippy::cast_precision_loss, reason = "small")]
    pub fn give_back(&self, calls: usize) {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.left = (bucket.left + calls as f64).min(bucket.holds);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Allowed, Pace, RampUp};
    use commands::replicas::{Peer, Peers};
    use domain::values::DAY_MS;
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
        assert_eq!(pace.take(5, 1.0, Duration::from_secs(10), 0), Allowed::Calls(1));
        assert_eq!(pace.take(5, 1.0, Duration::from_secs(10), 0), Allowed::After(Duration::from_millis(500)));
        assert_eq!(pace.take(5, 1.0, Duration::from_millis(10_500), 0), Allowed::Calls(1));
        pace.give_back(1);
        assert_eq!(pace.take(5, 1.0, Duration::from_millis(10_500), 0), Allowed::Calls(1), "it was not made");
    }

    #[test]
    fn half_the_share_is_half_the_rate() {
        let pace = pace(100, 1);
        assert_eq!(pace.take(100, 0.5, Duration::from_secs(10), 0), Allowed::Calls(5));
        assert_eq!(pace.take(100, 0.5, Duration::from_millis(10_100), 0), Allowed::Calls(5));
    }

    #[test]
    fn a_ramp_doubles_each_day_and_lets_nothing_through_before_the_first() {
        let ramp = RampUp { first: NonZeroU32::new(48).unwrap(), from: 10 * DAY_MS };
        assert_eq!(ramp.a_second(10 * DAY_MS - 1), 0.0);
        for (day, calls) in [(0, 48.0), (1, 96.0), (5, 1_536.0)] {
            assert!((ramp.a_second((10 + day) * DAY_MS + 5) * 86_400.0 - calls).abs() < 1e-6, "day {day}");
        }
        let pace = Pace::ramping(ramp, peers(1), "workers");
        assert_eq!(pace.take(9, 1.0, Duration::from_secs(1), 0), Allowed::Calls(1), "as any bucket, it begins with one");
        assert!(matches!(pace.take(9, 1.0, Duration::from_secs(900_000), 0), Allowed::After(_)));
        // What an hour allows may go at once, and no more.
        assert_eq!(pace.take(9, 1.0, Duration::from_secs(2_000_000), 10 * DAY_MS), Allowed::Calls(2));
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
                    if let Allowed::Calls(calls) = pace.take(most, 1.0, now, 0) {
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
