//! A time of day on a wall clock, to the minute.

use super::text_form::{shown, text_form};
use super::{CalendarError, DAY, MINUTE, TimeZone, Wall};
use crate::values::Millis;
use std::fmt;

/// Minutes since midnight; as text `HH:MM` of 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalTime(u16);

text_form!(LocalTime, "Time of day, HH:MM of 24 hours", ["07:30", "22:00"]);

impl LocalTime {
    /// 00:00.
    pub const MIDNIGHT: Self = Self(0);

    /// Reads `HH:MM`.
    ///
    /// # Errors
    /// [`CalendarError::LocalTime`] for anything else; `24:00` is written `00:00`.
    pub fn new(text: &str) -> Result<Self, CalendarError> {
        let number = |text: &str| if text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()) { text.parse::<u16>().ok() } else { None };
        let parts = text.split_once(':').and_then(|(hours, minutes)| Some((number(hours)?, number(minutes)?)));
        match parts {
            Some((hours @ ..=23, minutes @ ..=59)) => Ok(Self(hours * 60 + minutes)),
            Some(_) | None => Err(CalendarError::LocalTime { given: shown(text) }),
        }
    }

    /// Minutes since midnight, 0 to 1439.
    pub const fn minutes(self) -> u16 {
        self.0
    }

    /// The next moment, strictly after now, at which the zone's wall clock reaches this time of
    /// some day. A time that a day skips is reached with the first moment after the gap; one that a
    /// day shows twice, the first time only.
    pub fn next_at(now: Millis, zone: TimeZone, time: Self) -> Millis {
        let mut wall = zone.wall(now).div_euclid(DAY).saturating_mul(DAY).saturating_add(time.wall());
        loop {
            let at = zone.first_at(wall);
            // At the far end of the numbers there is no later day.
            if at > now || wall > Wall::MAX - DAY {
                return at;
            }
            wall += DAY;
        }
    }

    pub(super) fn wall(self) -> Wall {
        Wall::from(self.0) * MINUTE
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}
