//! Values that say which deliveries a provider gets, and how many at first.

use super::value::{Form, Value};
use chrono::{NaiveDate, NaiveTime};
use domain::values::{Country, SenderKey};
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

    use super::RampUp;
    use crate::config::value::Value as _;
    use std::path::Path;

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
