//! When somebody may be disturbed and where a place is free, by looking at one moment after the other.

use super::{Model, Place};
use crate::deciding::steps::{HOUR, Hours, MINUTE, SECOND};
use domain::calendar::Period;
use domain::values::{DAY_MS, Limit, LimitWindow, Millis, Rule};

/// Minutes of a week.
const WEEK: i64 = 7 * 24 * 60;

/// The clock on the wall, as milliseconds since 1970 that a clock in UTC would show so.
fn wall(at: Millis, seoul: bool) -> Millis {
    if seoul { at + 9 * HOUR } else { at }
}

/// The minute of the week, from Monday's midnight. 1 January 1970 was a Thursday.
fn minute_of_week(wall: Millis) -> i64 {
    (wall.div_euclid(MINUTE) + 3 * 24 * 60).rem_euclid(WEEK)
}

fn within(hours: &Hours, minute: i64) -> bool {
    let long = (i64::from(hours.to) - i64::from(hours.from)).rem_euclid(24 * 60);
    let begins = |day: i64| day * 24 * 60 + i64::from(hours.from);
    (0..).zip(hours.days).any(|(day, on)| on && (minute - begins(day)).rem_euclid(WEEK) < long)
}

/// Whether any minute of a week is left.
pub(super) fn leaves_time(quiet: &Hours, allowed: &Hours) -> bool {
    (0..WEEK).any(|minute| !within(quiet, minute) && within(allowed, minute))
}

/// Where the period ends in which a moment lies.
fn period_end(period: Period, at: Millis, seoul: bool) -> Millis {
    let shown = wall(at, seoul);
    let day = shown.div_euclid(DAY_MS);
    let end = match period {
        Period::Hour => (shown.div_euclid(HOUR) + 1) * HOUR,
        Period::Day => (day + 1) * DAY_MS,
        // Monday, 5 January 1970, was day 4.
        Period::Week => ((day - 4).div_euclid(7) + 1) * 7 * DAY_MS + 4 * DAY_MS,
        Period::Month => end_of_month(day) * DAY_MS,
    };
    end - (shown - at)
}

/// The first day of the next month, counted from 1970.
fn end_of_month(day: i64) -> i64 {
    let mut first = 0;
    for year in 1970.. {
        let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for long in [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
            first += long;
            if first > day {
                return first;
            }
        }
    }
    first
}

/// Whether one more at a moment keeps the limit. Places are those that the limit is about.
fn fits(limit: &Limit, places: &[Millis], at: Millis, seoul: bool) -> bool {
    let most = usize::try_from(limit.most).unwrap();
    match limit.per {
        LimitWindow::Calendar(period) => {
            let end = period_end(period, at, seoul);
            places.iter().filter(|place| period_end(period, **place, seoul) == end).count() < most
        }
        // Every stretch that begins with one of them (or with it) and holds it. Two that are exactly as far
        // apart as the window is long are not in one.
        LimitWindow::Sliding(long) => {
            let all: Vec<Millis> = places.iter().copied().chain([at]).collect();
            let holds = |from: Millis, moment: Millis| from <= moment && moment - from < long;
            all.iter().filter(|from| holds(**from, at)).all(|from| all.iter().filter(|place| holds(*from, **place)).count() <= most)
        }
    }
}

impl Model {
    /// Why a person must not be disturbed.
    pub(super) fn disturbed(&self, who: usize, at: Millis) -> Option<Rule> {
        let person = &self.people[who];
        let minute = minute_of_week(wall(at, person.seoul));
        if person.silent_until.is_some_and(|until| until > at) {
            Some(Rule::DoNotDisturb)
        } else if person.quiet.as_ref().is_some_and(|hours| within(hours, minute)) {
            Some(Rule::QuietHours)
        } else if person.allowed.as_ref().is_some_and(|hours| !within(hours, minute)) {
            Some(Rule::OutsideAllowedWindow)
        } else {
            None
        }
    }

    /// The first moment from one on at which the person may be disturbed: that one, the end of
    /// do-not-disturb, or a full minute.
    pub(super) fn first_free(&self, who: usize, at: Millis) -> Millis {
        let from = self.people[who].silent_until.map_or(at, |until| until.max(at));
        let minutes = (1..).map(|minutes| (from.div_euclid(MINUTE) + minutes) * MINUTE);
        [from].into_iter().chain(minutes).find(|moment| self.disturbed(who, *moment).is_none()).unwrap()
    }

    /// The first moment from now on at which one more keeps all limits, and, where it `observes` them, quiet
    /// hours. Which can only be now, a window's length behind a place, or at the end of a place's period;
    /// or the first free moment behind one of these.
    pub(super) fn next_place(&self, who: usize, category: usize, limits: &[Limit], overall: &[Limit], observes: bool) -> Millis {
        let person = &self.people[who];
        let at = |which: &dyn Fn(&&Place) -> bool| person.places.iter().filter(which).map(|place| place.at).collect::<Vec<Millis>>();
        let (own, all) = (at(&|place| place.category == category), at(&|place| !place.alone));
        let rules: Vec<(&Limit, &[Millis])> = limits.iter().map(|limit| (limit, &own[..])).chain(overall.iter().map(|limit| (limit, &all[..]))).collect();
        let mut moments = vec![self.now];
        for (limit, places) in &rules {
            moments.extend(places.iter().map(|place| match limit.per {
                LimitWindow::Calendar(period) => period_end(period, *place, person.seoul),
                LimitWindow::Sliding(long) => place + long,
            }));
        }
        moments.retain(|moment| *moment >= self.now);
        if observes {
            moments.iter_mut().for_each(|moment| *moment = self.first_free(who, *moment));
        }
        moments.sort_unstable();
        moments.into_iter().find(|moment| rules.iter().all(|(limit, places)| fits(limit, places, *moment, person.seoul))).unwrap()
    }
}

/// Long enough for everything to come to an end: far fewer are needed.
pub const LONG: Millis = 400 * DAY_MS + SECOND;
