//! What a rate means for one of several replicas.
//!
//! What a caller may have saved up lies in two places: each replica that serves it holds a share, to answer
//! from without asking anybody, and the rest is the common stock. All together they hold two seconds'
//! worth, as one process would. A share is what may come between two settlements, and no less than one
//! request: so with more than seven replicas, or at rates of one or two a second, a little more lies about.

use super::SAVED;
use std::time::Duration;

/// See the module. Numbers of requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// A second, of one that cannot ask the others.
    pub divided: f64,
    /// The most that it saves up.
    pub saved: f64,
    /// What a replica holds, and what it lets through before it has asked for that.
    pub share: f64,
    /// What the common stock holds.
    pub depth: f64,
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
        let share = (rate * every.as_secs_f64()).max(1.0);
        Self { divided, saved: (divided * SAVED).max(1.0), share, depth: (rate * SAVED - replicas * share).max(share) }
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
        }
        let slow = Terms::of(1.0, 3, Duration::from_millis(250));
        assert!(slow.share >= 1.0 && slow.depth >= 1.0 && slow.saved >= 1.0, "{slow:?}");
    }
}
