//! What a test may let go wrong.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// When a connection is cut in the course of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Before anything is stored.
    Before,
    /// After it is stored: the answer is lost.
    After,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Faults {
    /// Appends that were asked for so far.
    appends: AtomicU64,
    /// Counted down with every append; at 1 it is cut.
    before: AtomicU64,
    after: AtomicU64,
    refusing: AtomicBool,
}

impl Faults {
    /// Cuts all connections at the `nth` append from now, the next being the first.
    pub fn cut_at(&self, nth: u64, cut: Cut) {
        match cut {
            Cut::Before => self.before.store(nth, Ordering::SeqCst),
            Cut::After => self.after.store(nth, Ordering::SeqCst),
        }
    }

    /// Whether every caller is told that he may not.
    pub fn deny(&self, deny: bool) {
        self.refusing.store(deny, Ordering::SeqCst);
    }

    /// How many appends were asked for.
    pub fn appends(&self) -> u64 {
        self.appends.load(Ordering::SeqCst)
    }

    pub(crate) fn denies(&self) -> bool {
        self.refusing.load(Ordering::SeqCst)
    }

    /// An append begins; says where it is to be cut.
    pub(crate) fn append(&self) -> Option<Cut> {
        self.appends.fetch_add(1, Ordering::SeqCst);
        let due = |counter: &AtomicU64| counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) == Ok(1);
        let (before, after) = (due(&self.before), due(&self.after));
        if before { Some(Cut::Before) } else { after.then_some(Cut::After) }
    }
}
