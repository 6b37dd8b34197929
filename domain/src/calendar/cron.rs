//! Cron expressions of five fields, over wall clocks that are changed.
//!
//! The grammar is croner's: lists, ranges, steps, names, and `L`, `W` and `#` for days; day of
//! month and day of week are joined with "or" where both are set. The changes of the clocks are ours:
//! - At fixed hours (`30 2 * * *`, `0 9,18 * * 1-5`): an occurrence in a gap fires once, with the first
//!   moment after the gap; one in a fold fires the first time only. So each day has each
//!   occurrence exactly once.
//! - At every hour (the hour field is `*`, or `*/n` up to 12): whenever the wall clock shows such a
//!   time, thus on both passes through a fold, and not for times that a gap skipped.
//!
//! Guarantee: what is accepted fires. Rejected: croner's own time zone handling. It takes
//! `0,30 2 * * *` for an interval and loses it in the gap, and gives up in gaps longer than two hours. It
//! is asked in UTC, as a calendar without changes.

use super::text_form::{shown, text_form};
use super::{CalendarError, TimeZone, Wall};
use crate::values::Millis;
use chrono::{DateTime, Utc};
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// The longest text: 391 bytes write every value of every field out.
const MAX_BYTES: usize = 400;

const PARTS: [(&str, &str); 5] = [
    ("minute", "0 to 59, such as \"30\", \"0,30\" or \"*/15\""),
    ("hour", "0 to 23, such as \"9\", \"9-17\" or \"*/2\""),
    ("day of month", "1 to 31, \"*\" or \"L\" for the last, such as \"1\", \"1,15\" or \"L\""),
    ("month", "1 to 12 or JAN to DEC, such as \"*\", \"6\" or \"JAN-MAR\""),
    ("day of week", "0 to 7 or SUN to SAT, such as \"*\", \"MON-FRI\" or \"FRI#L\""),
];

/// When to fire, by the wall clock of a zone. Equal where the text is, blanks aside.
#[derive(Debug, Clone)]
pub struct Cron {
    text: Arc<str>,
    pattern: Arc<croner::Cron>,
    every_hour: bool,
}

text_form!(Cron, "Cron expression of five fields", ["30 9 * * MON-FRI", "*/15 * * * *"]);

impl Cron {
    /// Reads an expression.
    ///
    /// # Errors
    /// Another number of fields than five, a field that cannot be read (named), or an expression
    /// that never fires.
    pub fn new(text: &str) -> Result<Self, CalendarError> {
        if text.len() > MAX_BYTES {
            return Err(CalendarError::CronTooLong { length: text.len(), most: MAX_BYTES });
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [_, hour, _, _, _] = fields[..] else {
            return Err(CalendarError::CronFields { fields: fields.len() });
        };
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        if let Some(place) = fields.iter().position(|field| field.contains('@')) {
            return Err(refused(place, fields[place], "nicknames are not supported"));
        }
        let text: Arc<str> = fields.join(" ").into();
        let pattern = Arc::new(parser.parse(&text).map_err(|error| at_fault(&parser, &fields, &error))?);
        let every_hour = matches!(hour, "*" | "?") || hour.strip_prefix("*/").and_then(|step| step.parse().ok()).is_some_and(|step: u8| step <= 12);
        let cron = Self { text, pattern, every_hour };
        if cron.next_wall(0, true).is_none() {
            return Err(CalendarError::CronNeverFires { given: shown(&cron.text) });
        }
        Ok(cron)
    }

    /// The expression, its fields apart by one blank.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The next occurrence strictly after `now`; `None` only past the year 4999.
    pub fn next_after(&self, now: Millis, zone: TimeZone) -> Option<Millis> {
        if self.every_hour { self.next_shown(now, zone) } else { self.next_reached(now, zone) }
    }

    /// By the first moment at which the wall clock has reached an occurrence.
    fn next_reached(&self, now: Millis, zone: TimeZone) -> Option<Millis> {
        let mut wall = self.next_wall(zone.wall(now), false)?;
        loop {
            let at = zone.first_at(wall);
            // Already past: on the second pass through a fold.
            if at > now {
                return Some(at);
            }
            wall = self.next_wall(wall, false)?;
        }
    }

    /// By what the wall clock shows at each moment.
    fn next_shown(&self, now: Millis, zone: TimeZone) -> Option<Millis> {
        let (mut at, mut inclusive) = (now, false);
        loop {
            let offset = zone.offset(at);
            let next = self.next_wall(at.checked_add(offset)?, inclusive)?.checked_sub(offset)?;
            match zone.change_within(at, next) {
                None => return Some(next),
                Some(change) => (at, inclusive) = (change, true),
            }
        }
    }

    fn next_wall(&self, wall: Wall, inclusive: bool) -> Option<Wall> {
        let from: DateTime<Utc> = DateTime::from_timestamp_millis(wall)?;
        self.pattern.find_next_occurrence(&from, inclusive).ok().map(|next| next.timestamp_millis())
    }
}

/// The parser does not say which field it means: each is tried alone.
fn at_fault(parser: &CronParser, fields: &[&str], error: &CronError) -> CalendarError {
    for (place, given) in fields.iter().copied().enumerate() {
        let mut alone = ["*"; PARTS.len()];
        alone[place] = given;
        if let Err(error) = parser.parse(&alone.join(" ")) {
            return refused(place, given, &reason(&error));
        }
    }
    CalendarError::CronTogether { given: shown(&fields.join(" ")), reason: reason(error) }
}

fn refused(place: usize, given: &str, reason: &str) -> CalendarError {
    let (part, expected) = PARTS[place];
    CalendarError::CronPart { part, given: shown(given), reason: shown(reason), expected }
}

fn reason(error: &CronError) -> String {
    match error {
        CronError::InvalidPattern(why) | CronError::IllegalCharacters(why) | CronError::ComponentError(why) => shown(why.trim_end_matches('.')),
        CronError::EmptyPattern | CronError::InvalidDate | CronError::InvalidTime | CronError::TimeSearchLimitExceeded => "it has no meaning".to_owned(),
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Cron {}

impl PartialOrd for Cron {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cron {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}
