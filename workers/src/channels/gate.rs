//! The gate to one provider: whether a call may begin there now, as its breaker, its pace and its free
//! slots say together.
//!
//! Guarantee: an [`Offer`] holds what it offers until it is dropped, and a [`Slot`] until its call ends; what
//! was offered and not called is given back to all three by itself, on whatever way it is left.

use super::adaptive::{Adaptive, Round};
use super::breaker::{Admission, Breaker, BreakerSettings, BreakerState, Permit};
use super::pace::{Allowed, Pace};
use crate::providers::Provider;
use domain::policy::routing::Terms;
use domain::values::{Millis, Outcome};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// A provider as a worker serves it.
pub struct Serving {
    /// The provider.
    pub provider: Arc<dyn Provider>,
    /// What it is asked to serve.
    pub terms: Terms,
    /// How often it may be called; none for any number.
    pub paces: Vec<Pace>,
}

impl Serving {
    /// A provider that serves everything, as often as it can.
    pub fn any(provider: Arc<dyn Provider>) -> Self {
        let terms = Terms::any(provider.name());
        Self { provider, terms, paces: Vec::new() }
    }
}

/// See the module.
pub(super) struct Gate {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) breaker: Arc<Breaker>,
    paces: Vec<Pace>,
    adaptive: Adaptive,
    /// Calls under way, and those that were offered.
    busy: AtomicUsize,
    freed: Arc<Notify>,
    line: Mutex<Line>,
}

/// Those who were told to come again, as if they stood in a line.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// When the last of them is due.
    until: Duration,
    /// How long a call takes, in seconds.
    call: f64,
}

/// Shortest pause of who is told to come again.
pub(super) const SHORTEST: Duration = Duration::from_secs(1);
/// The longest of who is in a hurry.
const HURRIED: Duration = Duration::from_secs(5);
/// Shortest pause behind a provider that does not work.
const OUTAGE: Duration = Duration::from_secs(60);
/// The longest: by then another may serve it.
const LONGEST: Duration = Duration::from_secs(600);

impl Line {
    /// When the next is to come: behind the last one, as fast as calls can be made.
    fn join(&mut self, now: Duration, closed: Duration, calls_a_second: f64) -> Duration {
        let due = self.until.max(now + closed.max(SHORTEST)).min(now + LONGEST);
        self.until = due + Duration::from_secs_f64(1.0 / calls_a_second.max(0.01));
        due - now
    }
}

/// What a gate lets through.
pub(super) enum Opening {
    /// So many calls.
    Calls(Offer),
    /// None before a call ends.
    Full,
    /// None before this long.
    Wait(Duration),
}

impl Gate {
    pub(super) fn new(serving: Serving, settings: BreakerSettings, freed: Arc<Notify>) -> (Self, Terms) {
        let Serving { provider, terms, paces } = serving;
        let adaptive = Adaptive::new(provider.concurrency());
        let line = Mutex::new(Line { until: Duration::ZERO, call: 0.5 });
        (Self { provider, breaker: Arc::new(Breaker::new(settings)), paces, adaptive, busy: AtomicUsize::new(0), freed, line }, terms)
    }

    /// Opens for up to so many calls.
    pub(super) fn open(self: &Arc<Self>, most: usize, now: Duration, date: Millis) -> Opening {
        let (permit, most) = match self.breaker.admit(now) {
            Admission::Any(permit) => (permit, most.min(self.adaptive.limit().saturating_sub(self.busy.load(Ordering::Acquire)))),
            Admission::Probe(permit) => (permit, 1),
            Admission::Wait(pause) => return Opening::Wait(pause),
        };
        if most == 0 {
            return Opening::Full;
        }
        let share = self.adaptive.share();
        let mut left = most;
        for (place, pace) in self.paces.iter().enumerate() {
            match pace.take(left, share, now, date) {
                Allowed::Calls(calls) => {
                    self.paces[..place].iter().for_each(|before| before.give_back(left - calls));
                    left = calls;
                }
                Allowed::After(pause) => {
                    self.paces[..place].iter().for_each(|before| before.give_back(left));
                    self.breaker.unused(permit);
                    return Opening::Wait(pause);
                }
            }
        }
        self.busy.fetch_add(left, Ordering::AcqRel);
        Opening::Calls(Offer { gate: Arc::clone(self), permit, round: self.adaptive.round(), left })
    }

    /// How long somebody in a hurry is to wait whom nobody can serve now: before the line, and no longer than
    /// it takes to see whether a call can begin.
    pub(super) fn hurry(&self, now: Duration) -> Duration {
        self.breaker.pause(now).clamp(SHORTEST, HURRIED)
    }

    /// How long somebody is to wait whom nobody can serve now.
    pub(super) fn join(&self, now: Duration, date: Millis) -> Duration {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        #[allow(clippy::cast_precision_loss, reason = "calls at once are few")]
        let able = self.adaptive.limit() as f64 / line.call.max(0.001);
        let share = self.adaptive.share();
        let able = self.paces.iter().map(|pace| pace.part(date, share)).fold(able, f64::min);
        // While it does not work, each look is an event: one a minute will do.
        let closed = if self.breaker.state() == BreakerState::Open { OUTAGE } else { Duration::ZERO };
        line.join(now, self.breaker.pause(now).max(closed), able)
    }

    /// How long the next to join waits.
    pub(super) fn wait(&self, now: Duration) -> Duration {
        let line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.until.saturating_sub(now).max(self.breaker.pause(now))
    }

    fn free(&self, calls: usize) {
        self.busy.fetch_sub(calls, Ordering::AcqRel);
        self.freed.notify_one();
    }

