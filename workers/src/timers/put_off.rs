//! What was asked and is still there: not asked again at once, but after growing pauses, so that one
//! that cannot be decided, or a table that lags, neither spins nor stops others. In memory: after a
//! restart everything is asked once more, which is harmless.

use super::rows::Key;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// Pauses after the first time, doubled with each further one.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Copy)]
struct Asked {
    times: u32,
    again: Duration,
}

/// See the module. Moments are those of a monotonic clock.
#[derive(Debug, Default)]
pub(super) struct PutOff(BTreeMap<Key, Asked>);

impl PutOff {
    /// It was asked just now; says how often by now.
    pub(super) fn asked(&mut self, key: Key, now: Duration) -> u32 {
        let asked = self.0.entry(key).or_insert(Asked { times: 0, again: now });
        asked.again = now + FIRST.saturating_mul(2_u32.saturating_pow(asked.times)).min(LONGEST);
        asked.times = asked.times.saturating_add(1);
        asked.times
    }

    /// It was asked before its time, which comes after `wait`; says how often by now.
    pub(super) fn early(&mut self, key: Key, now: Duration, wait: Duration) -> u32 {
        let asked = self.0.entry(key).or_insert(Asked { times: 0, again: now });
        asked.again = now + wait.clamp(Duration::from_millis(1), LONGEST);
        asked.times = asked.times.saturating_add(1);
        asked.times
    }

    /// Whether it may be asked.
    pub(super) fn allows(&self, key: &Key, now: Duration) -> bool {
        self.0.get(key).is_none_or(|asked| asked.again <= now)
    }

    /// Forgets those that are not in the table any more: all `up to` there were looked at (everything,
    /// where there is none), and these found.
    pub(super) fn keep(&mut self, found: &HashSet<Key>, up_to: Option<&Key>) {
        self.0.retain(|key, _| up_to.is_some_and(|end| key > end) || found.contains(key));
    }

    /// When the next of them may be asked.
    pub(super) fn next(&self) -> Option<Duration> {
        self.0.values().map(|asked| asked.again).min()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
