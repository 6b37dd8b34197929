//! Against what Python's zoneinfo says; see `samples/generate.py`.

use super::oracle::{CRONS, Clock, next_cron, next_flip, reached};
use super::{time, window, windows, zone};
use crate::calendar::{Cron, LocalDateTime, LocalTime, Period};
use chrono_tz::TZ_VARIANTS;
use serde_json::Value;
use std::collections::BTreeSet;

#[derive(serde::Deserialize)]
struct Zones {
    tzdata: String,
    from: i64,
    to: i64,
    rows: Vec<Group>,
}

#[derive(serde::Deserialize)]
pub struct Group {
    pub zones: Vec<String>,
    offset: i64,
    pub changes: Vec<(i64, i64)>,
}

impl Group {
    /// A clock by the table alone.
    fn clock(&self) -> Clock<'_> {
        Clock::new(|second| self.changes.iter().take_while(|(at, _)| *at <= second).last().map_or(self.offset, |(_, offset)| *offset))
    }
}

fn zones() -> Zones {
    serde_json::from_str(include_str!("../samples/zones.json")).unwrap()
}

pub fn groups() -> Vec<Group> {
    zones().rows
}

#[test]
fn every_zone_changes_when_python_says_until_2031() {
    let table = zones();
    assert_eq!(table.tzdata, chrono_tz::IANA_TZDB_VERSION, "renew the samples: python3 generate.py, on a machine with the same tables");
    let mut checked = BTreeSet::new();
    for group in &table.rows {
        for name in &group.zones {
            let zone = zone(name);
            assert_eq!(zone.name(), name);
            assert_eq!(zone.offset(table.from * 1_000), group.offset * 1_000, "{name}");
            let mut at = table.from * 1_000;
            let mut found = Vec::new();
            while let Some(change) = zone.change_within(at, table.to * 1_000) {
                found.push((change / 1_000, zone.offset(change) / 1_000));
                assert_eq!(change % 1_000, 0);
                at = change;
            }
            assert_eq!(found, group.changes, "{name}");
            checked.insert(name.as_str());
        }
    }
    let left_out: Vec<_> = TZ_VARIANTS.iter().map(|zone| zone.name()).filter(|name| !checked.contains(name)).collect();
    assert_eq!(left_out, Vec::<&str>::new(), "zones that no sample covers");
}

#[test]
fn around_every_change_windows_times_and_cron_agree_with_stepping_over_the_table() {
    let quiet = [("22:00", "07:00"), ("01:15", "02:20"), ("02:30", "01:30")];
    let crons: Vec<Cron> = CRONS.iter().map(|(text, ..)| Cron::new(text).unwrap()).collect();
    for group in groups() {
        let (name, clock) = (group.zones[0].as_str(), group.clock());
        let zone = zone(name);
        for (number, (change, _)) in group.changes.iter().enumerate() {
            for hours in [-3, 0, 1] {
                let now = change + hours * 3_600;
                let (from, to) = quiet[number % quiet.len()];
                let week = windows(&[window(&[0, 1, 2, 3, 4, 5, 6], from, to)]);
                let (inside, flip) = next_flip(&clock, &week, now);
                assert_eq!(week.end_of(now * 1_000, zone), inside.then_some(flip * 1_000), "{name} at {now}: {from} to {to}");
                assert_eq!(week.next_start(now * 1_000, zone), (!inside).then_some(flip * 1_000), "{name} at {now}: {from} to {to}");
                let which = number % CRONS.len();
                assert_eq!(crons[which].next_after(now * 1_000, zone), Some(next_cron(&clock, which, now) * 1_000), "{name} at {now}: {}", crons[which]);
                let text = ["00:00", "02:30", "01:59"][number % 3];
                let expected = reached(&clock, now, |minute| minute % 1_440 == i64::from(time(text).minutes()));
                assert_eq!(LocalTime::next_at(now * 1_000, zone, time(text)), expected * 1_000, "{name} at {now}: {text}");
            }
        }
    }
}

#[test]
fn nights_of_gaps_and_folds_are_as_python_steps_through_them() {
    #[derive(serde::Deserialize)]
    struct Nights {
        rows: Vec<Vec<Value>>,
    }
    let nights: Nights = serde_json::from_str(include_str!("../samples/nights.json")).unwrap();
    assert!(nights.rows.len() > 2_000);
    for row in &nights.rows {
        let text = |place: usize| row[place].as_str().unwrap();
        let millis = |place: usize| row[place].as_i64().unwrap() * 1_000;
        let zone = zone(text(1));
        match text(0) {
            "moment" => assert_eq!(zone.moment(LocalDateTime::new(text(2)).unwrap()), millis(3), "{row:?}"),
            "next_at" => assert_eq!(LocalTime::next_at(millis(2), zone, time(text(3))), millis(4), "{row:?}"),
            "day" => {
                assert_eq!(Period::Day.start_of(millis(2), zone), millis(3), "{row:?}");
                assert_eq!(Period::Day.next_start(millis(2), zone), millis(4), "{row:?}");
            }
            "window" => {
                let days: Vec<usize> = serde_json::from_value(row[3].clone()).unwrap();
                let (week, inside) = (windows(&[window(&days, text(4), text(5))]), row[6].as_bool().unwrap());
                assert_eq!(week.contains(millis(2), zone), inside, "{row:?}");
                assert_eq!(week.end_of(millis(2), zone), inside.then_some(millis(7)), "{row:?}");
                assert_eq!(week.next_start(millis(2), zone), (!inside).then_some(millis(7)), "{row:?}");
            }
            other => unreachable!("{other}"),
        }
    }
}
