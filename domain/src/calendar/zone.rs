//! A time zone, and the two directions between moments and wall clocks.
//!
//! Guarantee: both directions are total. The moment of a local time is the first at which the
//! wall clock has reached it: the first moment after a gap, the first of two in a fold, and never
//! earlier for a later local time. Rejected: chrono's own conversion, which leaves a gap without an
//! answer, and does not know the day that Samoa skipped from a mistake of the caller.

use super::text_form::{shown, text_form};
use super::{CalendarError, DAY, HOUR, LocalDateTime, Wall};
use crate::values::Millis;
use chrono::{DateTime, Offset as _, TimeZone as _};
use chrono_tz::{TZ_VARIANTS, Tz};
use std::cmp::Ordering;
use std::fmt;

/// No zone has ever been further from UTC (15 h 13 min 42 s: Metlakatla before 1867).
const FURTHEST: Millis = 16 * HOUR;
/// The years for which offsets are looked up: 1 to 9999. Outside, the nearest counts.
const EARLIEST: Millis = -62_135_596_800_000;
const LATEST: Millis = 253_402_300_799_999;

/// The nearest moment (or wall clock) of the years 1 to 9999, so that far-off input costs no walk.
pub(super) fn within_years(at: Millis) -> Millis {
    at.clamp(EARLIEST, LATEST)
}

/// A zone of the IANA database, by its name, e.g. `Asia/Seoul`. Aliases keep their name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeZone(Tz);

text_form!(TimeZone, "IANA name of a time zone", ["Asia/Seoul", "UTC"]);

impl TimeZone {
    /// The zone of that name, in its exact spelling.
    ///
    /// # Errors
    /// [`CalendarError::UnknownZone`], also for offsets such as `+09:00`.
    pub fn new(name: &str) -> Result<Self, CalendarError> {
        name.parse().map(Self).map_err(|_| CalendarError::UnknownZone {
            given: shown(name),
            meant: TZ_VARIANTS.iter().map(|zone| zone.name()).find(|known| known.eq_ignore_ascii_case(name)),
        })
    }

    /// UTC, where nothing is known about somebody's zone.
    pub const fn utc() -> Self {
        Self(Tz::UTC)
    }

    /// Its IANA name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The first moment at which the wall clock has reached this local time.
    pub fn moment(self, local: LocalDateTime) -> Millis {
        self.first_at(local.wall())
    }

    /// What the wall clock shows, without the fraction of a second.
    pub fn local(self, at: Millis) -> LocalDateTime {
        LocalDateTime::from_wall(self.wall(at))
    }

    /// How far the wall clock is ahead of UTC at a moment, in milliseconds.
    pub fn offset(self, at: Millis) -> Millis {
        let utc = DateTime::from_timestamp_millis(within_years(at)).unwrap_or_default().naive_utc();
        Millis::from(self.0.offset_from_utc_datetime(&utc).fix().local_minus_utc()) * 1_000
    }

    /// What the wall clock shows.
    pub(super) fn wall(self, at: Millis) -> Wall {
        at.saturating_add(self.offset(at))
    }

    /// The first moment at which the wall clock shows this or more.
    pub(super) fn first_at(self, wall: Wall) -> Millis {
        let mut at = wall.saturating_sub(FURTHEST);
        loop {
            let reached = wall.saturating_sub(self.offset(at)).max(at);
            match self.change_within(at, reached) {
                None => return reached,
                Some(change) => at = change,
            }
        }
    }

    /// The first change of the offset in `(after, until]`, to the millisecond: the first moment
    /// at which the new offset holds.
    ///
    /// Looks once a day. No zone has changed twice within three days (the least in the database
    /// is 95 hours), so that a change and its return cannot hide between two looks.
    pub(super) fn change_within(self, after: Millis, until: Millis) -> Option<Millis> {
        let before = self.offset(after);
        // Outside of these years nothing changes; far-off input must not cost a walk of days.
        let (mut low, last) = (after.max(EARLIEST), until.min(LATEST));
        while low < last {
            let mut high = low.saturating_add(DAY).min(last);
            if self.offset(high) == before {
                low = high;
                continue;
            }
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if self.offset(middle) == before { low = middle } else { high = middle }
            }
            return Some(high);
        }
        None
    }
}

impl Default for TimeZone {
    fn default() -> Self {
        Self::utc()
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl PartialOrd for TimeZone {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TimeZone {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name())
    }
}
