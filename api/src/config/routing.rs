//! Values that say which deliveries a provider gets, and how many at first.

use super::value::{Form, Value};
use chrono::{NaiveDate, NaiveTime};
use domain::values::{Country, Money, SenderKey};
use std::num::NonZeroU32;
use std::path::Path;
use workers::channels;

impl Value for Country {
    const KIND: &'static str = "countries by their two letters, such as `KR`";
    const FORM: Form = Form::Text;

    fn parse(text: &str, _: &Path) -> Result<Self, String> {
        Self::parse(text.trim()).ok_or_else(|| format!("expected {}", Self::KIND))
    }
}

/// A sender's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(pub SenderKey);

impl Value for Sender {
    const KIND: &'static str = "names of senders";
    const FORM: Form = Form::Text;

    fn parse(text: &str, _: &Path) -> Result<Self, String> {
        SenderKey::new(text.trim()).map(Self).map_err(|error| error.to_string())
    }
}

/// What a segment of a text message costs in a country, or in all that are not named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price(pub Option<Country>, pub Money);

impl Value for Price {
    const KIND: &'static str = "prices of a segment by country, such as `KR 9.9 KRW`, or `* 0.05 USD` for all others";
    const FORM: Form = Form::Text;

    fn parse(text: &str, _: &Path) -> Result<Self, String> {
        let read = || {
            let (country, price) = text.trim().split_once(' ')?;
            let country = if country == "*" { None } else { Some(Country::parse(country)?) };
            Some(Self(country, Money::parse(price)?))
        };
        read().ok_or_else(|| format!("expected {}", Self::KIND))
    }
}

/// A warm-up as it is written: `50/day from 2026-11-20`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RampUp(pub channels::RampUp);

impl Value for RampUp {
    const KIND: &'static str = "calls on the first day, and that day (UTC), such as `50/day from 2026-11-20`";
    const FORM: Form = Form::Text;

    fn parse(text: &str, _: &Path) -> Result<Self, String> {
        let read = || {
            let (first, from) = text.split_once("/day from ")?;
            let first: NonZeroU32 = first.trim().parse().ok()?;
            let from = NaiveDate::parse_from_str(from.trim(), "%Y-%m-%d").ok()?.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
            Some(Self(channels::RampUp { first, from }))
        };
        read().ok_or_else(|| format!("expected {}", Self::KIND))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Price, RampUp};
    use crate::config::value::Value as _;
    use std::path::Path;

    #[test]
    fn a_price_names_its_country_or_all_others() {
        let price = |text: &str| Price::parse(text, Path::new(""));
        assert_eq!(price("KR 9.9 KRW").unwrap().1.to_string(), "9.9 KRW");
        assert_eq!(price("* 0.05 USD").unwrap().0, None);
        for wrong in ["0.05 USD", "ZZ 1 USD", "KR 1", "KR 1,5 USD", "KR"] {
            assert!(price(wrong).unwrap_err().contains("KR 9.9 KRW"), "{wrong}");
        }
    }

    #[test]
    fn a_warm_up_is_read_as_people_write_it() {
        let ramp = RampUp::parse("50/day from 2026-11-20", Path::new("")).unwrap().0;
        assert_eq!((ramp.first.get(), ramp.from), (50, 1_795_132_800_000));
        for wrong in ["50", "50/day", "0/day from 2026-11-20", "50/day from tomorrow", "50/hour from 2026-11-20"] {
            let error = RampUp::parse(wrong, Path::new("")).unwrap_err();
            assert!(error.contains("50/day from 2026-11-20"), "{wrong}: {error}");
        }
    }
}
