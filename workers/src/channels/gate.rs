//! The gate to one provider: whether a call may begin there now, as its breaker, its pace and its free
//! slots say together.
//!
//! Guarantee: an [`Offer`] holds what it offers until it is dropped, and a [`Slot`] until its call ends; what
//! was offered and not called is given back to all three by itself, on whatever way it is left.

use super::adaptive::{Adaptive, Round};
use super::breaker::{Admission, Breaker, BreakerSettings, BreakerState, Permit};
use super::pace::{Allowed, Pace};
use crate::providers::{Message, Provider, sms};
use domain::policy::routing::Terms;
use domain::values::{Channel, Country, Millis, Outcome, PhoneNumber, Prices, TextCost};
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
    /// Addresses, `@` with a domain, numbers: whom a category or a sender may have its messages come from,
    /// besides the one that is configured.
    pub also_from: Vec<String>,
    /// What a segment of a text message costs.
    pub prices: Prices,
}

impl Serving {
    /// A provider that serves everything, as often as it can.
    pub fn any(provider: Arc<dyn Provider>) -> Self {
        let terms = Terms::any(provider.name());
        Self { provider, terms, paces: Vec::new(), also_from: Vec::new(), prices: Prices::default() }
    }
}

/// See the module.
pub(super) struct Gate {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) breaker: Arc<Breaker>,
    paces: Vec<Pace>,
    pub(super) also_from: Vec<String>,
    prices: Prices,
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
        let Serving { provider, terms, paces, also_from, prices } = serving;
        let adaptive = Adaptive::new(provider.concurrency());
        let line = Mutex::new(Line { until: Duration::ZERO, call: 0.5 });
        (Self { provider, breaker: Arc::new(Breaker::new(settings)), paces, also_from, prices, adaptive, busy: AtomicUsize::new(0), freed, line }, terms)
    }

    /// Opens for up to so many calls.
    pub(super) fn open(self: &Arc<Self>, most: usize, now: Duration, date: Millis) -> Opening {
        let (permit, trial, most) = match self.breaker.admit(now) {
            Admission::Any(permit) => (permit, false, most.min(self.adaptive.limit().saturating_sub(self.busy.load(Ordering::Acquire)))),
            Admission::Probe(permit) => (permit, true, 1),
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
        Opening::Calls(Offer { gate: Arc::clone(self), permit, trial, round: self.adaptive.round(), left })
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

    /// What it may be asked to do now, to be shown to operators.
    pub(super) fn capacity(&self, date: Millis) -> Capacity {
        let share = self.adaptive.share();
        Capacity {
            share,
            calls_at_once: self.adaptive.limit(),
            under_way: self.busy.load(Ordering::Acquire),
            calls_a_second: self.paces.iter().map(|pace| pace.part(date, share)).reduce(f64::min),
        }
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

/// What a provider may be asked to do by this replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    /// The share of what is configured, over 0 and up to 1: less after it throttled, or while it comes back.
    pub share: f64,
    /// Calls at once, at that share.
    pub calls_at_once: usize,
    /// Calls under way, and those that were offered.
    pub under_way: usize,
    /// Calls a second, at that share; none for any number.
    pub calls_a_second: Option<f64>,
}

/// A provider's gate as operators see it.
#[derive(Clone)]
pub struct Watched(pub(super) Arc<Gate>);

impl Watched {
    /// Its breaker.
    pub fn breaker(&self) -> &Breaker {
        &self.0.breaker
    }

    /// What it may be asked to do at a moment.
    pub fn capacity(&self, date: Millis) -> Capacity {
        self.0.capacity(date)
    }
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").field("provider", &self.0.provider.name()).finish_non_exhaustive()
    }
}

/// Calls that may begin.
pub(super) struct Offer {
    gate: Arc<Gate>,
    permit: Permit,
    /// To see whether the provider is back.
    trial: bool,
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
        Some(Slot { gate: Arc::clone(&self.gate), permit: self.permit, trial: self.trial, round: self.round, made: false, learned: false })
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
    trial: bool,
    round: Round,
    made: bool,
    learned: bool,
}

impl Slot {
    pub(super) fn provider(&self) -> &Arc<dyn Provider> {
        &self.gate.provider
    }

    /// Whether its call is made to see whether the provider is back.
    pub(super) const fn is_trial(&self) -> bool {
        self.trial
    }

    /// See [`Serving::also_from`].
    pub(super) fn also_from(&self) -> &[String] {
        &self.gate.also_from
    }

    /// What a text message cost that was taken.
    pub(super) fn cost(&self, message: &Message, outcome: &Outcome) -> Option<TextCost> {
        if self.gate.provider.channel() != Channel::Sms || !matches!(outcome, Outcome::Accepted { .. }) {
            return None;
        }
        let country = PhoneNumber::parse(&message.address.value).ok().and_then(|number| Country::of(&number));
        Some(self.gate.prices.of(country, sms::segments(&sms::text(&message.content)).count))
    }

    /// Its call begins, or is told of as one that did not.
    pub(super) const fn used(&mut self) {
        self.made = true;
    }

    /// Learns what became of the call. `took` is how long it took.
    pub(super) fn learn(&mut self, outcome: &Outcome, took: Duration, now: Duration) {
        self.learned = true;
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
        if !self.made {
            return self.gate.unmade(self.permit, 1);
        }
        // A call of which nothing was ever told must not be the breaker's probe for ever.
        if !self.learned {
            self.gate.breaker.unused(self.permit);
        }
        self.gate.free(1);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::providers::sandbox::SandboxProvider;
    use domain::values::ThrottleScope;

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
    fn a_probe_of_which_nothing_is_ever_told_lets_the_next_one_try() {
        let gate = gate(1);
        call(&gate, &Outcome::Retry { after: None, code: "503".to_owned() }, SECOND);
        let mut probe = offer(&gate, 64, 2 * SECOND).take().unwrap();
        assert!(probe.is_trial());
        probe.used();
        drop(probe);
        assert_eq!(offer(&gate, 64, 2 * SECOND).left(), 1);
    }

    #[test]
    fn operators_see_the_share_and_what_is_under_way() {
        let gate = gate(1);
        let mut offered = offer(&gate, 3, SECOND);
        let mut slot = offered.take().unwrap();
        assert_eq!(gate.capacity(0), Capacity { share: 1.0, calls_at_once: 64, under_way: 3, calls_a_second: None });
        slot.learn(&Outcome::Throttled { after: None, scope: ThrottleScope::Provider, code: "429".to_owned() }, SECOND, SECOND);
        drop((slot, offered));
        assert_eq!(gate.capacity(0), Capacity { share: 0.5, calls_at_once: 32, under_way: 0, calls_a_second: None });
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
