//! Which part of what is owed a process takes, where there is no common queue: slots of stream numbers,
//! each given to one process by the highest of their hashes (rendezvous hashing), so that a process that
//! comes or goes moves only its own slots. Processes may disagree for a moment: then two try the same
//! delivery, and the log refuses one of them.

use super::ReplicaNo;
use crate::log::StreamNo;

/// A share is made of these.
pub const SLOTS: u64 = 64;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    mine: [bool; SLOTS as usize],
}

impl Share {
    /// Everything.
    pub const fn all() -> Self {
        Self { mine: [true; SLOTS as usize] }
    }

    /// Nothing.
    pub const fn none() -> Self {
        Self { mine: [false; SLOTS as usize] }
    }

    /// That of `me` among those that live and work.
    pub fn of(me: ReplicaNo, workers: &[ReplicaNo]) -> Self {
        let mut mine = [false; SLOTS as usize];
        for (slot, mine) in (0..SLOTS).zip(&mut mine) {
            let taker = workers.iter().max_by_key(|worker| (weight(**worker, slot), **worker));
            *mine = taker == Some(&me);
        }
        Self { mine }
    }

    /// Whether it has this stream.
    pub fn has(&self, stream: StreamNo) -> bool {
        usize::try_from(stream % SLOTS).ok().and_then(|slot| self.mine.get(slot)).copied().unwrap_or(false)
    }

    /// The slots that it has: `stream % SLOTS`.
    pub fn slots(&self) -> Vec<i64> {
        (0_i64..).zip(self.mine).filter_map(|(slot, mine)| mine.then_some(slot)).collect()
    }

    /// Whether it is everything.
    pub fn is_all(&self) -> bool {
        self.mine.iter().all(|mine| *mine)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014) of the two.
const fn weight(worker: ReplicaNo, slot: u64) -> u64 {
    let mut z = worker.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ slot.wrapping_add(1).wrapping_mul(0xd1b5_4a32_d192_ed03);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Who of those takes what is free first: whoever does most already, so that one process reads all of the
/// log for everything that lives off it, and the others need not.
pub(super) fn preferred(candidates: &[ReplicaNo], holders: &[ReplicaNo]) -> Option<ReplicaNo> {
    let has = |candidate| holders.iter().filter(|holder| **holder == candidate).count();
    candidates.iter().copied().max_by_key(|candidate| (has(*candidate), weight(*candidate, SLOTS), *candidate))
}
