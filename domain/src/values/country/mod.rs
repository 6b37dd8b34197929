//! Countries, and which one a telephone number belongs to.
//!
//! Guarantee: a number whose country is not known has none, so that a list of allowed countries lets
//! none through that it does not name. Rejected: a crate with whole national numbering plans. It costs
//! a megabyte and regular expressions to learn whether a number is complete, which is not asked here;
//! the first digits say the country.

mod numbers;
#[cfg(test)]
mod tests;

use super::PhoneNumber;
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// A country or territory, by its two letters (ISO 3166-1 alpha-2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

/// The digits that numbers of a country begin with.
static BEGINNINGS: LazyLock<HashMap<&'static str, Country>> = LazyLock::new(|| {
    let of = |(code, beginnings): &(&'static str, &'static str)| Country::letters(code).map(|country| (country, *beginnings));
    numbers::NUMBERS.iter().filter_map(of).flat_map(|(country, beginnings)| beginnings.split(' ').map(move |digits| (digits, country))).collect()
});

/// The most digits it takes to tell.
const LONGEST: usize = 7;

impl Country {
    /// Reads two letters of a country that has telephone numbers, in either case.
    pub fn parse(text: &str) -> Option<Self> {
        let country = Self::letters(text)?;
        numbers::NUMBERS.iter().any(|(code, _)| code.as_bytes() == country.0).then_some(country)
    }

    /// Whose number it is; none of a service's, or where the plan does not know it.
    pub fn of(number: &PhoneNumber) -> Option<Self> {
        let digits = number.digits();
        (1..=LONGEST.min(digits.len())).rev().find_map(|length| BEGINNINGS.get(digits.get(..length)?).copied())
    }

    fn letters(text: &str) -> Option<Self> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_alphabetic).then(|| Self(letters.map(|letter| letter.to_ascii_uppercase())))
    }

    /// `KR`.
    pub fn as_str(&self) -> &str {
        // Two letters, by construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
