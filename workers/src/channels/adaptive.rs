//! How much of what a provider may be asked to do at once it is asked to do.
//!
//! Throttled, it is halved; answered, it grows by a step a round, up to what is configured (additive
//! increase, multiplicative decrease). After an outage it begins with one call and doubles with each round
//! of answers, so that a provider that has just come back is not knocked over by what waited for it. A rate
//! is scaled by the same share. An answer to a call that began before the last change changes nothing:
//! else the twenty answers of one moment would halve it twenty times.
//!
//! Rejected: estimating the provider's capacity from the time its calls take. That time says more about
//! the network.

use domain::values::{Outcome, ThrottleScope};
use std::sync::{Mutex, PoisonError};

/// Never less than this share.
const LEAST: f64 = 1.0 / 64.0;
/// Rounds that it takes at least to grow from nothing to all, where few calls make a round.
const ROUNDS: f64 = 16.0;

/// The moment in which a call began, as counted by changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round(u64);

/// See the module.
#[derive(Debug)]
pub struct Adaptive {
    bound: f64,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    share: f64,
    /// It comes back from an outage.
    doubling: bool,
    round: u64,
}

impl Adaptive {
    /// All of what is configured.
    #[allow(clippy::cast_precision_loss, reason = "calls at once are few")]
    pub fn new(bound: usize) -> Self {
        Self { bound: bound.max(1) as f64, inner: Mutex::new(Inner { share: 1.0, doubling: false, round: 0 }) }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        look(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The share of what is configured, over 0 and up to 1.
    pub fn share(&self) -> f64 {
        self.with(|inner| inner.share)
    }

    /// Calls at once; at least one.
    pub fn limit(&self) -> usize {
        self.with(|inner| self.calls(inner.share))
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the bound")]
    fn calls(&self, share: f64) -> usize {
        // A hair's breadth is a matter of rounding.
        ((share * self.bound + 1e-6).floor() as usize).max(1)
    }

    /// Of a call that begins now.
    pub fn round(&self) -> Round {
        Round(self.with(|inner| inner.round))
    }

    /// The provider is back: one call, and twice as many each round.
    pub fn restart(&self) {
        self.with(|inner| *inner = Inner { share: (1.0 / self.bound).max(LEAST), doubling: true, round: inner.round + 1 });
    }

    /// Learns from the outcome of a call.
    pub fn learn(&self, round: Round, outcome: &Outcome) {
        self.with(|inner| match outcome {
            _ if round.0 != inner.round => {}
            Outcome::Throttled { scope: ThrottleScope::Provider, .. } => {
                *inner = Inner { share: (inner.share / 2.0).max(LEAST), doubling: false, round: inner.round + 1 };
            }
            Outcome::Accepted { .. } | Outcome::BadAddress { .. } | Outcome::Permanent { .. } if inner.share < 1.0 => {
                let step = if inner.doubling { inner.share } else { 1.0 / self.bound.max(ROUNDS) };
                #[allow(clippy::cast_precision_loss, reason = "calls at once are few")]
                let answers = self.calls(inner.share) as f64;
                // A round is as many answers as there are calls at once.
                inner.share = (inner.share + step / answers).min(1.0);
            }
            _ => {}
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Adaptive, LEAST};
    use domain::values::{Outcome, ThrottleScope};
    use proptest::prelude::*;

    fn throttled() -> Outcome {
        Outcome::Throttled { after: None, scope: ThrottleScope::Provider, code: "429".to_owned() }
    }

    fn accepted() -> Outcome {
        Outcome::Accepted { provider_id: None }
    }

    /// As many answers as there are calls at once.
    fn answered(adaptive: &Adaptive) -> usize {
        let (round, calls) = (adaptive.round(), adaptive.limit());
        (0..calls).for_each(|_| adaptive.learn(round, &accepted()));
        adaptive.limit()
    }

    #[test]
    fn one_moments_refusals_halve_it_once_and_it_grows_by_one_a_round() {
        let adaptive = Adaptive::new(20);
        let round = adaptive.round();
        (0..20).for_each(|_| adaptive.learn(round, &throttled()));
        assert_eq!(adaptive.limit(), 10);
        adaptive.learn(round, &accepted());
        assert_eq!(adaptive.limit(), 10, "an answer from before says nothing");
        assert_eq!((1..=3).map(|_| answered(&adaptive)).collect::<Vec<_>>(), [11, 12, 13]);
        (0..40).for_each(|_| _ = answered(&adaptive));
        assert_eq!((adaptive.limit(), adaptive.share()), (20, 1.0));
    }

    #[test]
    fn after_an_outage_it_begins_with_one_and_doubles() {
        let adaptive = Adaptive::new(20);
        adaptive.restart();
        let grown: Vec<usize> = (0..6).map(|_| answered(&adaptive)).collect();
        assert!(grown[0] >= 2 && grown.windows(2).all(|pair| pair[1] >= pair[0]) && grown[5] == 20, "{grown:?}");
        assert!(grown.iter().filter(|calls| **calls < 20).count() >= 3, "in steps: {grown:?}");
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds(bound in 1_usize..300, told in prop::collection::vec(0_u8..4, 0..300)) {
            let adaptive = Adaptive::new(bound);
            for what in told {
                let before = adaptive.share();
                match what {
                    0 => adaptive.learn(adaptive.round(), &throttled()),
                    1 => adaptive.restart(),
                    2 => {
                        adaptive.learn(adaptive.round(), &Outcome::Retry { after: None, code: "503".to_owned() });
                        prop_assert!(adaptive.share() == before);
                    }
                    _ => {
                        adaptive.learn(adaptive.round(), &accepted());
                        prop_assert!(adaptive.share() >= before);
                    }
                }
                prop_assert!((LEAST..=1.0).contains(&adaptive.share()) && (1..=bound).contains(&adaptive.limit()));
            }
        }
    }
}
