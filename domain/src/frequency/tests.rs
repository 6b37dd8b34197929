#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::aggregate::Aggregate;
use crate::calendar::{Period, TimeZone};
use crate::values::{CategoryKey, Limit, LimitWindow, Millis, NotificationId};
use cqrs_es::test::TestFramework;
use proptest::prelude::*;
use uuid::Uuid;

type Test = TestFramework<Frequency>;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
/// 1 November 2026, 04:00 UTC: two hours before New York's clocks go back.
const FOLD: Millis = 1_793_505_600_000;

fn key(name: &str) -> CategoryKey {
    CategoryKey::new(name).unwrap()
}

fn count(at: Option<Millis>, content: Option<u128>) -> Count {
    let (notification, category) = (NotificationId(Uuid::from_u128(1)), key("a"));
    Count { notification, category, asked_at: 100, at, alone: false, content: content.map(Uuid::from_u128) }
}

fn counted(at: Option<Millis>, content: Option<u128>) -> FrequencyEvent {
    let Count { notification, category, asked_at, at, alone, content } = count(at, content);
    FrequencyEvent::Counted(Counted { notification, category, asked_at, at, alone, content })
}

fn sliding(most: u32, millis: Millis) -> Limit {
    Limit { most, per: LimitWindow::Sliding(millis) }
}

fn place(state: &Frequency, category: &str, limits: &[Limit], overall: &[Limit], now: Millis) -> Option<Found> {
    state.next_place(&key(category), limits, overall, &Clock { now, zone: TimeZone::utc(), allowed_from: &|at| at })
}

fn with_places(places: &[(&str, Millis, bool)]) -> Frequency {
    let mut state = Frequency::default();
    for (category, at, alone) in places {
        let event = Counted { notification: NotificationId::default(), category: key(category), asked_at: 0, at: Some(*at), alone: *alone, content: None };
        state.evolve(&FrequencyEvent::Counted(event));
    }
    state
}

#[test]
fn what_takes_no_place_and_tells_nothing_new_is_not_recorded() {
    Test::with(()).given_no_previous_events().when(count(None, None)).then_expect_events(vec![]);
    Test::with(()).given_no_previous_events().when(count(Some(5), None)).then_expect_events(vec![counted(Some(5), None)]);
    Test::with(()).given_no_previous_events().when(count(None, Some(7))).then_expect_events(vec![counted(None, Some(7))]);
}

#[test]
fn content_is_known_for_the_length_of_the_window_and_in_its_category_only() {
    let state = Frequency::replay(&[counted(None, Some(7))]);
    let seen = |category: &str, content, now| state.seen_content(&key(category), Uuid::from_u128(content), 1_000, now).is_some();
    assert!(seen("a", 7, 100) && seen("a", 7, 1_099));
    assert!(!seen("a", 7, 1_100) && !seen("a", 8, 100) && !seen("b", 7, 100));
}

#[test]
fn limits_over_all_leave_out_what_counts_alone() {
    let state = with_places(&[("a", 10, false), ("security", 20, true)]);
    let overall = [sliding(2, 1_000)];
    assert_eq!(place(&state, "b", &[], &overall, 30), Some(Found { at: 30, limit: None }));
    let state = with_places(&[("a", 10, false), ("b", 20, false)]);
    assert_eq!(place(&state, "c", &[], &overall, 30), Some(Found { at: 1_010, limit: Some(overall[0]) }));
    assert_eq!(place(&state, "c", &[sliding(1, 1_000)], &[], 30), Some(Found { at: 30, limit: None }));
}

#[test]
fn a_place_waits_for_all_limits_and_for_the_clock() {
    let state = with_places(&[("a", 10, false), ("a", 900, false)]);
    let limits = [sliding(1, 100), sliding(2, 5_000)];
    let clock = Clock { now: 950, zone: TimeZone::utc(), allowed_from: &|at| if at < 6_000 { 6_000 } else { at } };
    assert_eq!(state.next_place(&key("a"), &limits, &[], &clock), Some(Found { at: 6_000, limit: None }));
    assert_eq!(place(&state, "a", &limits, &[], 950), Some(Found { at: 5_010, limit: Some(limits[1]) }));
}

