//! A bounded map that forgets what was not used for long.
//!
//! Two generations: when the young one is full it becomes the old one, and what is still used
//! moves back. So nothing is ever dropped all at once and no order has to be kept. An exact LRU
//! was rejected: a list to maintain on every look-up, for keeping hardly anything else.

use std::collections::HashMap;
use std::hash::Hash;

/// See the module.
#[derive(Debug)]
pub struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    generation: usize,
}

impl<K: Eq + Hash + Clone, V> Recent<K, V> {
    /// Keeps at most so many entries, and at least the half of them that was used last.
    pub fn new(most: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), generation: (most / 2).max(1) }
    }

    /// The value of a key, which now counts as used.
    pub fn get(&mut self, key: &K) -> Option<&mut V> {
        if !self.young.contains_key(key) {
            let value = self.old.remove(key)?;
            self.make_room();
            self.young.insert(key.clone(), value);
        }
        self.young.get_mut(key)
    }

    /// Keeps a value, in place of an older one.
    pub fn insert(&mut self, key: K, value: V) {
        self.old.remove(&key);
        self.make_room();
        self.young.insert(key, value);
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }

    fn make_room(&mut self) {
        if self.young.len() >= self.generation {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let mut recent = Recent::new(8);
        for key in 0..100 {
            recent.insert(key, key);
            assert_eq!(recent.get(&0).copied(), Some(0), "used all the time");
        }
        assert_eq!(recent.get(&99).copied(), Some(99));
        assert_eq!(recent.get(&50), None);
        assert!((0..100).filter(|key| recent.get(key).is_some()).count() <= 8);
    }

    #[test]
    fn a_newer_value_replaces_one_of_the_old_generation() {
        let mut recent = Recent::new(2);
        recent.insert("a", 1);
        recent.insert("b", 1);
        recent.insert("a", 2);
        assert_eq!(recent.get(&"a").copied(), Some(2));
        recent.remove(&"a");
        assert_eq!(recent.get(&"a"), None);
    }
}
