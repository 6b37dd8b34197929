//! Answers "it is not in there" without looking (Bloom, Communications of the ACM 13, 1970). Most
//! streams that are looked up are new, and to find that out by a descent of the index was a
//! twentieth of all the CPU.

/// Bits set for a key; with ten bits a key one answer in a hundred is a needless "perhaps".
const HASHES: u64 = 6;
const BITS_PER_KEY: usize = 10;

/// A set of 16-byte keys, random in most of their bits, of which it only knows which are absent.
#[derive(Debug)]
pub struct Absent {
    words: Vec<u64>,
    /// One less than the number of bits, a power of two.
    mask: u64,
    keys: usize,
    capacity: usize,
}

impl Absent {
    /// Of nothing, with room for at least so many keys.
    pub fn with_capacity(keys: usize) -> Self {
        let bits = (keys.max(1_024) * BITS_PER_KEY).next_power_of_two();
        Self { words: vec![0; bits / 64], mask: bits as u64 - 1, keys: 0, capacity: bits / BITS_PER_KEY }
    }

    /// Adds a key.
    pub fn add(&mut self, key: [u8; 16]) {
        self.keys += 1;
        for bit in bits(key, self.mask) {
            if let Some(word) = self.words.get_mut(word(bit)) {
                *word |= 1 << (bit % 64);
            }
        }
    }

    /// Whether a key was surely never added.
    pub fn lacks(&self, key: [u8; 16]) -> bool {
        bits(key, self.mask).any(|bit| self.words.get(word(bit)).is_some_and(|word| word & (1 << (bit % 64)) == 0))
    }

    /// Whether it holds so many that it hardly ever knows.
    pub const fn is_overfull(&self) -> bool {
        self.keys > 4 * self.capacity
    }
}

fn word(bit: u64) -> usize {
    usize::try_from(bit / 64).unwrap_or(usize::MAX)
}

/// Two halves make as many hashes as are wanted (Kirsch and Mitzenmacher, 2006). Ids that begin
/// with the time share the high bits of one half, so both are mixed.
fn bits(key: [u8; 16], mask: u64) -> impl Iterator<Item = u64> {
    let key = u128::from_be_bytes(key);
    let (high, low) = ((key >> 64) as u64, key as u64);
    let mix = |half: u64| {
        let half = (half ^ (half >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        half ^ (half >> 29)
    };
    let (start, step) = (mix(low), mix(high ^ low.rotate_left(32)) | 1);
    (0..HASHES).map(move |n| start.wrapping_add(n.wrapping_mul(step)) & mask)
}

#[cfg(test)]
mod tests {
    use super::Absent;

    /// Ids as they come: hashes, and such that begin with the time.
    fn keys(from: u64, count: u64) -> impl Iterator<Item = [u8; 16]> {
        (from..from + count).map(|n| {
            let random = n.wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (n << 13).wrapping_mul(0x94d0_49bb_1331_11eb);
            let first = if n % 2 == 0 { 0x0197_0000_0000_7000 + (n >> 10) } else { random.rotate_left(17) };
            (u128::from(first) << 64 | u128::from(random)).to_be_bytes()
        })
    }

    #[test]
    fn it_never_denies_what_is_there_and_seldom_suspects_what_is_not() {
        let mut absent = Absent::with_capacity(20_000);
        keys(0, 20_000).for_each(|key| absent.add(key));
        assert!(keys(0, 20_000).all(|key| !absent.lacks(key)));
        let suspected = keys(1_000_000, 20_000).filter(|key| !absent.lacks(*key)).count();
        assert!(suspected < 600, "{suspected} of 20000");
        assert!(!absent.is_overfull());
    }

    #[test]
    fn it_says_when_it_is_of_no_use_any_more() {
        let mut absent = Absent::with_capacity(0);
        assert!(absent.lacks([7; 16]));
        keys(0, 10_000).for_each(|key| absent.add(key));
        assert!(absent.is_overfull());
        assert!(keys(0, 10_000).all(|key| !absent.lacks(key)), "but not wrong");
    }
}