#[test]
fn who_waits_for_too_many_places_waits_for_none() {
    let limit = [sliding(1, 1_000)];
    let mut state = Frequency::default();
    for _ in 0..=MAX_WAITING {
        let found = place(&state, "a", &limit, &[], 5).unwrap();
        state.evolve(&FrequencyEvent::Counted(Counted {
            at: Some(found.at),
            ..match counted(None, None) {
                FrequencyEvent::Counted(e) => e,
                FrequencyEvent::PlaceFreed(_) => unreachable!(),
            }
        }));
    }
    assert_eq!(place(&state, "a", &limit, &[], 5), None);
    assert!(place(&state, "a", &limit, &[], 5_000).is_some());
}

#[test]
fn what_is_kept_is_bounded() {
    let mut state = Frequency::default();
    for at in 0..2_000 {
        state.evolve(&counted(Some(at), Some(at as u128)));
    }
    assert_eq!((state.places.len(), state.told.len()), (MAX_KEPT, MAX_KEPT));
    assert_eq!(state.places.first().unwrap().at, 2_000 - MAX_KEPT as i64);
}

fn numbered(number: i64) -> NotificationId {
    NotificationId(Uuid::from_u128(number.unsigned_abs().into()))
}

fn of(category: &str, at: Millis, alone: bool) -> FrequencyEvent {
    let (notification, content) = (NotificationId::default(), Some(Uuid::from_u128(at.unsigned_abs().into())));
    FrequencyEvent::Counted(Counted { notification, category: key(category), asked_at: at, at: Some(at), alone, content })
}

#[test]
fn other_categories_make_none_be_forgotten() {
    let mut state = Frequency::default();
    state.evolve(&of("a", 1, false));
    for at in 2..2_000 {
        state.evolve(&of("flood", at, at % 3 == 0));
    }
    let day = [sliding(1, 24 * HOUR)];
    assert_eq!(place(&state, "a", &day, &[], 2_000), Some(Found { at: 1 + 24 * HOUR, limit: Some(day[0]) }));
    assert!(state.seen_content(&key("a"), Uuid::from_u128(1), HOUR, 2_000).is_some());
    // But not for ever: that would have no bound.
    for at in 0..MAX_EVENTS as i64 {
        state.evolve(&of("flood", 2_000 + at, false));
    }
    assert_eq!(place(&state, "a", &day, &[], 20_000), Some(Found { at: 20_000, limit: None }));
}

#[test]
fn a_place_that_is_given_back_is_the_next_ones() {
    let (limit, [first, second, third]) = ([sliding(1, 1_000)], [1, 2, 3].map(|id| NotificationId(Uuid::from_u128(id))));
    let mut state = Frequency::default();
    for notification in [first, second, third] {
        let at = Some(place(&state, "a", &limit, &[], 5).unwrap().at);
        state.evolve(&FrequencyEvent::Counted(Counted { notification, category: key("a"), asked_at: 5, at, alone: false, content: None }));
    }
    assert_eq!(place(&state, "a", &limit, &[], 5).unwrap().at, 3_005);
    let freed = state.free(second).unwrap();
    assert_eq!(freed, FrequencyEvent::PlaceFreed(PlaceFreed { notification: second, category: key("a"), at: 1_005 }));
    state.evolve(&freed);
    assert_eq!(place(&state, "a", &limit, &[], 5).unwrap().at, 1_005);
    assert_eq!(state.free(second), None, "once");
}

/// Everything but where the numbers start.
#[allow(clippy::type_complexity, reason = "what a state comes to, to be compared as a whole")]
fn known(state: &Frequency) -> (Vec<(CategoryKey, Millis, bool, u64)>, Vec<(Uuid, u64)>) {
    let places = state.places.iter().map(|place| (place.category.clone(), place.at, place.alone, state.events - place.number));
    (places.collect(), state.told.iter().map(|told| (told.content, state.events - told.number)).collect())
}

/// The same question, asked of each window there is.
fn fits(places: &[Millis], limits: &[Limit], zone: TimeZone) -> bool {
    let mut sorted = places.to_vec();
    sorted.sort_unstable();
    limits.iter().all(|limit| match limit.per {
        LimitWindow::Sliding(millis) => sorted.iter().all(|from| sorted.iter().filter(|at| (*from..from + millis).contains(at)).count() <= limit.most as usize),
        LimitWindow::Calendar(period) => {
            let start = |at: &Millis| period.start_of(*at, zone);
            sorted.iter().all(|one| sorted.iter().filter(|other| start(one) == start(other)).count() <= limit.most as usize)
        }
    })
}

