//! The circuit breaker of a provider. Open, it *holds*: the work stays queued, no attempt is
//! burned, and one delivery at a time tries whether the provider is back.

use domain::policy::retry::PROBE_EVERY_MS;
use domain::values::{Outcome, ThrottleScope};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// When it opens and closes.
#[derive(Debug, Clone, Copy)]
pub struct BreakerSettings {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open the first time; doubles up to `longest`.
    pub first: Duration,
    /// See `first`.
    pub longest: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { failures: 20, first: Duration::from_secs(1), longest: Duration::from_secs(60) }
    }
}

/// What an operator sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// Work is held because calls fail.
    Open,
    /// Work is held because the provider asked for it.
    Throttled,
    /// Work is held because credentials or settings are wrong.
    Misconfigured,
}

impl BreakerState {
    /// The name in metrics and in the CLI.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Throttled => "throttled",
            Self::Misconfigured => "misconfigured",
        }
    }
}

#[derive(Debug)]
struct Inner {
    state: BreakerState,
    failures: u32,
    opened: u32,
    until: Duration,
    probing: bool,
}

/// See the module. Times are monotonic.
#[derive(Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    inner: Mutex<Inner>,
}

impl Breaker {
    /// Closed.
    pub const fn new(settings: BreakerSettings) -> Self {
        Self { settings, inner: Mutex::new(Inner { state: BreakerState::Closed, failures: 0, opened: 0, until: Duration::ZERO, probing: false }) }
    }

    /// Its state.
    pub fn state(&self) -> BreakerState {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).state
    }

    /// How many calls may begin now: any number, one as a probe, or none until a moment.
    pub fn admit(&self, now: Duration) -> Admission {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match inner.state {
            BreakerState::Closed => Admission::Any,
            _ if now < inner.until => Admission::Wait(inner.until.saturating_sub(now)),
            _ if inner.probing => Admission::Wait(Duration::from_millis(50)),
            _ => {
                inner.probing = true;
                Admission::Probe
            }
        }
    }

    /// A probe was admitted and nothing was there to send.
    pub fn unused(&self) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).probing = false;
    }

    /// Learns from an outcome.
    pub fn learn(&self, outcome: &Outcome, now: Duration) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let probe = std::mem::take(&mut inner.probing);
        match outcome {
            Outcome::Accepted { .. } | Outcome::BadAddress { .. } | Outcome::Permanent { .. } | Outcome::Throttled { scope: ThrottleScope::Recipient, .. } => {
                inner.failures = 0;
                // Calls that began before it opened do not close it; the probe does.
                if probe || inner.state == BreakerState::Closed {
                    inner.state = BreakerState::Closed;
                    inner.opened = 0;
                }
            }
            Outcome::Retry { after, .. } => self.failed(&mut inner, probe, *after, now),
            Outcome::Unknown { .. } => self.failed(&mut inner, probe, None, now),
            Outcome::Throttled { after, .. } => {
                inner.state = BreakerState::Throttled;
                inner.until = inner.until.max(now + after.unwrap_or(Duration::from_secs(1)));
            }
            Outcome::Misconfigured { .. } => {
                inner.state = BreakerState::Misconfigured;
                inner.until = now + Duration::from_millis(PROBE_EVERY_MS.unsigned_abs());
            }
            Outcome::NotMade { .. } => {}
        }
    }

    fn failed(&self, inner: &mut Inner, probe: bool, after: Option<Duration>, now: Duration) {
        inner.failures += 1;
        let opens = inner.failures >= self.settings.failures && inner.state == BreakerState::Closed;
        if opens || probe {
            let pause = self.settings.first * 2_u32.pow(inner.opened.min(10));
            inner.state = BreakerState::Open;
            inner.opened += 1;
            inner.until = now + pause.min(self.settings.longest).max(after.unwrap_or_default().min(self.settings.longest));
        }
    }
}

/// What the breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Whatever there is room for.
    Any,
    /// One call, to see.
    Probe,
    /// Nothing, for this long.
    Wait(Duration),
}
