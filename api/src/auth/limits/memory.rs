//! The limits of a process that answers all requests itself: a bucket a caller, in memory.

use super::account::Account;
use super::terms::Terms;
use super::{CALLERS, Limits, Rates};
use crate::auth::Caller;
use commands::recent::Recent;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// See the module.
#[derive(Debug)]
pub struct InMemory {
    rates: Rates,
    accounts: Mutex<Recent<Uuid, Account>>,
}

impl InMemory {
    /// Nobody has used anything.
    pub fn new(rates: Rates) -> Self {
        Self { rates, accounts: Mutex::new(Recent::new(CALLERS)) }
    }
}

impl Limits for InMemory {
    fn take(&self, caller: &Caller, now: Duration) -> bool {
        let Some((id, rate)) = self.rates.of(caller) else { return true };
        let terms = Terms::alone(rate);
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = accounts.get(&id) {
            return account.take_divided(&terms, now);
        }
        let mut account = Account::default();
        let taken = account.take_divided(&terms, now);
        accounts.insert(id, account);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::InMemory;
    use crate::auth::Caller;
    use crate::auth::limits::{Limits as _, Rates};
    use domain::values::{KeyId, RecipientId};
    use std::time::Duration;
    use uuid::Uuid;

    #[test]
    fn who_floods_is_held_and_nobody_else() {
        let limits = InMemory::new(Rates { key: 10, recipient: 1 });
        let flooding = Caller::Administrator { key: KeyId(Uuid::from_u128(1)) };
        let other = Caller::Administrator { key: KeyId(Uuid::from_u128(2)) };
        let recipient = Caller::Recipient { id: RecipientId(Uuid::from_u128(3)) };
        let at = Duration::from_secs(100);
        assert_eq!((0..50).filter(|_| limits.take(&flooding, at)).count(), 20, "two seconds' worth");
        assert!(limits.take(&other, at));
        assert_eq!((0..50).filter(|_| limits.take(&recipient, at)).count(), 2, "recipients have a rate of their own");
        assert_eq!((0..50).filter(|_| limits.take(&flooding, at + Duration::from_secs(1))).count(), 10, "a second's worth came back");
    }

    #[test]
    fn without_a_rate_nothing_is_counted() {
        let limits = InMemory::new(Rates::default());
        let caller = Caller::Administrator { key: KeyId(Uuid::from_u128(1)) };
        assert!((0..10_000).all(|_| limits.take(&caller, Duration::ZERO)));
    }
}
