//! A date and a time of day as a wall clock shows them, without a zone.

use super::text_form::{shown, text_form};
use super::zone::within_years;
use super::{CalendarError, Wall};
use chrono::{DateTime, Datelike as _, NaiveDateTime, Timelike as _};
use std::fmt;

/// To the second; as text `2027-03-28T09:00`, with `:SS` where the seconds are not nought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalDateTime(NaiveDateTime);

text_form!(LocalDateTime, "Local date and time without a zone, ISO 8601", ["2027-03-28T09:00"]);

impl LocalDateTime {
    /// Reads `YYYY-MM-DDTHH:MM` or `YYYY-MM-DDTHH:MM:SS`.
    ///
    /// # Errors
    /// [`CalendarError::LocalDateTime`] for anything else, dates that do not exist, and years
    /// before 1970 or after 9999.
    pub fn new(text: &str) -> Result<Self, CalendarError> {
        let refused = || CalendarError::LocalDateTime { given: shown(text) };
        // chrono's formats also take signs, blanks and single digits; the shape is settled first.
        let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        let format = match shape.as_str() {
            "0000-00-00T00:00" => "%Y-%m-%dT%H:%M",
            "0000-00-00T00:00:00" => "%Y-%m-%dT%H:%M:%S",
            _ => return Err(refused()),
        };
        match NaiveDateTime::parse_from_str(text, format) {
            // chrono reads the second 60 as a leap second, which no zone's wall clock shows.
            Ok(local) if (1970..=9999).contains(&local.year()) && local.nanosecond() == 0 => Ok(Self(local)),
            Ok(_) | Err(_) => Err(refused()),
        }
    }

    pub(super) fn wall(self) -> Wall {
        self.0.and_utc().timestamp_millis()
    }

    pub(super) fn from_wall(wall: Wall) -> Self {
        Self(DateTime::from_timestamp(within_years(wall).div_euclid(1_000), 0).unwrap_or_default().naive_utc())
    }
}

impl fmt::Display for LocalDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = if self.0.second() == 0 { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S" };
        write!(f, "{}", self.0.format(format))
    }
}
