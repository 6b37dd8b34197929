#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::aggregate::Aggregate;
use crate::calendar::{Cron, LocalDateTime, TimeZone};
use crate::event::Personal;
use crate::values::{CategoryKey, Content, Millis, NotificationId, RecipientId, ScheduleId, SenderKey};
use cqrs_es::test::TestFramework;
use proptest::prelude::*;
use uuid::Uuid;

type Test = TestFramework<Schedule>;

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

fn seoul() -> TimeZone {
    TimeZone::new("Asia/Seoul").unwrap()
}

fn content() -> Content {
    Content { body: "Stand up".to_owned(), ..Content::default() }
}

fn terms(trigger: Trigger) -> Terms {
    Terms {
        sender: SenderKey::new("shop").unwrap(),
        category: CategoryKey::new("orders").unwrap(),
        channels: None,
        priority: None,
        topic: None,
        trigger,
        starts: None,
        ends: None,
        catch_up: HOUR,
        sandbox: false,
    }
}

fn cron(text: &str) -> Trigger {
    Trigger::Recurring { cron: Cron::new(text).unwrap(), zone: None }
}

fn define(terms: Terms, now: Millis) -> Box<Define> {
    let (schedule, recipient) = (ScheduleId(Uuid::from_u128(5)), RecipientId(Uuid::from_u128(1)));
    Box::new(Define { schedule, recipient, terms, content: content(), zone: TimeZone::utc(), now })
}

fn defined(terms: Terms, since: Millis, next: Millis) -> ScheduleEvent {
    let (schedule, recipient) = (ScheduleId(Uuid::from_u128(5)), RecipientId(Uuid::from_u128(1)));
    ScheduleEvent::ScheduleDefined(ScheduleDefined { schedule, recipient, terms, since, next: Some(next), personal: Personal::from(content()) })
}

fn id(occurrence: Millis) -> NotificationId {
    NotificationId(Uuid::from_u128(occurrence as u128))
}

fn fire(occurrence: Option<Millis>, now: Millis) -> ScheduleCommand {
    ScheduleCommand::Fire { occurrence: occurrence.map(|at| (at, id(at))), zone: TimeZone::utc(), now }
}

fn fired(occurrence: Millis, next: Option<Millis>) -> ScheduleEvent {
    ScheduleEvent::OccurrenceFired(OccurrenceFired { occurrence, notification: id(occurrence), next })
}

fn missed(from: Millis, to: Millis, count: u32, next: Option<Millis>) -> ScheduleEvent {
    ScheduleEvent::OccurrencesMissed(OccurrencesMissed { from, to, count, next })
}

fn ended(reason: EndReason) -> ScheduleEvent {
    ScheduleEvent::ScheduleEnded(ScheduleEnded { reason })
}

/// Each day at nine.
fn daily() -> Terms {
    terms(cron("0 9 * * *"))
}

#[test]
fn what_would_never_fire_is_refused() {
    let refused =
        |terms| Test::with(()).given_no_previous_events().when(ScheduleCommand::Define(define(terms, DAY))).then_expect_error(ScheduleRefusal::NeverFires);
    refused(terms(Trigger::Once { at: DAY }));
    refused(terms(Trigger::OnceLocal { at: LocalDateTime::new("1970-01-01T09:00").unwrap() }));
    refused(Terms { ends: Some(DAY + HOUR), ..daily() });
    Test::with(())
        .given_no_previous_events()
        .when(ScheduleCommand::Define(define(Terms { channels: Some(Vec::new()), ..daily() }, 0)))
        .then_expect_error(ScheduleRefusal::NoChannels);
    Test::with(()).given_no_previous_events().when(ScheduleCommand::Pause).then_expect_error(ScheduleRefusal::NotFound);
}

#[test]
fn defining_the_same_again_changes_nothing_and_something_else_is_refused() {
    let given = || vec![defined(daily(), 0, 9 * HOUR)];
    Test::with(()).given_no_previous_events().when(ScheduleCommand::Define(define(daily(), 0))).then_expect_events(given());
    Test::with(()).given(given()).when(ScheduleCommand::Define(define(daily(), 5))).then_expect_events(vec![]);
    let other = terms(cron("0 10 * * *"));
    Test::with(()).given(given()).when(ScheduleCommand::Define(define(other, 5))).then_expect_error(ScheduleRefusal::Exists);
}

#[test]
fn an_occurrence_fires_once() {
    let given = || vec![defined(daily(), 0, 9 * HOUR)];
    Test::with(()).given(given()).when(fire(Some(9 * HOUR), 9 * HOUR)).then_expect_events(vec![fired(9 * HOUR, Some(DAY + 9 * HOUR))]);
    Test::with(()).given(given()).when(fire(None, 9 * HOUR - 1)).then_expect_events(vec![]);
    let once = [given(), vec![fired(9 * HOUR, Some(DAY + 9 * HOUR))]].concat();
    Test::with(()).given(once).when(fire(Some(9 * HOUR), 10 * HOUR)).then_expect_events(vec![]);
    let at = terms(Trigger::Once { at: DAY });
    Test::with(()).given(vec![defined(at, 0, DAY)]).when(fire(Some(DAY), DAY + 5)).then_expect_events(vec![fired(DAY, None), ended(EndReason::Finished)]);
}

