//! What is refused, and that it is said what to give instead.

use super::{time, window};
use crate::calendar::{CalendarError, Cron, LocalDateTime, LocalTime, MAX_WINDOWS, TimeZone, WeeklyWindows};

const EVERY_DAY: &[usize] = &[0, 1, 2, 3, 4, 5, 6];

#[test]
fn zones_by_their_exact_names() {
    for name in ["Asia/Seoul", "UTC", "Asia/Calcutta", "US/Pacific", "Etc/GMT+3"] {
        let zone = TimeZone::new(name).unwrap();
        assert_eq!(serde_json::to_string(&zone).unwrap(), format!("{name:?}"));
        assert_eq!(serde_json::from_str::<TimeZone>(&format!("{name:?}")).unwrap(), zone);
    }
    for name in ["", "Seoul", "+09:00", "KST", "Asia/Seoul ", "Asia/Séoul"] {
        assert!(TimeZone::new(name).unwrap_err().to_string().contains("such as \"Asia/Seoul\""), "{name}");
    }
    assert!(TimeZone::new("asia/seoul").unwrap_err().to_string().contains("did you mean \"Asia/Seoul\"?"));
    assert!(TimeZone::new(&"x".repeat(10_000)).unwrap_err().to_string().len() < 300);
    assert!(serde_json::from_str::<TimeZone>("\"Mars/Base\"").unwrap_err().to_string().contains("there is no time zone"));
}

#[test]
fn times_of_day() {
    assert_eq!(LocalTime::new("00:00"), Ok(LocalTime::MIDNIGHT));
    assert_eq!(time("23:59").minutes(), 1_439);
    assert_eq!(serde_json::to_string(&time("07:05")).unwrap(), r#""07:05""#);
    for text in ["", "7:30", "24:00", "12:60", "12:3", "-1:30", "+1:30", "12:30:00", "noon", "1２:00", "12 30"] {
        assert!(LocalTime::new(text).unwrap_err().to_string().contains("such as \"07:30\""), "{text}");
    }
}

#[test]
fn local_dates() {
    for (text, canonical) in
        [("2027-03-28T09:00", "2027-03-28T09:00"), ("2027-03-28T09:00:00", "2027-03-28T09:00"), ("2028-02-29T23:59:59", "2028-02-29T23:59:59")]
    {
        assert_eq!(LocalDateTime::new(text).unwrap().to_string(), canonical);
    }
    for text in [
        "2027-02-29T09:00",
        "2027-03-28",
        "2027-03-28 09:00",
        "2027-03-28T09:00Z",
        "2027-03-28T24:00",
        "2016-12-31T23:59:60",
        "1969-12-31T00:00",
        "12027-03-28T09:00",
    ] {
        assert!(LocalDateTime::new(text).unwrap_err().to_string().contains("such as \"2027-03-28T09:00\""), "{text}");
    }
}

#[test]
fn impossible_windows() {
    assert_eq!(WeeklyWindows::new(vec![]), Err(CalendarError::NoWindows));
    assert_eq!(WeeklyWindows::new(vec![window(&[0], "09:00", "17:00"), window(&[], "09:00", "17:00")]), Err(CalendarError::NoDays { number: 2 }));
    assert_eq!(WeeklyWindows::new(vec![window(&[0], "09:00", "09:00")]), Err(CalendarError::EmptyWindow { number: 1, at: time("09:00") }));
    assert_eq!(WeeklyWindows::new(vec![window(&[0], "09:00", "17:00"); MAX_WINDOWS + 1]), Err(CalendarError::TooManyWindows { count: 51, most: 50 }));
    assert!(WeeklyWindows::new(vec![window(&[0], "09:00", "17:00"); MAX_WINDOWS]).is_ok());
    for halves in [[("00:00", "12:00"), ("12:00", "00:00")], [("20:00", "08:00"), ("07:00", "21:00")]] {
        let whole = halves.map(|(from, to)| window(EVERY_DAY, from, to)).to_vec();
        assert_eq!(WeeklyWindows::new(whole), Err(CalendarError::WholeWeek));
    }
    // A minute a week is enough.
    assert!(WeeklyWindows::new(vec![window(EVERY_DAY, "00:00", "23:59"), window(&[0, 1, 2, 3, 4, 5], "23:00", "00:00")]).is_ok());
}

#[test]
fn windows_travel_as_a_list() {
    let text = r#"[{"days":["monday","sunday"],"from":"22:00","to":"07:00"}]"#;
    let week: WeeklyWindows = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&week).unwrap(), text);
    let refused = |text: &str| serde_json::from_str::<WeeklyWindows>(text).unwrap_err().to_string();
    assert!(refused("[]").contains("at least one window"));
    assert!(refused(r#"[{"days":["monday"],"from":"07:00","to":"07:00"}]"#).contains("for a whole day give two windows"));
}

#[test]
fn cron_says_which_part() {
    let refused = |text: &str| Cron::new(text).unwrap_err().to_string();
    for text in ["", "* * * *", "0 30 9 * * MON", "@daily", "0 0 9 * * * 2027"] {
        assert!(refused(text).contains("five fields"), "{text}");
    }
    for (text, part) in [
        ("60 * * * *", "minute"),
        ("*/0 * * * *", "minute"),
        ("x * * * *", "minute"),
        ("0 24 * * *", "hour"),
        ("0 5-1 * * *", "hour"),
        ("0 0 32 * *", "day of month"),
        ("0 0 0 * *", "day of month"),
        ("0 0 1 13 *", "month"),
        ("0 0 1 FOO *", "month"),
        ("0 0 * * 8", "day of week"),
        ("0 0 * * MON#6", "day of week"),
        ("@daily * * * *", "minute"),
    ] {
        assert!(refused(text).starts_with(&format!("the {part} of the cron expression")), "{text}: {}", refused(text));
    }
    assert!(refused(&"1,".repeat(500)).contains("at most 400"));
}

#[test]
fn cron_that_never_fires() {
    for text in ["0 0 30 2 *", "* * 31 2,4,6,9,11 *", "0 0 31W 2 *"] {
        assert!(matches!(Cron::new(text), Err(CalendarError::CronNeverFires { .. })), "{text}: {:?}", Cron::new(text));
    }
    assert!(Cron::new("0 0 30 2 MON").is_ok(), "Mondays of February");
}
