//! What all simulators of one start share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use super::callbacks::{CallbackDesk, CallbackPlan};
use super::clock::SimClock;
use super::credentials::KeyRing;
use super::ledger::Ledger;
use super::messages::Messages;
use super::rules::Rules;
use super::smtp::SmtpSwitches;

/// Clock, ledger, rules, received messages, callbacks and switches.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: SimClock,
    pub(crate) ledger: Ledger,
    pub(crate) rules: Rules,
    pub(crate) messages: Messages,
    pub(crate) callbacks: CallbackDesk,
    smtp: RwLock<SmtpSwitches>,
    queued: AtomicU64,
}

impl World {
    pub(crate) fn new(seed: u64, last_seq: u64, keys: &KeyRing) -> Self {
        let clock = SimClock::default();
        Self {
            ledger: Ledger::new(clock.clone(), last_seq),
            rules: Rules::new(seed, clock.clone()),
            messages: Messages::default(),
            callbacks: CallbackDesk::new(keys, clock.clone()),
            smtp: RwLock::default(),
            queued: AtomicU64::new(0),
            clock,
        }
    }

    pub(crate) fn smtp_switches(&self) -> SmtpSwitches {
        *self.smtp.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_smtp_switches(&self, switches: SmtpSwitches) {
        *self.smtp.write().unwrap_or_else(PoisonError::into_inner) = switches;
    }

    /// Number of the next accepted mail.
    pub(crate) fn next_queue_number(&self) -> u64 {
        self.queued.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Empties ledger, messages and rules, and returns clock and switches to their defaults.
    pub(crate) fn reset(&self) {
        self.ledger.reset();
        self.messages.clear();
        self.rules.reset();
        self.callbacks.set_plan(CallbackPlan::default());
        self.clock.set_offset_seconds(0);
        self.set_smtp_switches(SmtpSwitches::default());
    }
}