#[test]
fn after_an_outage_the_last_occurrence_is_made_up_for_unless_it_is_too_late() {
    let given = || vec![defined(daily(), 0, 9 * HOUR)];
    let nine = |day: i64| day * DAY + 9 * HOUR;
    let state = Schedule::replay(&given());
    assert_eq!(state.due(TimeZone::utc(), nine(2) + HOUR), Due { fire: Some(nine(2)), missed: Some((nine(0), nine(1), 2)), next: Some(nine(3)) });
    assert_eq!(state.due(TimeZone::utc(), nine(2) + HOUR + 1), Due { fire: None, missed: Some((nine(0), nine(2), 3)), next: Some(nine(3)) });
    Test::with(())
        .given(given())
        .when(fire(Some(nine(2)), nine(2) + HOUR))
        .then_expect_events(vec![missed(nine(0), nine(1), 2, Some(nine(2))), fired(nine(2), Some(nine(3)))]);
    Test::with(()).given(given()).when(fire(None, nine(2) + 2 * HOUR)).then_expect_events(vec![missed(nine(0), nine(2), 3, Some(nine(3)))]);
}

#[test]
fn what_is_missed_by_the_million_is_not_walked_through() {
    let every_minute = Terms { catch_up: 0, ..terms(cron("* * * * *")) };
    let state = Schedule::replay(&[defined(every_minute, 0, 60_000)]);
    let now = 20_000 * DAY;
    let due = state.due(TimeZone::utc(), now);
    assert_eq!((due.fire, due.next), (Some(now), Some(now + 60_000)));
    assert_eq!(due.missed.map(|(from, _, count)| (from, count)), Some((60_000, 9_999)));
}

#[test]
fn paused_it_does_not_fire_and_resumed_it_catches_up() {
    let paused = || vec![defined(daily(), 0, 9 * HOUR), ScheduleEvent::SchedulePaused(SchedulePaused {})];
    Test::with(()).given(paused()).when(fire(Some(9 * HOUR), 9 * HOUR)).then_expect_events(vec![]);
    Test::with(()).given(paused()).when(ScheduleCommand::Pause).then_expect_events(vec![]);
    let resume = ScheduleCommand::Resume { zone: TimeZone::utc() };
    let resumed = || ScheduleEvent::ScheduleResumed(ScheduleResumed { next: Some(9 * HOUR) });
    Test::with(()).given(paused()).when(resume).then_expect_events(vec![resumed()]);
    let now = DAY + 10 * HOUR;
    let given = [paused(), vec![resumed()]].concat();
    let next = DAY + 9 * HOUR;
    Test::with(()).given(given).when(fire(Some(next), now)).then_expect_events(vec![missed(9 * HOUR, 9 * HOUR, 1, Some(next)), fired(next, Some(next + DAY))]);
}

#[test]
fn a_change_of_zone_moves_the_next_run() {
    let given = || vec![defined(daily(), 0, 9 * HOUR)];
    let reckon = || ScheduleCommand::Reckon { zone: seoul() };
    // Nine in Seoul is midnight UTC, which was when it was defined: the next is a day later.
    let moved = ScheduleEvent::NextRunMoved(NextRunMoved { next: Some(DAY) });
    Test::with(()).given(given()).when(reckon()).then_expect_events(vec![moved.clone()]);
    Test::with(()).given([given(), vec![moved.clone()]].concat()).when(reckon()).then_expect_events(vec![]);
    // Woken by the old timer.
    let woken = ScheduleCommand::Fire { occurrence: None, zone: seoul(), now: 9 * HOUR };
    Test::with(()).given(given()).when(woken).then_expect_events(vec![moved]);
}

#[test]
fn a_local_time_that_a_move_left_behind_is_late_and_not_lost() {
    // Nine in UTC; in Seoul that was nine hours earlier.
    let at = LocalDateTime::new("1970-01-02T09:00").unwrap();
    let late = Terms { catch_up: 2 * DAY, ..terms(Trigger::OnceLocal { at }) };
    let state = Schedule::replay(&[defined(late, DAY + HOUR, DAY + 9 * HOUR)]);
    assert_eq!(state.due(seoul(), DAY + 2 * HOUR), Due { fire: Some(DAY), missed: None, next: None });
    let moved = vec![fired(DAY, None), ended(EndReason::Finished)];
    let fire = ScheduleCommand::Fire { occurrence: Some((DAY, id(DAY))), zone: seoul(), now: DAY + 2 * HOUR };
    assert_eq!(state.decide(fire).unwrap(), moved);
}

