//! Against an oracle that steps over the wall clock minute by minute.

use super::zoneinfo::groups;
use super::{window, windows, zone};
use crate::calendar::{Cron, LocalTime, Period, WeeklyWindow, WeeklyWindows};
use chrono::{DateTime, Offset as _, TimeZone as _};
use proptest::prelude::*;

type OffsetAt<'a> = Box<dyn Fn(i64) -> i64 + 'a>;

/// What a wall clock shows, in minutes since 1970.
pub struct Clock<'a>(OffsetAt<'a>);

impl<'a> Clock<'a> {
    pub fn new(offset: impl Fn(i64) -> i64 + 'a) -> Self {
        Self(Box::new(offset))
    }

    fn of(name: &str) -> Clock<'static> {
        let tz: chrono_tz::Tz = name.parse().unwrap();
        Clock::new(move |second| i64::from(tz.offset_from_utc_datetime(&DateTime::from_timestamp(second, 0).unwrap().naive_utc()).fix().local_minus_utc()))
    }

    fn minute(&self, second: i64) -> i64 {
        (second + (self.0)(second)).div_euclid(60)
    }
}

/// Day of the week (0 is Monday; 1 January 1970 was a Thursday) and minute of the day.
fn day_and_minute(minute: i64) -> (i64, i64) {
    ((minute.div_euclid(1_440) + 3).rem_euclid(7), minute.rem_euclid(1_440))
}

fn inside(week: &WeeklyWindows, minute: i64) -> bool {
    let (day, minute) = day_and_minute(minute);
    week.windows().iter().any(|window| {
        let begins_on = |day: i64| window.days.iter().any(|other| *other as i64 == day);
        let (from, to) = (i64::from(window.from.minutes()), i64::from(window.to.minutes()));
        if from < to { begins_on(day) && minute >= from && minute < to } else { begins_on(day) && minute >= from || begins_on((day + 6) % 7) && minute < to }
    })
}

/// Whether now is inside, and the first full minute from now on at which that is otherwise.
pub fn next_flip(clock: &Clock<'_>, week: &WeeklyWindows, now: i64) -> (bool, i64) {
    let start = inside(week, clock.minute(now));
    let first = now.div_euclid(60) * 60;
    (start, (1..).map(|step| first + step * 60).find(|at| inside(week, clock.minute(*at)) != start).unwrap())
}

/// The first full minute after now at which the wall clock reaches, for the first time, a minute that is wanted.
pub fn reached(clock: &Clock<'_>, now: i64, wanted: impl Fn(i64) -> bool) -> i64 {
    let mut at = now.div_euclid(60) * 60 - 30 * 3_600;
    let mut furthest = clock.minute(at);
    loop {
        at += 60;
        let minute = clock.minute(at);
        if minute > furthest {
            if at > now && (furthest + 1..=minute).any(&wanted) {
                return at;
            }
            furthest = minute;
        }
    }
}

/// Text, whether it is for every hour, and what it means: minute, hour, day of the week (0 is Monday).
type Meaning = fn(i64, i64, i64) -> bool;
pub const CRONS: [(&str, bool, Meaning); 9] = [
    ("30 2 * * *", false, |minute, hour, _| minute == 30 && hour == 2),
    ("*/15 * * * *", true, |minute, _, _| minute % 15 == 0),
    ("0,30 1-3 * * *", false, |minute, hour, _| minute % 30 == 0 && (1..=3).contains(&hour)),
    ("0 0 * * *", false, |minute, hour, _| minute == 0 && hour == 0),
    ("45 */2 * * *", true, |minute, hour, _| minute == 45 && hour % 2 == 0),
    ("*/20 2 * * SUN", false, |minute, hour, day| minute % 20 == 0 && hour == 2 && day == 6),
    ("15 */24 * * *", false, |minute, hour, _| minute == 15 && hour == 0),
    ("10 1,13 * * MON-FRI", false, |minute, hour, day| minute == 10 && (hour == 1 || hour == 13) && day < 5),
    ("0 * * * SAT", true, |minute, _, day| minute == 0 && day == 5),
];

pub fn next_cron(clock: &Clock<'_>, which: usize, now: i64) -> i64 {
    let (_, every_hour, means) = CRONS[which];
    let wanted = |minute: i64| {
        let (day, minute) = day_and_minute(minute);
        means(minute % 60, minute / 60, day)
    };
    if !every_hour {
        return reached(clock, now, wanted);
    }
    let first = now.div_euclid(60) * 60;
    (1..).map(|step| first + step * 60).find(|at| wanted(clock.minute(*at))).unwrap()
}