    /// Calls that were offered and not made.
    fn unmade(&self, permit: Permit, calls: usize) {
        self.paces.iter().for_each(|pace| pace.give_back(calls));
        // Nor was one of them the breaker's probe.
        self.breaker.unused(permit);
        self.free(calls);
    }
}

/// Calls that may begin.
pub(super) struct Offer {
    gate: Arc<Gate>,
    permit: Permit,
    round: Round,
    left: usize,
}

impl Offer {
    pub(super) const fn left(&self) -> usize {
        self.left
    }

    /// Keeps no more than so many.
    pub(super) fn keep(&mut self, most: usize) {
        let more = self.left.saturating_sub(most);
        if more > 0 {
            self.left -= more;
            self.gate.unmade(self.permit, more);
        }
    }

    /// Takes one of them.
    pub(super) fn take(&mut self) -> Option<Slot> {
        self.left = self.left.checked_sub(1)?;
        Some(Slot { gate: Arc::clone(&self.gate), permit: self.permit, round: self.round, made: false })
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.keep(0);
    }
}

/// The right to make one call.
pub(super) struct Slot {
    gate: Arc<Gate>,
    permit: Permit,
    round: Round,
    made: bool,
}

impl Slot {
    pub(super) fn provider(&self) -> &Arc<dyn Provider> {
        &self.gate.provider
    }

    /// Its call begins, or is told of as one that did not.
    pub(super) const fn used(&mut self) {
        self.made = true;
    }

    /// Learns what became of the call. `took` is how long it took.
    pub(super) fn learn(&self, outcome: &Outcome, took: Duration, now: Duration) {
        let gate = &self.gate;
        {
            let mut line = gate.line.lock().unwrap_or_else(PoisonError::into_inner);
            line.call = line.call.mul_add(0.9, took.as_secs_f64() * 0.1);
        }
        gate.adaptive.learn(self.round, outcome);
        // Who asked for a pause has got it, and is asked less since.
        if let Some(left) = gate.breaker.learn(self.permit, outcome, now)
            && left != BreakerState::Throttled
        {
            gate.adaptive.restart();
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.made { self.gate.free(1) } else { self.gate.unmade(self.permit, 1) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::providers::sandbox::SandboxProvider;
    use domain::values::Channel;

    const SECOND: Duration = Duration::from_secs(1);

    fn gate(failures: u32) -> Arc<Gate> {
        let serving = Serving::any(Arc::new(SandboxProvider::new(Channel::Sms)));
        let settings = BreakerSettings { failures, first: SECOND, longest: SECOND };
        Arc::new(Gate::new(serving, settings, Arc::default()).0)
    }

    fn offer(gate: &Arc<Gate>, most: usize, now: Duration) -> Offer {
        match gate.open(most, now, 0) {
            Opening::Calls(offer) => offer,
            Opening::Full => panic!("full"),
            Opening::Wait(pause) => panic!("closed for {pause:?}"),
        }
    }

    fn call(gate: &Arc<Gate>, outcome: &Outcome, now: Duration) {
        let mut slot = offer(gate, 1, now).take().unwrap();
        slot.used();
        slot.learn(outcome, SECOND, now);
    }

    #[test]
    fn what_is_offered_is_nobody_elses_until_it_is_dropped() {
        let gate = gate(1);
        let mut all = offer(&gate, 1_000, SECOND);
        assert_eq!(all.left(), 64);
        assert!(matches!(gate.open(1, SECOND, 0), Opening::Full));
        let slot = all.take().unwrap();
        all.keep(3);
        assert_eq!(offer(&gate, 1_000, SECOND).left(), 60);
        drop(all);
        assert_eq!(offer(&gate, 1_000, SECOND).left(), 63);
        drop(slot);
        assert_eq!(offer(&gate, 1_000, SECOND).left(), 64);
    }

    #[test]
    fn a_provider_that_is_back_is_asked_for_one_and_then_for_twice_as_much() {
        let (gate, accepted) = (gate(1), Outcome::Accepted { provider_id: None });
        call(&gate, &Outcome::Retry { after: None, code: "503".to_owned() }, SECOND);
        assert!(matches!(gate.open(1, SECOND, 0), Opening::Wait(_)));
        let probe = offer(&gate, 64, 2 * SECOND);
        assert_eq!(probe.left(), 1, "one call tries");
        drop(probe);
        call(&gate, &accepted, 2 * SECOND);
        assert_eq!(offer(&gate, 64, 2 * SECOND).left(), 1);
        call(&gate, &accepted, 2 * SECOND);
        assert_eq!(offer(&gate, 64, 2 * SECOND).left(), 2);
        call(&gate, &accepted, 2 * SECOND);
        call(&gate, &accepted, 2 * SECOND);
        assert!((3..=4).contains(&offer(&gate, 64, 2 * SECOND).left()));
    }

    #[test]
    fn who_waits_comes_again_one_behind_the_other_and_not_before_the_gate_opens() {
        let mut line = Line { until: Duration::ZERO, call: 1.0 };
        let dues: Vec<Duration> = (0..3).map(|_| line.join(10 * SECOND, 30 * SECOND, 2.0)).collect();
        assert_eq!(dues, [30 * SECOND, 30 * SECOND + SECOND / 2, 31 * SECOND]);
        assert_eq!(Line { until: 9_999 * SECOND, call: 1.0 }.join(SECOND, Duration::ZERO, 1.0), LONGEST);
        assert_eq!(Line { until: Duration::ZERO, call: 1.0 }.join(SECOND, Duration::ZERO, 0.0), SHORTEST);
    }
}