#[test]
fn a_move_to_the_east_loses_nothing_that_is_asked_for_in_time() {
    // Seven in the morning in Seoul; nine is at midnight UTC there, and was to be at nine UTC.
    let (since, recorded) = (DAY - 2 * HOUR, DAY + 9 * HOUR);
    let state = Schedule::replay(&[defined(daily(), since, recorded)]);
    let due = |fire| Due { fire, missed: None, next: Some(2 * DAY) };
    assert_eq!(state.due(seoul(), recorded + HOUR), due(Some(DAY)));
    assert_eq!(state.due(seoul(), recorded + HOUR + 1), Due { missed: Some((DAY, DAY, 1)), ..due(None) }, "late by what was recorded as well");
    let once = terms(Trigger::OnceLocal { at: LocalDateTime::new("1970-01-02T09:00").unwrap() });
    let state = Schedule::replay(&[defined(once, since, recorded)]);
    assert_eq!(state.due(seoul(), recorded).fire, Some(DAY));
}

#[test]
fn changed_cancelled_and_looked_at() {
    let given = || vec![defined(daily(), 0, 9 * HOUR), fired(9 * HOUR, Some(DAY + 9 * HOUR))];
    let hourly = Terms { ends: Some(12 * HOUR), ..terms(cron("0 * * * *")) };
    let change = Schedule::replay(&given()).decide(ScheduleCommand::Change(define(hourly, 10 * HOUR))).unwrap();
    let state = Schedule::replay(&[given(), change].concat());
    assert_eq!(state.upcoming(TimeZone::utc(), 10 * HOUR, 5), vec![11 * HOUR, 12 * HOUR]);
    assert_eq!(state.next_run(TimeZone::utc()), Some(11 * HOUR));
    Test::with(()).given(given()).when(ScheduleCommand::Cancel).then_expect_events(vec![ended(EndReason::Cancelled)]);
    let over = || [given(), vec![ended(EndReason::Cancelled)]].concat();
    Test::with(()).given(over()).when(ScheduleCommand::Cancel).then_expect_events(vec![]);
    Test::with(()).given(over()).when(ScheduleCommand::Resume { zone: seoul() }).then_expect_error(ScheduleRefusal::Ended);
    Test::with(()).given(over()).when(fire(Some(DAY + 9 * HOUR), DAY + 9 * HOUR)).then_expect_events(vec![]);
}

#[derive(Debug, Clone, Copy)]
enum Move {
    Wait(Millis),
    Fire,
    Again,
    Pause,
    Resume,
}

proptest! {
    /// Wherever the person has moved: what is asked at its recorded moment is fired or put off, never missed.
    #[test]
    fn wherever_somebody_moves_what_is_asked_in_time_is_not_lost(moves in prop::collection::vec(0_usize..5, 1..20)) {
        let zones = ["UTC", "Asia/Seoul", "Pacific/Kiritimati", "Pacific/Honolulu", "America/New_York"];
        let mut state = Schedule::replay(&[defined(daily(), DAY, DAY + 9 * HOUR)]);
        for zone in moves {
            let (zone, now) = (TimeZone::new(zones[zone]).unwrap(), state.next.unwrap());
            let due = state.due(zone, now);
            prop_assert!(due.fire.is_some() || due.missed.is_none() && due.next > Some(now), "{:?}", due);
            let command = ScheduleCommand::Fire { occurrence: due.fire.map(|at| (at, id(at))), zone, now };
            for event in state.decide(command).unwrap() {
                state.evolve(&event);
            }
        }
    }

    #[test]
    fn each_occurrence_is_fired_or_missed_exactly_once(
        moves in prop::collection::vec(prop_oneof![
            3 => (0_i64..20).prop_map(|hours| Move::Wait(hours * HOUR)), 4 => Just(Move::Fire), 1 => Just(Move::Again),
            1 => Just(Move::Pause), 1 => Just(Move::Resume)], 1..60),
    ) {
        let every = terms(cron("0 */5 * * *"));
        let mut state = Schedule::replay(&[defined(every.clone(), 0, 5 * HOUR)]);
        let (mut now, mut handled, mut last) = (0, 0, 0);
        let mut previous = fire(None, 0);
        let zone = TimeZone::utc();
        for step in moves.into_iter().chain([Move::Resume, Move::Fire]) {
            let command = match step {
                Move::Wait(pause) => { now += pause; continue }
                Move::Fire => fire(state.due(zone, now).fire, now),
                Move::Again => previous.clone(),
                Move::Pause => ScheduleCommand::Pause,
                Move::Resume => ScheduleCommand::Resume { zone },
            };
            for event in state.decide(command.clone()).unwrap() {
                state.evolve(&event);
                match event {
                    ScheduleEvent::OccurrenceFired(e) => {
                        prop_assert!(e.occurrence > last && now - e.occurrence <= HOUR);
                        last = e.occurrence;
                        handled += 1;
                    }
                    ScheduleEvent::OccurrencesMissed(e) => {
                        prop_assert!(e.from > last && e.to >= e.from);
                        last = e.to;
                        handled += e.count;
                    }
                    _ => {}
                }
            }
            previous = command;
        }
        let all = std::iter::successors(every.run_after(0, zone), |run| every.run_after(*run, zone)).take_while(|run| *run <= now).count();
        prop_assert_eq!(handled as usize, all);
    }
}