/// A zone and a moment within some days of a change of its clocks.
fn nights() -> impl Strategy<Value = (&'static str, i64)> {
    let named = ["Asia/Seoul", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca"];
    let mut changes: Vec<(&'static str, i64)> = vec![
        ("America/Sao_Paulo", 1_518_919_200),
        ("America/Sao_Paulo", 1_541_300_400),
        ("Pacific/Apia", 1_325_239_200),
        ("Pacific/Apia", 1_333_202_400),
        ("America/St_Johns", 1_162_092_660),
        ("Asia/Seoul", 1_767_225_600),
    ];
    for group in groups() {
        for name in named.into_iter().filter(|name| group.zones.iter().any(|zone| zone == name)) {
            changes.extend(group.changes.iter().take(4).map(|(at, _)| (name, *at)));
        }
    }
    (prop::sample::select(changes), prop_oneof![3 => -30 * 3_600_i64..30 * 3_600, 1 => -8 * 86_400_i64..8 * 86_400])
        .prop_map(|((zone, at), by)| (zone, at + by))
}

fn some_windows() -> impl Strategy<Value = WeeklyWindows> {
    let time = || prop_oneof![0_u16..1_440, (0_u16..8).prop_map(|half| half * 30), Just(1_439)];
    let one = (prop::collection::vec(0_usize..7, 1..7), time(), time()).prop_filter_map("without length", |(days, from, to)| {
        let text = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        (from != to).then(|| window(&days, &text(from), &text(to)))
    });
    prop::collection::vec(one, 1..5).prop_filter_map("the whole week", |list: Vec<WeeklyWindow>| WeeklyWindows::new(list).ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn windows_hold_by_the_wall_clock((name, now) in nights(), within in 0_i64..1_000, week in some_windows()) {
        let (was_inside, flip) = next_flip(&Clock::of(name), &week, now);
        let at = now * 1_000 + within;
        prop_assert_eq!(week.contains(at, zone(name)), was_inside);
        prop_assert_eq!(week.end_of(at, zone(name)), was_inside.then_some(flip * 1_000));
        prop_assert_eq!(week.next_start(at, zone(name)), (!was_inside).then_some(flip * 1_000));
    }

    #[test]
    fn a_local_time_is_reached_once_a_day((name, now) in nights(), within in 0_i64..1_000, minutes in prop_oneof![0_u16..1_440, 0_u16..200]) {
        let time = LocalTime::new(&format!("{:02}:{:02}", minutes / 60, minutes % 60)).unwrap();
        let expected = reached(&Clock::of(name), now, |minute| minute.rem_euclid(1_440) == i64::from(minutes));
        prop_assert_eq!(LocalTime::next_at(now * 1_000 + within, zone(name), time), expected * 1_000);
    }

    #[test]
    fn cron_fires_by_its_rules((name, now) in nights(), within in 0_i64..1_000, which in 0..CRONS.len()) {
        let cron = Cron::new(CRONS[which].0).unwrap();
        prop_assert_eq!(cron.next_after(now * 1_000 + within, zone(name)), Some(next_cron(&Clock::of(name), which, now) * 1_000), "{}", cron);
    }

    #[test]
    fn periods_follow_one_another((name, now) in nights(), within in 0_i64..1_000) {
        let (at, zone) = (now * 1_000 + within, zone(name));
        for period in [Period::Hour, Period::Day, Period::Week, Period::Month] {
            let (start, next) = (period.start_of(at, zone), period.next_start(at, zone));
            prop_assert!(start <= at && at < next, "{period:?}");
            for inside in [start, next - 1] {
                prop_assert_eq!((period.start_of(inside, zone), period.next_start(inside, zone)), (start, next), "{:?}", period);
            }
            prop_assert_eq!(period.start_of(next, zone), next, "{:?}", period);
            prop_assert_eq!(period.next_start(start - 1, zone), start, "{:?}", period);
        }
    }
}

proptest! {
    #[test]
    fn no_moment_is_too_far_off(at in any::<i64>(), name in prop::sample::select(vec!["UTC", "Asia/Seoul", "America/New_York"])) {
        let zone = zone(name);
        let week = windows(&[window(&[0], "09:00", "17:00")]);
        let _ = (week.end_of(at, zone), week.next_start(at, zone), zone.local(at), zone.local(at).to_string());
        let _ = LocalTime::next_at(at, zone, LocalTime::MIDNIGHT);
        for period in [Period::Hour, Period::Day, Period::Week, Period::Month] {
            let _ = (period.start_of(at, zone), period.next_start(at, zone));
        }
    }
}
