//! Windows of the week: quiet hours (forbidden inside) and allowed windows (forbidden outside).
//!
//! Guarantee: a moment is inside iff the zone's wall clock shows a time inside then. Ends and
//! beginnings are exact to the millisecond, over any change of the clocks: what ends in a gap ends
//! with it, what lies in a repeated hour lies in it twice. Found from window edges and the
//! changes of the zone, not by stepping; rejected: conversion of each edge to a moment, which
//! cannot say on which of two passes through a repeated hour a window ends.

use super::{CalendarError, DAY, LocalTime, TimeZone, WEEK, Wall};
use crate::values::Millis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most windows that a week may have.
pub const MAX_WINDOWS: usize = 50;

/// From 1 January 1970, a Thursday, back to the Monday before.
const MONDAY_TO_EPOCH: Wall = 3 * DAY;

/// A day of the week; weeks begin on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// From Monday to Sunday.
    pub const ALL: [Self; 7] = [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];
}

/// The same hours on some days.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeeklyWindow {
    /// The days on which it begins; at least one.
    pub days: BTreeSet<Weekday>,
    /// The first minute inside.
    pub from: LocalTime,
    /// The first minute outside; before `from` it is that of the next day.
    pub to: LocalTime,
}

/// At least one window, and never the whole week. As JSON the list of its windows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Vec<WeeklyWindow>", into = "Vec<WeeklyWindow>")]
pub struct WeeklyWindows {
    windows: Vec<WeeklyWindow>,
    /// `[from, to)` in milliseconds since Monday's midnight: sorted, apart from one another,
    /// within one week.
    covered: Vec<(Wall, Wall)>,
}

impl WeeklyWindows {
    /// Checks the windows and joins those that touch or overlap.
    ///
    /// # Errors
    /// No window, more than [`MAX_WINDOWS`], one without days or without length, or all of the
    /// week covered.
    pub fn new(windows: Vec<WeeklyWindow>) -> Result<Self, CalendarError> {
        if windows.is_empty() {
            return Err(CalendarError::NoWindows);
        }
        if windows.len() > MAX_WINDOWS {
            return Err(CalendarError::TooManyWindows { count: windows.len(), most: MAX_WINDOWS });
        }
        for (window, number) in windows.iter().zip(1..) {
            if window.days.is_empty() {
                return Err(CalendarError::NoDays { number });
            }
            if window.from == window.to {
                return Err(CalendarError::EmptyWindow { number, at: window.from });
            }
        }
        let covered = joined(&windows);
        if covered == [(0, WEEK)] {
            return Err(CalendarError::WholeWeek);
        }
        Ok(Self { windows, covered })
    }

    /// The windows as they were given.
    pub fn windows(&self) -> &[WeeklyWindow] {
        &self.windows
    }

    /// Whether the wall clock shows a time inside a window.
    pub fn contains(&self, now: Millis, zone: TimeZone) -> bool {
        self.covers(of_week(zone.wall(now)))
    }

    /// Inside: the first moment from now on that lies in no window. Outside: `None`.
    pub fn end_of(&self, now: Millis, zone: TimeZone) -> Option<Millis> {
        self.contains(now, zone).then(|| self.first_that_is(false, now, zone))
    }

    /// Outside: the first moment from now on that lies in a window. Inside: `None`.
    pub fn next_start(&self, now: Millis, zone: TimeZone) -> Option<Millis> {
        (!self.contains(now, zone)).then(|| self.first_that_is(true, now, zone))
    }

    fn first_that_is(&self, inside: bool, now: Millis, zone: TimeZone) -> Millis {
        let mut at = now;
        loop {
            let wall = of_week(zone.wall(at));
            if self.covers(wall) == inside {
                return at;
            }
            // Right while the offset stays. A week has an edge of each kind, so that this is at
            // most a week ahead; and a change of the clocks that passes it over meets the next.
            let edge = at.saturating_add(self.until(inside, wall));
            match zone.change_within(at, edge) {
                None => return edge,
                Some(change) => at = change,
            }
        }
    }

    fn covers(&self, of_week: Wall) -> bool {
        self.covered.iter().any(|(from, to)| (*from..*to).contains(&of_week))
    }

    /// How long until a wall clock that is not `inside` would be, counted on past Sunday.
    fn until(&self, inside: bool, of_week: Wall) -> Wall {
        let edges = || self.covered.iter().map(|(from, to)| if inside { *from } else { *to });
        let open_over_sunday = matches!((self.covered.first(), self.covered.last()), (Some((0, _)), Some((_, WEEK))));
        // The end at Sunday's midnight is no edge where Monday goes on with a window.
        let edge = edges().find(|edge| *edge > of_week && !(open_over_sunday && *edge == WEEK));
        edge.or_else(|| edges().next().map(|edge| edge + WEEK)).map_or(WEEK, |edge| edge - of_week)
    }
}

fn of_week(wall: Wall) -> Wall {
    wall.saturating_add(MONDAY_TO_EPOCH).rem_euclid(WEEK)
}

fn joined(windows: &[WeeklyWindow]) -> Vec<(Wall, Wall)> {
    let mut parts = Vec::new();
    for window in windows {
        for day in &window.days {
            let midnight = *day as Wall * DAY;
            let from = midnight + window.from.wall();
            let to = midnight + window.to.wall() + if window.to < window.from { DAY } else { 0 };
            parts.push((from, to.min(WEEK)));
            if to > WEEK {
                parts.push((0, to - WEEK));
            }
        }
    }
    parts.sort_unstable();
    parts.into_iter().fold(Vec::new(), |mut joined: Vec<(Wall, Wall)>, (from, to)| {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            Some(_) | None => joined.push((from, to)),
        }
        joined
    })
}

/// By what was given, which settles the rest.
impl PartialEq for WeeklyWindows {
    fn eq(&self, other: &Self) -> bool {
        self.windows == other.windows
    }
}

impl Eq for WeeklyWindows {}

impl TryFrom<Vec<WeeklyWindow>> for WeeklyWindows {
    type Error = CalendarError;

    fn try_from(windows: Vec<WeeklyWindow>) -> Result<Self, Self::Error> {
        Self::new(windows)
    }
}

impl From<WeeklyWindows> for Vec<WeeklyWindow> {
    fn from(weekly: WeeklyWindows) -> Self {
        weekly.windows
    }
}

impl JsonSchema for WeeklyWindows {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "WeeklyWindows".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        generator.subschema_for::<Vec<WeeklyWindow>>()
    }
}
