//! Entries of an index that wait in memory, so that they enter its B-tree in the B-tree's order:
//! the rolling merge of the log-structured merge tree (O'Neil et al., Acta Informatica 33, 1996).
//!
//! A random key that is entered at once dirties a page of its own, and a dirty page is written
//! twice, to the WAL and at the checkpoint: with a million keys that was a fifth of all the CPU.
//! Here each commit enters about as many entries as have come, but neighbours, which share their
//! pages. Entering all at once when the memory is full was rejected: everybody would wait for it.
//!
//! What waits is lost with the process and read back from where it is durable: everything up to a
//! number is entered (see [`Slice::through`]), and what is newer may wait.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};

/// Entered beyond what has come, while more is kept than should be.
const CATCH_UP: usize = 256;

/// See the module. Keys are in the order of the index; every entry has a number, given in the
/// order in which they come.
#[derive(Debug)]
pub struct RollingMerge<K> {
    waiting: BTreeMap<K, u64>,
    most: usize,
    after: Option<K>,
    /// The newest number at the beginning of this round over all keys.
    round: u64,
}

/// Entries that are to be entered next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice<K> {
    /// In the order of the index.
    pub entries: Vec<(K, u64)>,
    /// With these, all numbers up to this one are entered.
    pub through: Option<u64>,
}

impl<K: Ord + Copy> RollingMerge<K> {
    /// Keeps `most` entries, once there are so many; begins with those that may not be entered,
    /// and with the newest number of all.
    pub fn new(most: usize, waiting: impl IntoIterator<Item = (K, u64)>, newest: u64) -> Self {
        Self { waiting: waiting.into_iter().collect(), most, after: None, round: newest }
    }

    /// The number of a key that waits.
    pub fn get(&self, key: &K) -> Option<u64> {
        self.waiting.get(key).copied()
    }

    /// Those that wait, in the order of the index.
    pub fn range(&self, range: impl RangeBounds<K>) -> impl Iterator<Item = (K, u64)> {
        self.waiting.range(range).map(|(key, number)| (*key, *number))
    }

    /// One more waits, whether or not its transaction becomes durable.
    pub fn wait(&mut self, key: K, number: u64) {
        self.waiting.insert(key, number);
    }

    /// What is to be entered in a transaction in which `coming` entries come.
    pub fn slice(&self, coming: usize) -> Slice<K> {
        let over = (self.waiting.len() + coming).saturating_sub(self.most).min(2 * coming + CATCH_UP);
        let from = self.after.map_or(Bound::Unbounded, Bound::Excluded);
        let entries: Vec<(K, u64)> = self.waiting.range((from, Bound::Unbounded)).take(over).map(|(key, number)| (*key, *number)).collect();
        let through = (entries.len() < over).then_some(self.round);
        Slice { entries, through }
    }

    /// The transaction is durable: the slice waits no longer, the others that came with it do.
    pub fn committed(&mut self, slice: &Slice<K>, came: impl IntoIterator<Item = (K, u64)>, newest: u64) {
        for (key, _) in &slice.entries {
            self.waiting.remove(key);
        }
        self.waiting.extend(came);
        if slice.through.is_some() {
            self.after = None;
            self.round = newest;
        } else if let Some((key, _)) = slice.entries.last() {
            self.after = Some(*key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RollingMerge;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn nothing_is_entered_before_it_is_full() {
        let merge = RollingMerge::new(3, [(5, 1), (1, 2)], 2);
        assert!(merge.slice(1).entries.is_empty());
        assert_eq!(merge.slice(2).entries, [(1, 2)]);
        assert_eq!((merge.get(&5), merge.get(&2)), (Some(1), None));
    }

    #[test]
    fn a_slice_begins_where_the_last_one_ended() {
        let mut merge = RollingMerge::new(4, [(1, 1), (3, 2), (5, 3), (7, 4)], 4);
        let slice = merge.slice(2);
        assert_eq!((slice.entries.as_slice(), slice.through), ([(1, 1), (3, 2)].as_slice(), None));
        merge.committed(&slice, [(2, 5), (9, 6)], 6);
        assert_eq!(merge.slice(3).entries, [(5, 3), (7, 4), (9, 6)], "what came behind it waits for the next round");
    }

    proptest! {
        /// Whatever the commits: nothing is lost, neither in memory nor to one who reads back
        /// what is newer than the number that all are entered up to.
        #[test]
        fn everything_waits_or_is_entered(most in 1_usize..40, commits in proptest::collection::vec(proptest::collection::vec(0_u16..2_000, 0..20), 1..60)) {
            let mut merge = RollingMerge::new(most, [], 0);
            let (mut entered, mut through, mut all) = (BTreeSet::new(), 0, Vec::new());
            for keys in commits {
                let fresh: BTreeSet<u16> = keys.into_iter().filter(|key| all.iter().all(|(known, _)| known != key)).collect();
                let came: Vec<(u16, u64)> = fresh.into_iter().zip(all.len() as u64 + 1..).collect();
                let slice = merge.slice(came.len());
                prop_assert!(slice.entries.is_sorted());
                entered.extend(slice.entries.iter().copied());
                through = slice.through.unwrap_or(through);
                all.extend(came.iter().copied());
                merge.committed(&slice, came, all.len() as u64);
                for (key, number) in &all {
                    prop_assert!(entered.contains(&(*key, *number)) != (merge.get(key) == Some(*number)), "either, and not both");
                    prop_assert!(*number > through || entered.contains(&(*key, *number)));
                }
            }
        }

        /// It never keeps more than it may for long, and what comes later does not starve what waits.
        #[test]
        fn memory_is_bounded_and_rounds_end(most in 1_usize..50, start in 0_usize..200, each in 1_usize..10) {
            let spread = |number: usize| (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut merge = RollingMerge::new(most, (1..=start).map(|number| (spread(number), number as u64)), start as u64);
            let (mut newest, mut rounds) = (start, 0);
            for _ in 0..300 {
                let came: Vec<_> = (newest + 1..=newest + each).map(|number| (spread(number), number as u64)).collect();
                newest += each;
                let slice = merge.slice(each);
                rounds += usize::from(slice.through.is_some());
                merge.committed(&slice, came, newest as u64);
            }
            prop_assert!(merge.waiting.len() <= most + each);
            prop_assert!(rounds > 0, "300 commits of {} over {}", each, most);
        }
    }
}