/// Requests at these pauses: none breaks a window, comes too early, or waits longer than it must,
/// by trying each moment before it.
fn check(limits: &[Limit], overall: &[Limit], zone: TimeZone, asked: &[(u8, Millis)], quiet: Millis, tick: Millis) -> Result<(), TestCaseError> {
    let mut state = Frequency::default();
    let mut now = FOLD;
    let (mut own, mut all): (Vec<(u8, Millis)>, Vec<Millis>) = (Vec::new(), Vec::new());
    let allowed = |at: Millis| if at.rem_euclid(10 * tick) < quiet { at - at.rem_euclid(10 * tick) + quiet } else { at };
    for (category, pause) in asked {
        now += pause;
        let name = key(if *category == 0 { "a" } else { "b" });
        let found = state.next_place(&name, limits, overall, &Clock { now, zone, allowed_from: &allowed }).unwrap();
        prop_assert!(found.at >= now);
        let with = |at: Millis| {
            let mine: Vec<Millis> = own.iter().filter(|(other, _)| other == category).map(|(_, at)| *at).chain([at]).collect();
            let everything: Vec<Millis> = all.iter().copied().chain([at]).collect();
            allowed(at) == at && fits(&mine, limits, zone) && fits(&everything, overall, zone)
        };
        prop_assert!(with(found.at), "a window holds too many");
        let mut earlier = now;
        while earlier < found.at {
            prop_assert!(!with(earlier), "{earlier} was free, and it waits until {}", found.at);
            earlier += tick;
        }
        own.push((*category, found.at));
        all.push(found.at);
        let event = Counted { notification: NotificationId::default(), category: name, asked_at: now, at: Some(found.at), alone: false, content: None };
        state.evolve(&FrequencyEvent::Counted(event));
    }
    Ok(())
}

fn slidings() -> impl Strategy<Value = Vec<Limit>> {
    prop::collection::vec((1_u32..4, 1_i64..12).prop_map(|(most, ticks)| sliding(most, ticks * 1_000)), 0..3)
}

fn calendars() -> impl Strategy<Value = Vec<Limit>> {
    let period = prop_oneof![Just(Period::Hour), Just(Period::Day)];
    prop::collection::vec((1_u32..4, period).prop_map(|(most, period)| Limit { most, per: LimitWindow::Calendar(period) }), 1..3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn sliding_windows_are_never_broken_and_nothing_waits_too_long(
        limits in slidings(), overall in slidings(), quiet in 0_i64..8,
        asked in prop::collection::vec((0_u8..2, (0_i64..5).prop_map(|ticks| ticks * 1_000)), 1..14),
    ) {
        check(&limits, &overall, TimeZone::utc(), &asked, quiet * 1_000, 1_000)?;
    }

    #[test]
    fn calendar_windows_are_never_broken_through_a_change_of_the_clocks(
        limits in calendars(), name in prop_oneof![Just("America/New_York"), Just("Asia/Seoul"), Just("Australia/Lord_Howe")],
        asked in prop::collection::vec((0_u8..2, (0_i64..9).prop_map(|ticks| ticks * 15 * MINUTE)), 1..9),
    ) {
        check(&limits, &[sliding(5, 3 * HOUR)], TimeZone::new(name).unwrap(), &asked, 0, 15 * MINUTE)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2))]

    /// A replica that has followed the stream for long knows what one knows that has just begun.
    #[test]
    fn what_is_loaded_is_what_is_kept(
        draws in prop::collection::vec((0_u8..16, any::<bool>(), 0_i64..1_000), MAX_EVENTS..MAX_EVENTS + 600),
        cut in 0_usize..600,
    ) {
        // Half of them are of one category.
        let name = |draw: u8| if draw < 8 { "a".to_owned() } else { format!("c{draw}") };
        // Some give back what another one took a while before.
        let one = |(at, (draw, alone, ahead)): (i64, &(u8, bool, i64))| match of(&name(*draw), at + ahead, *alone) {
            FrequencyEvent::Counted(counted) if at % 7 != 3 => FrequencyEvent::Counted(Counted { notification: numbered(at), ..counted }),
            FrequencyEvent::Counted(counted) => {
                FrequencyEvent::PlaceFreed(PlaceFreed { notification: numbered(at - ahead), category: counted.category, at })
            }
            freed @ FrequencyEvent::PlaceFreed(_) => freed,
        };
        let events: Vec<_> = (0..).zip(&draws).map(one).collect();
        let events = &events[..events.len().min(MAX_EVENTS + cut)];
        let loaded = Frequency::replay(&events[events.len() - MAX_EVENTS.min(events.len())..]);
        prop_assert_eq!(known(&loaded), known(&Frequency::replay(events)));
    }
}
