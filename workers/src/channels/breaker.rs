//! The circuit breaker of a provider. Open, it *holds*: the work stays queued, no attempt is
//! burned, and one delivery at a time tries whether the provider is back. A call carries the
//! [`Permit`] it began with, so that while one call is trying, the late answers of calls that began
//! before decide nothing. Counting answers alone would take the first to come for the probe's.

use domain::policy::retry::PROBE_EVERY_MS;
use domain::values::{Outcome, ThrottleScope};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a provider is left alone that throttles and does not say for how long.
const THROTTLED: Duration = Duration::from_secs(1);

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
    /// Counts openings, probes and closings: who may still decide.
    generation: u64,
}

/// The right to begin calls, and to decide with their outcomes for as long as nothing has opened,
/// tried or closed the breaker since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    generation: u64,
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
        let inner = Inner { state: BreakerState::Closed, failures: 0, opened: 0, until: Duration::ZERO, probing: false, generation: 0 };
        Self { settings, inner: Mutex::new(inner) }
    }

    /// Its state.
    pub fn state(&self) -> BreakerState {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).state
    }

    /// How long it lets nothing through, from now on.
    pub fn pause(&self, now: Duration) -> Duration {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.state == BreakerState::Closed { Duration::ZERO } else { inner.until.saturating_sub(now) }
    }

    /// How many calls may begin now: any number, one as a probe, or none until a moment.
    pub fn admit(&self, now: Duration) -> Admission {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match inner.state {
            BreakerState::Closed => Admission::Any(Permit { generation: inner.generation }),
            _ if now < inner.until => Admission::Wait(inner.until.saturating_sub(now)),
            _ if inner.probing => Admission::Wait(Duration::from_millis(50)),
            _ => {
                inner.generation += 1;
                inner.probing = true;
                Admission::Probe(Permit { generation: inner.generation })
            }
        }
    }

    /// No call was begun with this permit: if it was a probe's, the next may try.
    pub fn unused(&self, permit: Permit) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.generation == permit.generation {
            inner.probing = false;
        }
    }

    /// Learns from the outcome of a call that was begun with this permit. Where that closes it, gives the state
    /// that it leaves.
    pub fn learn(&self, permit: Permit, outcome: &Outcome, now: Duration) -> Option<BreakerState> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.generation != permit.generation {
            inner.late(outcome, now);
            return None;
        }
        let probe = std::mem::take(&mut inner.probing);
        let before = inner.state;
        match outcome {
            Outcome::Accepted { .. } | Outcome::BadAddress { .. } | Outcome::Permanent { .. } | Outcome::Throttled { scope: ThrottleScope::Recipient, .. } => {
                inner.failures = 0;
                if probe {
                    inner.opened = 0;
                    inner.turn(BreakerState::Closed, Duration::ZERO);
                }
            }
            Outcome::Retry { after, .. } => self.failed(&mut inner, probe, *after, now),
            Outcome::Unknown { .. } => self.failed(&mut inner, probe, None, now),
            Outcome::Throttled { after, .. } => {
                let until = inner.until.max(now + after.unwrap_or(THROTTLED));
                inner.turn(BreakerState::Throttled, until);
            }
            Outcome::Misconfigured { .. } => inner.turn(BreakerState::Misconfigured, now + Duration::from_millis(PROBE_EVERY_MS.unsigned_abs())),
            Outcome::NotMade { .. } => {}
        }
        (before != BreakerState::Closed && inner.state == BreakerState::Closed).then_some(before)
    }

    fn failed(&self, inner: &mut Inner, probe: bool, after: Option<Duration>, now: Duration) {
        inner.failures += 1;
        if probe || inner.failures >= self.settings.failures {
            let pause = self.settings.first * 2_u32.pow(inner.opened.min(10));
            inner.opened += 1;
            inner.turn(BreakerState::Open, now + pause.min(self.settings.longest).max(after.unwrap_or_default().min(self.settings.longest)));
        }
    }
}

impl Inner {
    /// Goes over to a state; outcomes of calls that began before come too late from here on.
    const fn turn(&mut self, state: BreakerState, until: Duration) {
        self.state = state;
        self.until = until;
        self.generation += 1;
    }

    /// What a call that began before the last turn still says: only how long the provider asked
    /// to be left alone, which holds whoever was told.
    fn late(&mut self, outcome: &Outcome, now: Duration) {
        let Outcome::Throttled { after, scope, .. } = outcome else { return };
        if *scope == ThrottleScope::Recipient {
            return;
        }
        let until = self.until.max(now + after.unwrap_or(THROTTLED));
        match self.state {
            BreakerState::Closed => self.turn(BreakerState::Throttled, until),
            BreakerState::Open | BreakerState::Throttled | BreakerState::Misconfigured if !self.probing => self.until = until,
            BreakerState::Open | BreakerState::Throttled | BreakerState::Misconfigured => {}
        }
    }
}

/// What the breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Whatever there is room for.
    Any(Permit),
    /// One call, to see.
    Probe(Permit),
    /// Nothing, for this long.
    Wait(Duration),
}
