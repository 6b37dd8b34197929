#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod firing;
mod table;

use super::put_off::PutOff;
use domain::policy::timers::TimerName;
use std::collections::HashSet;
use std::time::Duration;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn pauses_double_up_to_ten_minutes() {
    let (mut put_off, key) = (PutOff::default(), (5, 1, TimerName::Release));
    assert!(put_off.allows(&key, seconds(0)));
    let mut now = seconds(0);
    for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600] {
        put_off.asked(key, now);
        assert!(!put_off.allows(&key, now + seconds(pause) - Duration::from_millis(1)));
        assert_eq!(put_off.next(), Some(now + seconds(pause)));
        now += seconds(pause);
        assert!(put_off.allows(&key, now));
    }
    assert!(put_off.allows(&(6, 1, TimerName::Release), seconds(0)), "set anew, it is another");
}

#[test]
fn only_what_was_looked_at_and_is_gone_is_forgotten() {
    let mut put_off = PutOff::default();
    let [a, b, c] = [(1, 1, TimerName::Run), (2, 1, TimerName::Run), (3, 1, TimerName::Run)];
    for key in [a, b, c] {
        put_off.asked(key, seconds(0));
    }
    put_off.keep(&HashSet::from([a]), Some(&b));
    assert!(!put_off.allows(&a, seconds(0)) && put_off.allows(&b, seconds(0)) && !put_off.allows(&c, seconds(0)));
    put_off.keep(&HashSet::new(), None);
    assert_eq!(put_off.len(), 0);
}
