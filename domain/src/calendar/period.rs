//! Hours, days, weeks and months of a zone, as limits count them.
//!
//! Guarantee: the periods of a zone follow one another without gap or overlap: each moment lies
//! in one, and `next_start` of its start is the start of the next. That holds for the years 1 to
//! 9999; a moment outside counts as the nearest of these.

use super::zone::within_years;
use super::{DAY, HOUR, TimeZone, WEEK, Wall};
use crate::values::Millis;
use chrono::{DateTime, Datelike as _, Months, NaiveDate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A calendar period in some zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// From one full hour of the wall clock to the next. A change of the clocks begins a new hour,
    /// so that a repeated hour is two.
    Hour,
    /// From midnight to midnight: 23 to 25 hours where the clocks are changed. Where midnight is
    /// skipped, from the first moment after it.
    Day,
    /// Seven days from Monday.
    Week,
    /// From the first of a month.
    Month,
}

/// Monday, 5 January 1970.
const MONDAY: Wall = 4 * DAY;

impl Period {
    /// The name in events, configuration and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The first moment of the period that `now` lies in; at most `now`.
    pub fn start_of(self, now: Millis, zone: TimeZone) -> Millis {
        if self == Self::Hour {
            let full = now.saturating_sub(zone.wall(now).rem_euclid(HOUR));
            // In an hour that the clocks were changed in, it began with the change.
            return zone.change_within(full, now).unwrap_or(full);
        }
        self.around(now, zone).0
    }

    /// The first moment of the next period; strictly after `now`.
    pub fn next_start(self, now: Millis, zone: TimeZone) -> Millis {
        if self == Self::Hour {
            let full = now.saturating_add(HOUR - zone.wall(now).rem_euclid(HOUR));
            return zone.change_within(now, full).unwrap_or(full);
        }
        self.around(now, zone).1
    }

    fn around(self, now: Millis, zone: TimeZone) -> (Millis, Millis) {
        let now = within_years(now);
        let mut wall = self.floor(zone.wall(now));
        let mut start = zone.first_at(wall);
        loop {
            let following = self.following(wall);
            let next = zone.first_at(following);
            // Once more than usual where the clocks went back over midnight: the day that the wall
            // clock shows again is over.
            if next > now || following == wall {
                return (start, next);
            }
            (wall, start) = (following, next);
        }
    }

    fn floor(self, wall: Wall) -> Wall {
        match self {
            Self::Hour => wall.div_euclid(HOUR).saturating_mul(HOUR),
            Self::Day => wall.div_euclid(DAY).saturating_mul(DAY),
            Self::Week => (wall.saturating_sub(MONDAY)).div_euclid(WEEK).saturating_mul(WEEK).saturating_add(MONDAY),
            Self::Month => date(wall).with_day(1).map_or(wall, midnight),
        }
    }

    fn following(self, start: Wall) -> Wall {
        match self {
            Self::Hour => start.saturating_add(HOUR),
            Self::Day => start.saturating_add(DAY),
            Self::Week => start.saturating_add(WEEK),
            Self::Month => date(start).checked_add_months(Months::new(1)).map_or(start, midnight),
        }
    }
}

fn date(wall: Wall) -> NaiveDate {
    DateTime::from_timestamp_millis(wall).unwrap_or_default().date_naive()
}

fn midnight(date: NaiveDate) -> Wall {
    date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()
}
