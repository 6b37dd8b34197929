//! The lanes of one channel and the order in which they are drained.

use crate::pending::Lane;
use commands::log::StreamNo;
use domain::values::{DeliveryNo, Priority, SenderKey};
use std::collections::{HashMap, VecDeque};

/// A delivery.
pub(super) type Key = (StreamNo, DeliveryNo);

/// Items of each priority, from the highest, in one round: the lowest gets one in 85.
const WEIGHTS: [u32; 4] = [64, 16, 4, 1];

#[derive(Debug, Default)]
struct Level {
    senders: HashMap<SenderKey, VecDeque<Key>>,
    /// Whose turn it is; each sender that has something stands here once.
    turns: VecDeque<SenderKey>,
    len: usize,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Lanes {
    levels: [Level; 4],
    credits: [u32; 4],
}

impl Default for Lanes {
    fn default() -> Self {
        Self { levels: Default::default(), credits: WEIGHTS }
    }
}

impl Level {
    fn queue(&mut self, sender: &SenderKey) -> &mut VecDeque<Key> {
        if self.senders.get(sender).is_none_or(VecDeque::is_empty) {
            self.turns.push_back(sender.clone());
        }
        self.senders.entry(sender.clone()).or_default()
    }

    fn pop(&mut self) -> Option<Key> {
        let sender = self.turns.pop_front()?;
        let queue = self.senders.get_mut(&sender)?;
        let key = queue.pop_front();
        if queue.is_empty() {
            self.senders.remove(&sender);
        } else {
            self.turns.push_back(sender);
        }
        self.len -= usize::from(key.is_some());
        key
    }
}

impl Lanes {
    fn level(&mut self, priority: Priority) -> &mut Level {
        // The rank is 0 to 3 by construction.
        &mut self.levels[usize::from(priority.rank()) % 4]
    }

    pub(super) fn push(&mut self, lane: &Lane, key: Key) {
        let level = self.level(lane.priority);
        level.queue(&lane.sender).push_back(key);
        level.len += 1;
    }

    pub(super) fn push_front(&mut self, lane: &Lane, key: Key) {
        let level = self.level(lane.priority);
        level.queue(&lane.sender).push_front(key);
        level.len += 1;
    }

    pub(super) fn len_of(&self, lane: &Lane) -> usize {
        self.levels[usize::from(lane.priority.rank()) % 4].senders.get(&lane.sender).map_or(0, VecDeque::len)
    }

    pub(super) fn pop(&mut self) -> Option<Key> {
        for _ in 0..2 {
            for (level, credit) in self.levels.iter_mut().zip(&mut self.credits) {
                if *credit > 0
                    && let Some(key) = level.pop()
                {
                    *credit -= 1;
                    return Some(key);
                }
            }
            // Everybody who has something has used up the round: the next begins.
            self.credits = WEIGHTS;
        }
        None
    }

    pub(super) fn depths(&self) -> impl Iterator<Item = (Priority, usize)> {
        Priority::DESCENDING.into_iter().zip(self.levels.iter().map(|level| level.len))
    }
}
