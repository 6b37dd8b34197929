//! Civil time: what the clock on somebody's wall says, and when it will say something else.
//!
//! Pure functions of a moment that is handed in and of the tables of the IANA zones that are
//! compiled in. Two rules decide everything, so that no two features disagree about a night on
//! which the clocks are changed:
//! - *Being* inside (quiet hours): inside is whoever's wall clock shows a time inside, at each
//!   instant. A repeated hour counts twice, a skipped one not at all.
//! - *Reaching* a local time (schedules, days of limits): the first moment at which the wall
//!   clock has reached it. That is the first moment after a gap, and the first of two in a fold.
//!
//! Rejected: leaving gaps and folds to the libraries. chrono answers "none" or "two", and each cron
//! library has rules of its own, some of which lose occurrences.

mod cron;
mod error;
mod local_date_time;
mod local_time;
mod period;
#[cfg(test)]
mod tests;
mod text_form;
mod weekly;
mod zone;

pub use cron::Cron;
pub use error::CalendarError;
pub use local_date_time::LocalDateTime;
pub use local_time::LocalTime;
pub use period::Period;
pub use weekly::{MAX_WINDOWS, Weekday, WeeklyWindow, WeeklyWindows};
pub use zone::TimeZone;

use crate::values::Millis;

/// Milliseconds that a wall clock shows, counted as though it stood in UTC. Not a moment.
type Wall = i64;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;
const WEEK: Millis = 7 * DAY;
