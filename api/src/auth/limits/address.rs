//! How many mistakes one address may make: whoever guesses links is slowed down, and nobody else.
//!
//! Counted by each replica for itself: nothing can be found by guessing (a link has 128 bits), so this
//! only keeps guessing from costing us much. Only mistakes are counted, since the requests of many people
//! come from few addresses: mail providers send one-click requests for all of theirs. Addresses of IPv6
//! count by their network (64 bits), of which one machine has as many addresses as it likes.

use super::CALLERS;
use super::account::Account;
use super::terms::Terms;
use commands::recent::Recent;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// See the module.
#[derive(Debug)]
pub struct Mistakes {
    rate: u32,
    accounts: Mutex<Recent<u128, Account>>,
}

impl Mistakes {
    /// So many a second from one address, on average over two seconds; 0 for any number.
    pub fn new(rate: u32) -> Self {
        Self { rate, accounts: Mutex::new(Recent::new(CALLERS)) }
    }

    /// Takes one of what an address is allowed, at a moment of the monotonic clock; false where nothing is left.
    pub fn take(&self, address: IpAddr, now: Duration) -> bool {
        if self.rate == 0 {
            return true;
        }
        let whose = match address.to_canonical() {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits() & (u128::MAX << 64),
        };
        let terms = Terms::alone(f64::from(self.rate));
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = accounts.get(&whose) {
            return account.take_divided(&terms, now);
        }
        let mut account = Account::default();
        let taken = account.take_divided(&terms, now);
        accounts.insert(whose, account);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::Mistakes;
    use std::net::IpAddr;
    use std::time::Duration;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap_or(IpAddr::from([0, 0, 0, 0]))
    }

    #[test]
    fn an_address_that_guesses_is_held_and_no_other() {
        let mistakes = Mistakes::new(5);
        let at = Duration::from_secs(9);
        assert_eq!((0..50).filter(|_| mistakes.take(address("192.0.2.1"), at)).count(), 10, "two seconds' worth");
        assert!(!mistakes.take(address("::ffff:192.0.2.1"), at), "the same address");
        assert!(mistakes.take(address("192.0.2.2"), at));
        assert_eq!((0..50).filter(|n| mistakes.take(address(&format!("2001:db8::{n:x}")), at)).count(), 10, "one network");
        assert!(mistakes.take(address("2001:db8:0:1::1"), at), "another network");
        assert!((0..99).all(|_| Mistakes::new(0).take(address("192.0.2.1"), at)));
    }
}
