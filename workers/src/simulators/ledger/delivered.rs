//! Which (notification, delivery) pairs were delivered already, in bounded memory.
//!
//! Two generations of at most 1.8 million keys each: when the young one is full it becomes the old one, so at least
//! the newest 1.8 million deliveries are remembered. Rejected: one set cleared when full, which forgets everything
//! at once in the middle of a run.

use std::collections::HashSet;

use super::entry::{IdText, sha256};

/// 7/8 of 2^21: the most a hash table of that size holds before it doubles.
const GENERATION: usize = 1_835_008;

#[derive(Debug, Default)]
pub(crate) struct DeliveredKeys {
    young: HashSet<u128>,
    old: HashSet<u128>,
}

impl DeliveredKeys {
    /// Remembers the pair and says whether it had been remembered before. `None` for arrivals without our id.
    pub(crate) fn insert(&mut self, notification: &IdText, delivery: Option<u32>) -> bool {
        let Some(key) = key(notification, delivery) else {
            return false;
        };
        if self.old.contains(&key) {
            return true;
        }
        if self.young.len() >= GENERATION && !self.young.contains(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        !self.young.insert(key)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The UUID's bits shifted by the delivery index; texts by their hash.
fn key(notification: &IdText, delivery: Option<u32>) -> Option<u128> {
    let base = match notification {
        IdText::Missing => return None,
        IdText::Uuid(uuid) => uuid.as_u128(),
        IdText::Text(text) => {
            let hash = sha256(text.as_bytes());
            let mut half = [0; 16];
            half.copy_from_slice(&hash[..16]);
            u128::from_be_bytes(half)
        }
    };
    let delivery = delivery.map_or(0, |d| u128::from(d) + 1);
    // An odd constant keeps different indexes apart from neighbouring time-ordered UUIDs.
    Some(base ^ delivery.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835))
}
