//! Which provider of a channel makes an attempt.
//!
//! Chosen when work is taken, among those that serve the sender and the country and could begin at
//! once: the lowest priority first, by weight among equals. The delivery's id decides among equals and
//! no draw of lots, so that every replica says the same. After a failure another one is preferred. After
//! an unknown outcome only the one that knows is asked: it alone can look up what became of it.
//!
//! Rejected: a queue for each provider. Whatever stood in that of a provider that fails would have to
//! be moved before another could send it.

use crate::values::{Country, DeliveryNo, NotificationId, SenderKey};

#[cfg(test)]
mod tests;

/// What a provider is asked to serve, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The provider's name.
    pub provider: String,
    /// Lower goes first.
    pub priority: u32,
    /// Its share among those of the same priority; at least 1.
    pub weight: u32,
    /// The countries it serves; empty for all.
    pub countries: Vec<Country>,
    /// The senders it serves; empty for all.
    pub senders: Vec<SenderKey>,
}

impl Terms {
    /// Serves everything.
    pub fn any(provider: &str) -> Self {
        Self { provider: provider.to_owned(), priority: 0, weight: 1, countries: Vec::new(), senders: Vec::new() }
    }

    /// Whether it serves everything.
    pub const fn is_any(&self) -> bool {
        self.countries.is_empty() && self.senders.is_empty()
    }

    fn serves(&self, wanted: &Wanted<'_>) -> bool {
        let country = self.countries.is_empty() || wanted.country.is_some_and(|country| self.countries.contains(&country));
        country && (self.senders.is_empty() || self.senders.contains(wanted.sender))
    }
}

/// What is to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The notification.
    pub notification: NotificationId,
    /// The delivery within it.
    pub delivery: DeliveryNo,
    /// From whom.
    pub sender: &'a SenderKey,
    /// Whose number it goes to; none where it goes to no number, or to one of no country.
    pub country: Option<Country>,
    /// The attempt before, where there was one.
    pub previous: Option<Previous<'a>>,
}

/// The attempt before.
#[derive(Debug, Clone, Copy)]
pub struct Previous<'a> {
    /// By which provider.
    pub provider: &'a str,
    /// What became of it is unknown; otherwise it failed.
    pub unknown: bool,
}

/// What is chosen, as places in the list of terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// This one.
    Use(usize),
    /// One of these, once it can begin.
    Wait(Vec<usize>),
    /// None serves it.
    Nobody,
}

/// Chooses among providers with these terms, of which some could begin now.
pub fn choose(terms: &[Terms], wanted: &Wanted<'_>, free: &dyn Fn(usize) -> bool) -> Choice {
    if let Some(Previous { provider, unknown: true }) = wanted.previous
        && let Some(same) = terms.iter().position(|terms| terms.provider == provider)
    {
        return if free(same) { Choice::Use(same) } else { Choice::Wait(vec![same]) };
    }
    let serving: Vec<usize> = (0..terms.len()).filter(|place| terms[*place].serves(wanted)).collect();
    let failed = |place: usize| wanted.previous.is_some_and(|previous| previous.provider == terms[place].provider);
    let rank = |place: usize| (failed(place), terms[place].priority);
    let before =
        |one: &usize, other: &usize| rank(*one).cmp(&rank(*other)).then_with(|| distance(&terms[*one], wanted).total_cmp(&distance(&terms[*other], wanted)));
    match serving.iter().copied().filter(|place| free(*place)).min_by(before) {
        Some(best) => Choice::Use(best),
        None if serving.is_empty() => Choice::Nobody,
        None => Choice::Wait(serving),
    }
}

/// How far a provider stands from a delivery; the nearest takes it. Rendezvous hashing: each gets its
/// weight's share, and what one leaves is divided among the others without moving the rest.
fn distance(terms: &Terms, wanted: &Wanted<'_>) -> f64 {
    let mut hash = mixed(wanted.notification.0.as_u128() as u64);
    hash = mixed(hash ^ (wanted.notification.0.as_u128() >> 64) as u64);
    hash = mixed(hash ^ u64::from(wanted.delivery));
    for byte in terms.provider.bytes() {
        hash = mixed(hash ^ u64::from(byte));
    }
    // In (0, 1]: 53 bits are what a float holds.
    let unit = ((hash >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    -unit.ln() / f64::from(terms.weight.max(1))
}

/// The finalizer of SplitMix64: every bit of the input moves every bit of the output.
const fn mixed(input: u64) -> u64 {
    let mut bits = input.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
