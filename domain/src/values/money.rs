//! What text messages cost, as the operator says what a segment costs.
//!
//! Guarantee: whole millionths, so that sums are exact in any order. Rejected: floating point; and asking the
//! providers, of which one tells a price with its answer, one days later, and others never.

use super::Country;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Millionths in one.
const MICROS: u64 = 1_000_000;
/// Digits behind the point.
const DIGITS: usize = 6;

/// An amount in a currency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// The currency's three letters (ISO 4217), such as `USD`.
    pub currency: String,
    /// In millionths of it.
    pub micros: u64,
}

impl Money {
    /// Reads `0.0079 USD`: at most six digits behind the point, and three letters.
    pub fn parse(text: &str) -> Option<Self> {
        let (amount, currency) = text.trim().split_once(' ')?;
        let currency = currency.trim();
        let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let right = (1..=6).contains(&whole.len()) && digits(whole) && part.len() <= DIGITS && digits(part) && (part.is_empty() != amount.contains('.'));
        if !right || currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let micros = whole.parse::<u64>().ok()? * MICROS + format!("{part:0<DIGITS$}").parse::<u64>().ok()?;
        Some(Self { currency: currency.to_owned(), micros })
    }

    /// So many times.
    #[must_use]
    pub fn times(&self, count: u32) -> Self {
        Self { currency: self.currency.clone(), micros: self.micros.saturating_mul(count.into()) }
    }

    /// The number without the currency, such as `0.0079`.
    pub fn amount(&self) -> String {
        let part = format!("{:0>DIGITS$}", self.micros % MICROS);
        match part.trim_end_matches('0') {
            "" => (self.micros / MICROS).to_string(),
            part => format!("{}.{part}", self.micros / MICROS),
        }
    }
}

/// `0.0079 USD`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

/// What a text message was paid by, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TextCost {
    /// Segments, as we count them.
    pub segments: u32,
    /// What all of them cost, where a price is configured for the number's country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
}

/// What a segment costs, by country.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prices(Vec<(Option<Country>, Money)>);

impl Prices {
    /// Of these; no country stands for all that are not named.
    pub const fn new(prices: Vec<(Option<Country>, Money)>) -> Self {
        Self(prices)
    }

    /// What so many segments to a country cost.
    pub fn of(&self, country: Option<Country>, segments: u32) -> TextCost {
        let named = country.and_then(|country| self.0.iter().find(|(known, _)| *known == Some(country)));
        let price = named.or_else(|| self.0.iter().find(|(known, _)| known.is_none())).map(|(_, price)| price.times(segments));
        TextCost { segments, price }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Money, Prices, TextCost};
    use crate::values::Country;

    #[test]
    fn amounts_are_read_and_written_exactly() {
        for (text, micros) in [("0.0079 USD", 7_900), ("12 KRW", 12_000_000), ("9.9 KRW", 9_900_000), ("0.000001 EUR", 1), ("0 USD", 0)] {
            let money = Money::parse(text).unwrap();
            assert_eq!((money.micros, money.to_string().as_str()), (micros, text));
        }
        assert_eq!(Money::parse("1.50 USD").unwrap().to_string(), "1.5 USD");
        for wrong in ["", "1", "1 usd", "1.USD", "1. USD", ".5 USD", "0.0000001 USD", "-1 USD", "1,5 USD", "1e3 USD", "1 DOLLAR", "9999999 USD"] {
            assert_eq!(Money::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Money::parse("0.0079 USD").unwrap().times(3).amount(), "0.0237");
    }

    #[test]
    fn a_country_has_its_own_price_or_that_of_all_others() {
        let price = |text| Money::parse(text).unwrap();
        let korea = Country::parse("KR");
        let prices = Prices::new(vec![(korea, price("9.9 KRW")), (None, price("0.05 USD"))]);
        assert_eq!(prices.of(korea, 2), TextCost { segments: 2, price: Some(price("19.8 KRW")) });
        assert_eq!(prices.of(Country::parse("US"), 1).price, Some(price("0.05 USD")));
        assert_eq!(prices.of(None, 1).price, Some(price("0.05 USD")));
        assert_eq!(Prices::default().of(korea, 1), TextCost { segments: 1, price: None });
    }
}
