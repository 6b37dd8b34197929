//! A rule in force: its use count, its bucket or window, and how its action becomes a fault.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

use super::{Action, Fate, Fault, Rule, SmtpStage};

#[derive(Debug)]
pub(super) struct Active {
    pub(super) rule: Rule,
    pub(super) used: u64,
    /// Tokens left and when they were counted (throttle), or requests and start of the window (quota).
    pub(super) level: f64,
    pub(super) since_micros: i64,
}

impl Active {
    pub(super) fn apply(&mut self, random: &mut StdRng, now: i64) -> Fate {
        let elapsed = (now.saturating_sub(self.since_micros)).max(0) as f64 / 1e6;
        Fate::fault(match &self.rule.action {
            Action::Error { status, reason, retry_after, at } => {
                Fault::Error { status: *status, reason: reason.clone(), retry_after: *retry_after, at: at.unwrap_or(SmtpStage::Rcpt) }
            }
            Action::Latency { ms, jitter_ms, sigma } => {
                let delay = Some(latency(random, *ms, *jitter_ms, *sigma));
                return Fate { delay, fault: None };
            }
            Action::Throttle { rate_per_s, burst, retry_after } => {
                self.level = (self.level + elapsed * rate_per_s.max(0.0)).min(*burst);
                self.since_micros = now;
                if self.level >= 1.0 {
                    self.level -= 1.0;
                    return Fate::default();
                }
                Fault::Throttled { retry_after: *retry_after }
            }
            Action::Quota { limit, window_s, retry_after } => {
                if self.used == 1 || elapsed >= *window_s as f64 {
                    self.level = 0.0;
                    self.since_micros = now;
                }
                self.level += 1.0;
                if self.level <= *limit as f64 {
                    return Fate::default();
                }
                Fault::Throttled { retry_after: *retry_after }
            }
            Action::Hang => Fault::Hang,
            Action::Reset => Fault::Reset,
            Action::RstStream => Fault::RstStream,
            Action::Goaway { reason } => Fault::Goaway(reason.clone()),
            Action::AcceptThenDrop => Fault::AcceptThenDrop,
            Action::UnavailableAfterDelivery => Fault::UnavailableAfterDelivery,
            Action::AcceptThenLose => Fault::AcceptThenLose,
            Action::DeliverTwice => Fault::DeliverTwice,
            Action::Garbage => Fault::Garbage,
            Action::Noise => Fault::Noise,
            Action::ErrorInside => Fault::ErrorInside,
            Action::Empty => Fault::Empty,
            Action::Outage => Fault::Outage,
        })
    }
}

/// Longest delay a rule can cause; a log-normal tail or a slip of the pen must not park tasks for days.
const MAX_DELAY_MS: f64 = 3_600_000.0;

fn latency(random: &mut StdRng, ms: u64, jitter_ms: u64, sigma: f64) -> Duration {
    let mut delay = ms as f64;
    if sigma > 0.0 {
        // Box-Muller: 1 - u keeps the logarithm's argument above zero.
        let (u, v): (f64, f64) = (random.random(), random.random());
        let normal = (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        delay *= (sigma * normal).exp();
    }
    delay += random.random::<f64>() * jitter_ms as f64;
    Duration::from_secs_f64(delay.clamp(0.0, MAX_DELAY_MS) / 1_000.0)
}
