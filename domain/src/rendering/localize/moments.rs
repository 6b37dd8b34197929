//! Days and moments, on the recipient's wall clock.

use super::super::filters::{bounded, refused};
use super::super::values::Here;
use super::formatters::{Form, Length, moment, offset};
use super::with_here;
use crate::values::Millis;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};
use minijinja::{Environment, Error, State, Value};

pub(super) fn add(engine: &mut Environment<'static>) {
    engine.add_filter("date", |state: &State, value: &Value, style: Option<&str>| with_here(state, |here| bounded(date(here, value, style)?)));
    engine.add_filter("time", |state: &State, value: &Value, style: Option<&str>| with_here(state, |here| bounded(time(here, value, style)?)));
    engine.add_filter("datetime", |state: &State, value: &Value, style: Option<&str>| {
        with_here(state, |here| bounded(moment(&here.locale, Form::DateTime(length(style, Length::Medium)?), &wall(here, at(value)?)?)?))
    });
}

fn length(style: Option<&str>, default: Length) -> Result<Length, Error> {
    match style {
        None => Ok(default),
        Some("short") => Ok(Length::Short),
        Some("medium") => Ok(Length::Medium),
        Some("long") => Ok(Length::Long),
        Some("full") => Ok(Length::Full),
        Some(_) => Err(refused("the style is `short`, `medium`, `long` or `full`")),
    }
}

/// A day is the same everywhere; a moment's day depends on the zone.
fn date(here: &Here, value: &Value, style: Option<&str>) -> Result<String, Error> {
    let day = value.as_str().and_then(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok());
    let wall = match day {
        Some(day) => day.and_time(chrono::NaiveTime::MIN),
        None => wall(here, at(value)?)?,
    };
    moment(&here.locale, Form::Date(length(style, Length::Medium)?), &wall)
}

/// `long` and `full` tell the zone's distance from UTC too.
fn time(here: &Here, value: &Value, style: Option<&str>) -> Result<String, Error> {
    let (length, at) = (length(style, Length::Short)?, at(value)?);
    let mut text = moment(&here.locale, Form::Time(length), &wall(here, at)?)?;
    if matches!(length, Length::Long | Length::Full) {
        let seconds = i32::try_from(here.zone.offset(at) / 1000).map_err(|_| refused("it is no moment or day"))?;
        text = format!("{text} {}", offset(&here.locale, seconds)?);
    }
    Ok(text)
}

/// A moment: RFC 3339, or milliseconds since the epoch.
fn at(value: &Value) -> Result<Millis, Error> {
    if value.is_undefined() {
        return Err(Error::from(minijinja::ErrorKind::UndefinedError));
    }
    let of_text = |text| DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.timestamp_millis());
    value.as_str().map_or_else(|| value.as_i64(), of_text).ok_or_else(|| refused("it is no moment or day"))
}

fn wall(here: &Here, at: Millis) -> Result<NaiveDateTime, Error> {
    let wall = DateTime::from_timestamp_millis(at.saturating_add(here.zone.offset(at))).map(|wall| wall.naive_utc());
    wall.filter(|wall| (1..=9999).contains(&wall.year())).ok_or_else(|| refused("it is no moment or day"))
}
