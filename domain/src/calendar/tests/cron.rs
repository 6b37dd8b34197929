use super::zone;
use crate::calendar::{Cron, LocalDateTime, TimeZone};

/// The next occurrences after a local time, as wall clocks.
fn after(cron: &str, zone: TimeZone, local: &str, count: usize) -> Vec<String> {
    let cron = Cron::new(cron).unwrap();
    let start = zone.moment(LocalDateTime::new(local).unwrap());
    std::iter::successors(cron.next_after(start, zone), |at| cron.next_after(*at, zone)).take(count).map(|at| zone.local(at).to_string()).collect()
}

#[test]
fn a_skipped_occurrence_fires_once_with_the_end_of_the_gap() {
    let berlin = zone("Europe/Berlin");
    for cron in ["30 2 * * *", "0,15,30 2 * * *", "*/15 2 * * *"] {
        let fired = after(cron, berlin, "2026-03-28T12:00", 2);
        assert_eq!(fired[0], "2026-03-29T03:00", "{cron}");
        assert!(fired[1].starts_with("2026-03-30T02:"), "{cron}: {fired:?}");
    }
    assert_eq!(after("0 9 * * *", zone("Pacific/Apia"), "2011-12-29T08:00", 3), ["2011-12-29T09:00", "2011-12-31T00:00", "2011-12-31T09:00"]);
}

#[test]
fn a_repeated_occurrence_fires_the_first_time_only_unless_it_is_for_every_hour() {
    let berlin = zone("Europe/Berlin");
    assert_eq!(after("30 2 * * *", berlin, "2026-10-24T12:00", 2), ["2026-10-25T02:30", "2026-10-26T02:30"]);
    assert_eq!(after("0 * * * *", berlin, "2026-10-25T01:00", 3), ["2026-10-25T02:00", "2026-10-25T02:00", "2026-10-25T03:00"]);
    assert_eq!(after("30 * * * *", berlin, "2026-03-29T01:00", 2), ["2026-03-29T01:30", "2026-03-29T03:30"]);
}

#[test]
fn the_rarest_that_fires_is_found() {
    assert_eq!(after("0 0 29 2 *", TimeZone::utc(), "2097-01-01T00:00", 1), ["2104-02-29T00:00"]);
    assert_eq!(after("0 9 L * *", TimeZone::utc(), "2027-02-01T00:00", 2), ["2027-02-28T09:00", "2027-03-31T09:00"]);
    assert_eq!(after("0 9 * * MON#1", zone("Asia/Seoul"), "2026-11-21T00:00", 1), ["2026-12-07T09:00"]);
    // Day of month or day of week, where both are set.
    assert_eq!(after("0 9 1 * MON", zone("Asia/Seoul"), "2026-11-29T00:00", 3), ["2026-11-30T09:00", "2026-12-01T09:00", "2026-12-07T09:00"]);
    // For every hour of a day that is years away, in a zone with changes between.
    assert_eq!(after("0 * 29 2 *", zone("America/New_York"), "2028-03-01T00:00", 1), ["2032-02-29T00:00"]);
}

#[test]
fn text_is_kept_apart_from_blanks() {
    let cron = Cron::new("  30  9 * *\tmon-fri ").unwrap();
    assert_eq!(cron.as_str(), "30 9 * * mon-fri");
    assert_eq!(serde_json::to_string(&cron).unwrap(), r#""30 9 * * mon-fri""#);
    assert_eq!(serde_json::from_str::<Cron>(r#""30 9 * * mon-fri""#).unwrap(), cron);
}
