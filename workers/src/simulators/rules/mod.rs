//! Fault injection: an ordered list of rules, the first match decides; built-in address patterns come after it.
//!
//! Guarantee: without rules a request costs one atomic load here. Random choices come from one seeded generator, so
//! a run with one client repeats. Rejected: faults decided in the server under test by a hook, which would not show
//! what the wire shows.

mod active;
mod builtin;
mod mailboxes;
mod model;
mod phones;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

pub use model::{Action, Rule, SmtpStage};

use super::clock::SimClock;
use super::ledger::Provider;
use active::Active;

/// Most addresses whose failures are counted; beyond it counting starts anew.
const COUNTED_ADDRESSES: usize = 100_000;
/// Most rules accepted; later ones are refused.
pub const MAX_RULES: usize = 1_000;

/// What is to happen to one request, with all chances already drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    Error { status: u16, reason: String, retry_after: Option<u64>, at: SmtpStage },
    Throttled { retry_after: Option<u64> },
    Hang,
    Reset,
    RstStream,
    Goaway(String),
    AcceptThenDrop,
    UnavailableAfterDelivery,
    AcceptThenLose,
    DeliverTwice,
    Garbage,
    Empty,
    Noise,
    ErrorInside,
    Outage,
    Redirect,
}

/// Delay before the answer, and the fault if any.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    pub(crate) delay: Option<Duration>,
    pub(crate) fault: Option<Fault>,
}

impl Fate {
    fn fault(fault: Fault) -> Self {
        Self { delay: None, fault: Some(fault) }
    }

    /// Waits out the delay and hands over the fault.
    pub(crate) async fn wait(self) -> Option<Fault> {
        if let Some(delay) = self.delay {
            super::clock::pause(delay).await;
        }
        self.fault
    }
}

#[derive(Debug)]
struct Inner {
    rules: Vec<Active>,
    random: StdRng,
    seen: HashMap<String, u32>,
}

/// Handle to the rules; clones share them.
#[derive(Debug, Clone)]
pub struct Rules {
    inner: Arc<Mutex<Inner>>,
    count: Arc<AtomicUsize>,
    clock: SimClock,
}

impl Rules {
    pub(crate) fn new(seed: u64, clock: SimClock) -> Self {
        let inner = Inner { rules: Vec::new(), random: StdRng::seed_from_u64(seed), seen: HashMap::new() };
        Self { inner: Arc::new(Mutex::new(inner)), count: Arc::new(AtomicUsize::new(0)), clock }
    }

    /// Appends a rule. False when there are [`MAX_RULES`] already.
    pub fn add(&self, rule: Rule) -> bool {
        self.change(|inner| {
            if inner.rules.len() >= MAX_RULES {
                return false;
            }
            let level = match rule.action {
                Action::Throttle { burst, .. } => burst,
                _ => 0.0,
            };
            inner.rules.push(Active { rule, used: 0, level, since_micros: self.clock.now_micros() });
            true
        })
    }

    /// The rules in force, in order.
    #[must_use]
    pub fn list(&self) -> Vec<Rule> {
        self.change(|inner| inner.rules.iter().map(|active| active.rule.clone()).collect())
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.change(|inner| inner.rules.clear());
    }

    /// Removes all rules and forgets how often each address failed.
    pub fn reset(&self) {
        self.change(|inner| {
            inner.rules.clear();
            inner.seen.clear();
        });
    }

    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut inner);
        self.count.store(inner.rules.len(), Ordering::Release);
        result
    }

    /// What happens to a request for `address`: rules first, then the built-in pattern of the address.
    pub(crate) fn fate(&self, provider: Provider, address: &str) -> Fate {
        let ruled = self.ruled(provider, address, Action::concerns_recipient);
        let Some(pattern) = builtin::pattern(provider, address) else {
            return ruled;
        };
        if ruled.fault.is_some() {
            return ruled;
        }
        let own = self.builtin(pattern, provider, address);
        Fate { delay: own.delay.or(ruled.delay), fault: own.fault }
    }

    /// What happens to a call that concerns no address.
    pub(crate) fn fate_aside(&self, provider: Provider) -> Fate {
        self.matching(|rule| rule.every_call && rule.provider == provider)
    }

    /// What happens at MAIL, by envelope sender.
    pub(crate) fn sender_fate(&self, sender: &str) -> Fate {
        let ruled = self.ruled(Provider::Smtp, sender, |action| matches!(action, Action::Error { at: Some(SmtpStage::Mail), .. }));
        match builtin::pattern(Provider::Smtp, sender) {
            Some(builtin::Pattern::Always(fault @ Fault::Error { at: SmtpStage::Mail, .. })) if ruled.fault.is_none() => Fate::fault(fault),
            _ => ruled,
        }
    }

    /// Only the rules whose action satisfies `wanted`; for SMTP verbs that have no recipient yet.
    pub(crate) fn ruled(&self, provider: Provider, address: &str, wanted: impl Fn(&Action) -> bool) -> Fate {
        self.matching(|rule| rule.matches(provider, address) && wanted(&rule.action))
    }

    /// Applies the first rule that matches, and has a turn left.
    fn matching(&self, matches: impl Fn(&Rule) -> bool) -> Fate {
        if self.count.load(Ordering::Acquire) == 0 {
            return Fate::default();
        }
        let now = self.clock.now_micros();
        self.change(|inner| {
            let Inner { rules, random, .. } = inner;
            for active in rules {
                if !matches(&active.rule) {
                    continue;
                }
                if active.rule.times.is_some_and(|times| active.used >= times) {
                    continue;
                }
                if active.rule.percent.is_some_and(|p| random.random::<f64>() * 100.0 >= p) {
                    continue;
                }
                active.used += 1;
                return active.apply(random, now);
            }
            Fate::default()
        })
    }

    fn builtin(&self, pattern: builtin::Pattern, provider: Provider, address: &str) -> Fate {
        match pattern {
            builtin::Pattern::Always(fault) => Fate::fault(fault),
            builtin::Pattern::Delay(delay) => Fate { delay: Some(delay), fault: None },
            builtin::Pattern::First(times, fault) => {
                let key = format!("{}:{address}", provider.index());
                let seen = self.change(|inner| {
                    if inner.seen.len() >= COUNTED_ADDRESSES {
                        inner.seen.clear();
                    }
                    let seen = inner.seen.entry(key).or_insert(0);
                    *seen = seen.saturating_add(1);
                    *seen
                });
                if seen <= times { Fate::fault(fault) } else { Fate::default() }
            }
        }
    }
}
