//! What one replica knows of one caller: pure arithmetic, no I/O.
//!
//! `left` is what may be let through. Part of it was taken from the common stock, the rest, `lent`, was
//! not: it is charged at the next exchange, also where it is spent by then. So what is let through before
//! anybody could be asked, or while nobody can be, is paid for later. Nothing is lent again before the stock
//! has enough for that: otherwise coming now and then would be worth more than coming all the time.

use super::stock::Grant;
use super::terms::Terms;
use std::time::Duration;

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Account {
    left: f64,
    lent: f64,
    /// Below this more is asked for early; none where there is no more.
    early: Option<f64>,
    /// Since the stock was asked for a share, or lent one.
    known: bool,
    /// Since the last exchange.
    taken: bool,
    /// The stock had enough to lend from.
    ample: bool,
    at: Option<Duration>,
}

/// What is told at an exchange.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statement {
    left: f64,
    lent: f64,
    /// Whether a share is wanted: otherwise all is given back.
    pub wanted: bool,
}

impl Statement {
    /// What there is of the stock's; below 0 where more was lent and spent.
    pub fn held(&self) -> f64 {
        self.left - self.lent
    }
}

impl Account {
    /// Takes one of a share of what all replicas have; also says whether more should be asked for early.
    pub fn take_shared(&mut self, terms: &Terms, now: Duration) -> (bool, bool) {
        if !self.known {
            self.known = true;
            self.lend_up_to(terms.share);
            self.early = Some(terms.share / 2.0);
        }
        self.at = Some(now);
        let taken = self.take();
        let more = self.early.is_some_and(|early| self.left < early);
        if more {
            self.early = None;
        }
        (taken, more)
    }

    /// Takes one of this replica's part of the rate, asking nobody.
    pub fn take_divided(&mut self, terms: &Terms, now: Duration) -> bool {
        self.known = false;
        let earned = self.at.map_or(terms.saved, |at| now.saturating_sub(at).as_secs_f64() * terms.divided);
        self.at = self.at.max(Some(now));
        self.lend_up_to((self.left + earned).min(terms.saved));
        // Whatever was spent longer ago has been earned again.
        self.lent = self.lent.min(self.left + terms.saved);
        self.take()
    }

    fn take(&mut self) -> bool {
        self.taken = true;
        let enough = self.left >= 1.0;
        if enough {
            self.left -= 1.0;
        }
        enough
    }

    /// What it holds of the stock's stays the same.
    fn lend_up_to(&mut self, left: f64) {
        self.lent += left - self.left;
        self.left = left;
    }

    /// What to tell the stock. Whoever took nothing since the last time gives everything back, unless the
    /// stock is short.
    pub fn state(&mut self) -> Statement {
        Statement { left: self.left, lent: self.lent, wanted: std::mem::take(&mut self.taken) || !self.ample }
    }

    /// Takes in what the stock grants upon a statement, and what that has left; false where nothing is held
    /// any more. What was spent in between is owed.
    pub fn settle(&mut self, told: &Statement, Grant { granted, rest }: Grant, share: f64) -> bool {
        self.left += granted - told.left;
        self.lent -= told.lent;
        if told.wanted {
            self.early = (granted >= share).then_some(share / 2.0);
            self.ample = rest >= share;
        } else {
            self.known = false;
        }
        told.wanted || self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::Account;
    use crate::auth::limits::stock::Grant;
    use crate::auth::limits::terms::Terms;
    use std::time::Duration;

    const NOW: Duration = Duration::from_secs(5);

    fn terms() -> Terms {
        Terms::of(100.0, 2, Duration::from_millis(250))
    }

    fn grant(granted: f64, rest: f64) -> Grant {
        Grant { granted, rest }
    }

    fn takes(account: &mut Account, most: usize) -> usize {
        (0..most).filter(|_| account.take_shared(&terms(), NOW).0).count()
    }

    #[test]
    fn what_is_lent_is_told_and_what_is_spent_meanwhile_is_owed() {
        let mut account = Account::default();
        assert_eq!(takes(&mut account, 100), 25, "a share, lent");
        let told = account.state();
        assert!(told.wanted && told.held() == -25.0, "{told:?}");
        assert!(account.settle(&told, grant(50.0, 80.0), terms().share));
        assert_eq!(takes(&mut account, 20), 20);
        let told = account.state();
        assert_eq!(told.held(), 30.0);
        assert_eq!(takes(&mut account, 10), 10, "while the stock is asked");
        assert!(account.settle(&told, grant(12.0, 0.0), terms().share));
        assert_eq!(account.state().held(), 2.0);
    }

    #[test]
    fn who_takes_nothing_gives_back_and_begins_anew() {
        let mut account = Account::default();
        takes(&mut account, 1);
        let told = account.state();
        account.settle(&told, grant(50.0, 80.0), terms().share);
        let told = account.state();
        assert!(!told.wanted && told.held() == 50.0, "{told:?}");
        assert!(!account.settle(&told, grant(0.0, 130.0), terms().share), "nothing is held");
        assert_eq!(takes(&mut account, 100), 25, "a share, lent");
        assert_eq!(account.state().held(), -25.0);
    }

    #[test]
    fn nothing_is_lent_again_while_the_stock_is_short() {
        let mut account = Account::default();
        takes(&mut account, 100);
        for _ in 0..5 {
            let told = account.state();
            assert!(told.wanted, "it stays in line: {told:?}");
            assert!(account.settle(&told, grant(0.0, -10.0), terms().share));
        }
        assert_eq!(takes(&mut account, 100), 0);
        let told = account.state();
        account.settle(&told, grant(5.0, 0.0), terms().share);
        let told = account.state();
        assert!(told.wanted && told.held() == 5.0, "it keeps what it has: {told:?}");
    }

    #[test]
    fn more_is_asked_for_once_and_only_where_there_is_more() {
        let mut account = Account::default();
        let early = |account: &mut Account, count: usize| (0..count).filter(|_| account.take_shared(&terms(), NOW).1).count();
        assert_eq!(early(&mut account, 12), 0);
        assert_eq!(early(&mut account, 100), 1);
        let told = account.state();
        account.settle(&told, grant(24.0, 0.0), terms().share);
        assert_eq!(early(&mut account, 100), 0, "that was all there is");
    }

    #[test]
    fn divided_it_earns_its_part_and_that_is_charged_later() {
        let mut account = Account::default();
        let mut takes = |at| (0..500).filter(|_| account.take_divided(&terms(), at)).count();
        assert_eq!(takes(NOW), 100, "two seconds' worth of a half");
        assert_eq!(takes(NOW + Duration::from_secs(1)), 50);
        assert_eq!(takes(NOW + Duration::from_secs(61)), 100);
        assert_eq!(account.state().held(), -100.0, "what was spent long ago has been earned again");
    }
}
