//! Quiet hours through changes of the clocks, and the check at the last moment.

use super::*;
use crate::notification::Delivery;
use crate::policy::last_check::{Last, LastCheck, last_check};

/// 29 March 2026, 00:00 UTC: an hour before Berlin's clocks go from 02:00 to 03:00.
const SPRING: Millis = 1_774_742_400_000;
/// 25 October 2026, 00:00 UTC: an hour before they go from 03:00 back to 02:00.
const AUTUMN: Millis = 1_792_886_400_000;

fn berlin(quiet: WeeklyWindows) -> World {
    let mut world = World::new();
    world.recipient.time_zone = Some("Europe/Berlin".to_owned());
    world.subscription.quiet_hours = Some(quiet);
    world
}

fn until(world: &World, now: Millis) -> Option<Millis> {
    let key = key();
    match world.decide(&Ask::plain(&key, Priority::Normal), now).outcome {
        Decided::Defer { until, .. } => Some(until),
        _ => None,
    }
}

#[test]
fn quiet_hours_end_by_the_wall_clock() {
    // 01:00 in Berlin until 07:00, over the hour that is skipped: five hours, not six.
    assert_eq!(until(&berlin(daily("22:00", "07:00")), SPRING), Some(SPRING + 5 * HOUR));
    // And over the hour that is repeated, from 02:00 summer time: six hours.
    assert_eq!(until(&berlin(daily("22:00", "07:00")), AUTUMN), Some(AUTUMN + 6 * HOUR));
    // Hours that the day skips are not observed; what ends within them ends with the gap.
    assert_eq!(until(&berlin(daily("02:00", "03:00")), SPRING + HOUR), None);
    assert_eq!(until(&berlin(daily("01:00", "02:30")), SPRING), Some(SPRING + HOUR));
    // Hours that it repeats are observed twice.
    assert_eq!(until(&berlin(daily("02:00", "03:00")), AUTUMN), Some(AUTUMN + 2 * HOUR));
}

#[test]
fn an_unknown_zone_counts_as_utc() {
    let mut world = berlin(daily("00:00", "01:00"));
    world.recipient.time_zone = Some("Mars/Olympus".to_owned());
    assert_eq!(until(&world, SPRING), Some(SPRING + HOUR));
}

#[test]
fn the_end_of_one_within_another_is_no_end() {
    let mut world = berlin(daily("22:00", "07:00"));
    world.recipient.time_zone = None;
    world.subscription.do_not_disturb_until = Some(SPRING + HOUR);
    world.subscription.allowed = Some(daily("09:00", "17:00"));
    assert_eq!(until(&world, SPRING), Some(SPRING + 9 * HOUR));
    assert_eq!(until(&world, SPRING + 18 * HOUR), Some(SPRING + 33 * HOUR));
    assert_eq!(until(&world, SPRING + 12 * HOUR), None);
}

#[test]
fn a_place_is_not_given_within_quiet_hours() {
    let mut world = berlin(daily("22:00", "07:00"));
    world.recipient.time_zone = None;
    world.category.limits = vec![limit(1, 12 * HOUR)];
    world.place(Some(SPRING + 12 * HOUR), None, false);
    assert_eq!(until(&world, SPRING + 13 * HOUR), Some(SPRING + 31 * HOUR));
}

#[test]
fn at_the_last_moment_everything_that_may_have_changed_is_asked_again() {
    let check = |world: &World, channel, address, expires_at, priority, now| {
        let (key, delivery) = (key(), Delivery::queued(0, channel, address));
        let last = Last { delivery: &delivery, expires_at, category: &key, topic: None, priority };
        let suppressed = |id: AddressId| world.suppressed.contains(&id);
        last_check(last, &world.category, &world.recipient, &world.subscription, &suppressed, now)
    };
    let push = |world: &World| check(world, Channel::AndroidPush, Some(PHONE), None, Priority::Normal, SPRING);
    assert_eq!(push(&World::new()), LastCheck::Proceed);
    assert_eq!(push(&World::new().off(Scope::Device(PHONE))), LastCheck::Suppress(Rule::OptedOutOfDevice));
    assert_eq!(push(&World::new().off(Scope::Category(key()))), LastCheck::Suppress(Rule::OptedOutOfCategory));
    assert_eq!(push(&World { suppressed: vec![PHONE], ..World::new() }), LastCheck::Suppress(Rule::AddressSuppressed));
    let opt_in = Category { subscribed_by_default: false, ..World::new().category };
    assert_eq!(push(&World { category: opt_in, ..World::new() }), LastCheck::Suppress(Rule::NotOptedIn));
    let quiet = berlin(daily("22:00", "07:00"));
    assert_eq!(push(&quiet), LastCheck::Postpone { until: SPRING + 5 * HOUR, rule: Rule::QuietHours });
    assert_eq!(check(&quiet, Channel::InApp, None, None, Priority::Normal, SPRING), LastCheck::Proceed);
    assert_eq!(check(&quiet, Channel::AndroidPush, Some(PHONE), None, Priority::Critical, SPRING), LastCheck::Proceed);
    let expiring = check(&quiet, Channel::AndroidPush, Some(PHONE), Some(SPRING + 1), Priority::Normal, SPRING);
    assert_eq!(expiring, LastCheck::Postpone { until: SPRING + 1, rule: Rule::QuietHours });
    assert_eq!(check(&quiet, Channel::AndroidPush, Some(PHONE), Some(SPRING), Priority::Normal, SPRING), LastCheck::Expire);
    let mut dropped = berlin(daily("22:00", "07:00"));
    dropped.category.quiet_hours = QuietHoursBehaviour::Suppress;
    assert_eq!(push(&dropped), LastCheck::Suppress(Rule::QuietHours));
    assert_eq!(check(&dropped, Channel::AndroidPush, Some(PHONE), None, Priority::Critical, SPRING), LastCheck::Proceed);
    dropped.category.quiet_hours = QuietHoursBehaviour::Ignore;
    assert_eq!(push(&dropped), LastCheck::Proceed);
}
