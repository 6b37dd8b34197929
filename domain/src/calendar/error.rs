//! Why a calendar value was refused, each with what to give instead.

/// Refused input. Messages go to callers as they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// No such zone in the IANA database that is compiled in.
    #[error("there is no time zone {given:?}; {}give an IANA name in its exact spelling, such as \"Asia/Seoul\", \"America/New_York\" or \"UTC\"", .meant.map_or_else(String::new, |name| format!("did you mean {name:?}? ")))]
    UnknownZone {
        /// What was given.
        given: String,
        /// The zone whose name differs only in upper and lower case.
        meant: Option<&'static str>,
    },
    /// Not a time of day.
    #[error("{given:?} is not a time of day; give hours and minutes from \"00:00\" to \"23:59\", such as \"07:30\" (midnight is \"00:00\")")]
    LocalTime {
        /// What was given.
        given: String,
    },
    /// Not a date with a time of day.
    #[error("{given:?} is not a local date and time; give it without a zone or offset, such as \"2027-03-28T09:00\", in the years 1970 to 9999")]
    LocalDateTime {
        /// What was given.
        given: String,
    },
    /// An empty list of windows.
    #[error("the list of windows is empty; give at least one window, or leave the whole setting out")]
    NoWindows,
    /// More windows than are allowed.
    #[error("{count} windows are too many; give at most {most}: one window may name several days")]
    TooManyWindows {
        /// How many were given.
        count: usize,
        /// How many may be given.
        most: usize,
    },
    /// A window on no day.
    #[error("window {number} names no day; give at least one, such as [\"monday\"]")]
    NoDays {
        /// Its place in the list, from 1.
        number: usize,
    },
    /// A window that begins when it ends.
    #[error(
        "window {number} begins and ends at {at}, which may mean nothing or a whole day; for a whole day give two windows, 00:00 to 12:00 and 12:00 to 00:00"
    )]
    EmptyWindow {
        /// Its place in the list, from 1.
        number: usize,
        /// Both ends.
        at: super::LocalTime,
    },
    /// Windows that never end.
    #[error("together the windows cover the whole week and would never end; leave at least a minute of the week free")]
    WholeWeek,
    /// Not five fields.
    #[error(
        "a cron expression has five fields (minute, hour, day of month, month, day of week), not {fields}; seconds, years and names like @daily are not supported. An example: \"30 9 * * MON-FRI\" is 9:30 on working days"
    )]
    CronFields {
        /// How many were given.
        fields: usize,
    },
    /// A field of a cron expression that cannot be read.
    #[error("the {part} of the cron expression, {given:?}, is not valid ({reason}); give {expected}")]
    CronPart {
        /// Which field, in words.
        part: &'static str,
        /// What was given.
        given: String,
        /// What the parser says.
        reason: String,
        /// What may stand there, with examples.
        expected: &'static str,
    },
    /// The parser takes each field alone and not all of them.
    #[error("the cron expression {given:?} is not valid ({reason}); an example that is: \"30 9 * * MON-FRI\"")]
    CronTogether {
        /// What was given.
        given: String,
        /// What the parser says.
        reason: String,
    },
    /// The fields are fine alone, and no date has them all.
    #[error("the cron expression {given:?} never fires: no date has such a day and month; an example that does: \"0 9 28 2 *\" is 9:00 on 28 February")]
    CronNeverFires {
        /// What was given.
        given: String,
    },
    /// Longer than any sensible expression.
    #[error("the cron expression is {length} bytes long; give at most {most}")]
    CronTooLong {
        /// How many were given.
        length: usize,
        /// How many may be given.
        most: usize,
    },
}
