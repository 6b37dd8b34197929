//! What a rate means for one of several replicas.
//!
//! What a caller may have saved up lies in two places: each replica holds a share, to answer from without
//! asking anybody, and the rest is the common stock. All together they hold two seconds' worth, as one
//! process would. One request is the least that can be held, and a share is no less than what may come
//! between two exchanges: so with more than seven replicas, or at rates of one or two a second, a
//! little more lies about.

use super::SAVED;
use std::time::Duration;

/// See the module. Numbers of requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// A second, of one that cannot ask the others.
    pub divided: f64,
    /// The most that it saves up.
    pub saved: f64,
    /// What a replica holds.
    pub share: f64,
    /// What the common stock holds.
    pub depth: f64,
    /// What a replica lets through before it has asked for a share.
    pub credit: f64,
}

impl Terms {
    /// Of a process that answers all requests.
    pub fn alone(rate: f64) -> Self {
        Self::of(rate, 1, Duration::ZERO)
    }

    /// Of one of so many replicas, which exchange so often.
    #[allow(clippy::cast_precision_loss, reason = "replicas are few")]
    pub fn of(rate: f64, replicas: usize, every: Duration) -> Self {
        let replicas = replicas.max(1) as f64;
        let divided = rate / replicas;
        let meanwhile = rate * every.as_secs_f64();
        let share = divided.max(meanwhile).max(1.0);
        let depth = (rate * SAVED - replicas * share).max(meanwhile).max(1.0);
        Self { divided, saved: (divided * SAVED).max(1.0), share, depth, credit: meanwhile.max(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::Terms;
    use std::time::Duration;

    #[test]
    fn all_places_together_hold_two_seconds_worth() {
        for replicas in 2..=7 {
            let terms = Terms::of(100.0, replicas, Duration::from_millis(250));
            #[allow(clippy::cast_precision_loss)]
            let all = terms.depth + terms.share * replicas as f64;
            assert!((all - 200.0).abs() < 0.001, "{replicas} replicas: {terms:?}");
            assert!(terms.credit <= terms.share && terms.share >= 25.0, "{replicas} replicas: {terms:?}");
        }
        let slow = Terms::of(1.0, 3, Duration::from_millis(250));
        assert!(slow.share >= 1.0 && slow.credit >= 1.0 && slow.saved >= 1.0, "{slow:?}");
    }
}
