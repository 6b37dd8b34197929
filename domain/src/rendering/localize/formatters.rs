//! ICU's formatters, loaded once for each language.

use super::super::filters::refused;
use crate::values::Locale;
use chrono::{Datelike, NaiveDateTime, Timelike};
use icu_datetime::DateTimeFormatter;
use icu_datetime::fieldsets::{T, YMD, YMDE, YMDET, YMDT, zone::LocalizedOffsetShort};
use icu_datetime::input::{Date, DateTime, Time, UtcOffset};
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_locale_core::Locale as Icu;
use icu_plurals::{PluralCategory, PluralRules};
use minijinja::Error;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

/// What was loaded. Few languages are in use at a time; should somebody send in hundreds, all is loaded anew.
struct Loaded<K, V>(RwLock<HashMap<K, Arc<V>>>);

impl<K: Hash + Eq + Clone, V> Loaded<K, V> {
    const MOST: usize = 200;

    fn get(&self, key: K, load: impl FnOnce() -> Option<V>) -> Result<Arc<V>, Error> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let loaded = Arc::new(load().ok_or_else(|| refused("the language has no such form"))?);
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= Self::MOST {
            all.clear();
        }
        all.insert(key, loaded.clone());
        Ok(loaded)
    }
}

impl<K, V> Default for Loaded<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

static DECIMALS: LazyLock<Loaded<Locale, DecimalFormatter>> = LazyLock::new(Loaded::default);
static PLURALS: LazyLock<Loaded<Locale, PluralRules>> = LazyLock::new(Loaded::default);
static MOMENTS: LazyLock<Loaded<(Locale, Form), Moment>> = LazyLock::new(Loaded::default);
static OFFSETS: LazyLock<Loaded<Locale, DateTimeFormatter<LocalizedOffsetShort>>> = LazyLock::new(Loaded::default);

fn icu(locale: &Locale) -> Icu {
    Icu::try_from_str(locale.as_str()).unwrap_or(Icu::UNKNOWN)
}

/// A number with the digits it has.
pub(super) fn decimal(locale: &Locale, number: &Decimal) -> Result<String, Error> {
    let formatter = DECIMALS.get(locale.clone(), || DecimalFormatter::try_new((&icu(locale)).into(), Default::default()).ok())?;
    Ok(formatter.format(number).to_string())
}

/// The plural category of a number, by its CLDR name.
pub(super) fn plural_category(locale: &Locale, number: &Decimal) -> &'static str {
    let rules = PLURALS.get(locale.clone(), || PluralRules::try_new_cardinal((&icu(locale)).into()).ok());
    match rules.map(|rules| rules.category_for(number)) {
        Ok(PluralCategory::Zero) => "zero",
        Ok(PluralCategory::One) => "one",
        Ok(PluralCategory::Two) => "two",
        Ok(PluralCategory::Few) => "few",
        Ok(PluralCategory::Many) => "many",
        Ok(PluralCategory::Other) | Err(_) => "other",
    }
}

/// How long a date or time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Length {
    Short,
    Medium,
    Long,
    Full,
}

/// What is written of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    Date(Length),
    Time(Length),
    DateTime(Length),
}

enum Moment {
    Date(DateTimeFormatter<YMD>),
    Weekday(DateTimeFormatter<YMDE>),
    Time(DateTimeFormatter<T>),
    DateTime(DateTimeFormatter<YMDT>),
    WeekdayTime(DateTimeFormatter<YMDET>),
}

impl Moment {
    fn load(locale: &Locale, form: Form) -> Option<Self> {
        let icu = icu(locale);
        let length = |length| match length {
            Length::Short => YMD::short(),
            Length::Medium => YMD::medium(),
            Length::Long | Length::Full => YMD::long(),
        };
        match form {
            Form::Date(Length::Full) => DateTimeFormatter::try_new((&icu).into(), YMDE::long()).map(Self::Weekday).ok(),
            Form::Date(date) => DateTimeFormatter::try_new((&icu).into(), length(date)).map(Self::Date).ok(),
            Form::Time(Length::Short) => DateTimeFormatter::try_new((&icu).into(), T::hm()).map(Self::Time).ok(),
            Form::Time(_) => DateTimeFormatter::try_new((&icu).into(), T::hms()).map(Self::Time).ok(),
            Form::DateTime(Length::Full) => DateTimeFormatter::try_new((&icu).into(), YMDE::long().with_time_hm()).map(Self::WeekdayTime).ok(),
            Form::DateTime(date) => DateTimeFormatter::try_new((&icu).into(), length(date).with_time_hm()).map(Self::DateTime).ok(),
        }
    }
}

/// Writes what a wall clock shows.
pub(super) fn moment(locale: &Locale, form: Form, wall: &NaiveDateTime) -> Result<String, Error> {
    let formatter = MOMENTS.get((locale.clone(), form), || Moment::load(locale, form))?;
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    let impossible = || refused("it is no moment or day");
    let date = Date::try_new_iso(wall.year(), small(wall.month()), small(wall.day())).map_err(|_| impossible())?;
    let time = Time::try_new(small(wall.hour()), small(wall.minute()), small(wall.second()), 0).map_err(|_| impossible())?;
    Ok(match formatter.as_ref() {
        Moment::Date(formatter) => formatter.format(&date).to_string(),
        Moment::Weekday(formatter) => formatter.format(&date).to_string(),
        Moment::Time(formatter) => formatter.format(&time).to_string(),
        Moment::DateTime(formatter) => formatter.format(&DateTime { date, time }).to_string(),
        Moment::WeekdayTime(formatter) => formatter.format(&DateTime { date, time }).to_string(),
    })
}

/// A zone's distance from UTC, as in `GMT+9`.
pub(super) fn offset(locale: &Locale, seconds: i32) -> Result<String, Error> {
    let formatter = OFFSETS.get(locale.clone(), || DateTimeFormatter::try_new((&icu(locale)).into(), LocalizedOffsetShort).ok())?;
    let offset = UtcOffset::try_from_seconds(seconds).map_err(|_| refused("it is no moment or day"))?;
    Ok(formatter.format(&offset).to_string())
}
