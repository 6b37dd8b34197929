//! Hours of the week as callers write and read them.

use crate::graphql::problem::Refused;
use async_graphql::{Enum, InputObject, SimpleObject};
use domain::calendar::{self, CalendarError, LocalTime, WeeklyWindow, WeeklyWindows};

/// A day of the week.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "calendar::Weekday")]
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

/// The same hours on some days, by the clock of the recipient's time zone.
#[derive(InputObject, Debug, Clone)]
pub struct HoursInput {
    /// The days on which they begin; at least one.
    days: Vec<Weekday>,
    /// The first minute of them, such as `22:00`.
    from: String,
    /// The first minute after them, such as `07:30`; before `from`, it is that of the next day.
    to: String,
}

/// The same hours on some days, by the clock of the recipient's time zone.
#[derive(SimpleObject, Debug, Clone)]
#[graphql(name = "Hours")]
pub struct HoursObject {
    days: Vec<Weekday>,
    from: String,
    /// Before `from`, it is that of the next day.
    to: String,
}

/// Reads windows; `field` is the input's name.
pub fn read(field: &'static str, windows: Vec<HoursInput>) -> Result<WeeklyWindows, Refused> {
    let refused = |error: CalendarError| {
        let code = if matches!(error, CalendarError::LocalTime { .. }) { "TIME_INVALID" } else { "HOURS_INVALID" };
        Refused::at(field, code, error.to_string())
    };
    let read = |hours: HoursInput| {
        Ok(WeeklyWindow { days: hours.days.into_iter().map(Into::into).collect(), from: LocalTime::new(&hours.from)?, to: LocalTime::new(&hours.to)? })
    };
    windows.into_iter().map(read).collect::<Result<Vec<_>, CalendarError>>().and_then(WeeklyWindows::new).map_err(refused)
}

/// As they were given; none where nothing is set.
pub fn shown(windows: Option<&WeeklyWindows>) -> Vec<HoursObject> {
    let show = |window: &WeeklyWindow| HoursObject {
        days: window.days.iter().map(|day| (*day).into()).collect(),
        from: window.from.to_string(),
        to: window.to.to_string(),
    };
    windows.map(|windows| windows.windows().iter().map(show).collect()).unwrap_or_default()
}
