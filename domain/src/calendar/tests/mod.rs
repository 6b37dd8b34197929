#![allow(clippy::unwrap_used, missing_docs)]

mod cron;
mod oracle;
mod refusals;
mod zoneinfo;

use super::{LocalTime, TimeZone, Weekday, WeeklyWindow, WeeklyWindows};
use std::collections::BTreeSet;

fn zone(name: &str) -> TimeZone {
    TimeZone::new(name).unwrap()
}

fn time(text: &str) -> LocalTime {
    LocalTime::new(text).unwrap()
}

/// Days from 0 for Monday.
fn window(days: &[usize], from: &str, to: &str) -> WeeklyWindow {
    let days: BTreeSet<Weekday> = days.iter().map(|day| Weekday::ALL[*day]).collect();
    WeeklyWindow { days, from: time(from), to: time(to) }
}

fn windows(windows: &[WeeklyWindow]) -> WeeklyWindows {
    WeeklyWindows::new(windows.to_vec()).unwrap()
}
