#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::aggregate::Aggregate;
use crate::calendar::{LocalTime, TimeZone};
use crate::values::{CategoryKey, DigestSettings, DigestWindow, Millis, NotificationId, RecipientId, SenderKey, TemplateKey};
use cqrs_es::test::TestFramework;
use proptest::prelude::*;
use std::collections::BTreeSet;
use uuid::Uuid;

type Test = TestFramework<Digest>;

const SLIDING: DigestSettings = DigestSettings { window: DigestWindow::Sliding { millis: 100, at_most: 250 }, max_items: 2, template: None };
const SUMMARY: NotificationId = NotificationId(Uuid::from_u128(99));

fn id(number: u128) -> NotificationId {
    NotificationId(Uuid::from_u128(number))
}

fn add(number: u128, now: Millis, settings: DigestSettings) -> DigestCommand {
    DigestCommand::Add(Box::new(AddItem {
        recipient: RecipientId(Uuid::from_u128(1)),
        category: CategoryKey::new("orders").unwrap(),
        sender: SenderKey::new("shop").unwrap(),
        sandbox: false,
        notification: id(number),
        settings,
        zone: TimeZone::new("Asia/Seoul").unwrap(),
        now,
    }))
}

fn opened(window: u32, opened_at: Millis, closes_at: Millis, latest: Option<Millis>) -> DigestEvent {
    DigestEvent::DigestOpened(DigestOpened {
        recipient: RecipientId(Uuid::from_u128(1)),
        category: CategoryKey::new("orders").unwrap(),
        sender: SenderKey::new("shop").unwrap(),
        sandbox: false,
        window,
        opened_at,
        closes_at,
        latest,
        max_items: 2,
    })
}

fn added(window: u32, number: u128, closes_at: Option<Millis>) -> DigestEvent {
    DigestEvent::DigestItemAdded(DigestItemAdded { window, notification: id(number), closes_at })
}

fn removed(window: u32, number: u128) -> DigestEvent {
    DigestEvent::DigestItemRemoved(DigestItemRemoved { window, notification: id(number) })
}

fn close(window: u32, now: Millis) -> DigestCommand {
    DigestCommand::Close { window, summary: SUMMARY, unwanted: Vec::new(), template_unused: None, now }
}

fn closed(window: u32, items: &[u128], more: u32) -> DigestEvent {
    let summary = (!items.is_empty() || more > 0).then_some(SUMMARY);
    DigestEvent::DigestClosed(DigestClosed { window, summary, items: items.iter().map(|number| id(*number)).collect(), more, template_unused: None })
}

#[test]
fn a_summary_is_silent_on_what_is_not_wanted_any_more() {
    let given = || vec![opened(1, 1_000, 1_100, None), added(1, 1, None), added(1, 2, None)];
    let close = |unwanted: &[u128]| DigestCommand::Close {
        window: 1,
        summary: SUMMARY,
        unwanted: unwanted.iter().map(|n| id(*n)).collect(),
        template_unused: None,
        now: 1_100,
    };
    Test::with(()).given(given()).when(close(&[1])).then_expect_events(vec![closed(1, &[2], 0)]);
    Test::with(()).given(given()).when(close(&[1, 2])).then_expect_events(vec![closed(1, &[], 0)]);
}

#[test]
fn a_template_that_could_not_say_a_summary_is_named_beside_it() {
    let unused = || TemplateUnused { key: TemplateKey::new("weekly").unwrap(), code: "TEMPLATE_ARCHIVED".to_owned() };
    let close = || DigestCommand::Close { window: 1, summary: SUMMARY, unwanted: vec![id(1)], template_unused: Some(unused()), now: 1_100 };
    let given = |items: &[u128]| [vec![opened(1, 1_000, 1_100, None)], items.iter().map(|n| added(1, *n, None)).collect()].concat();
    let DigestEvent::DigestClosed(told) = closed(1, &[2], 0) else { unreachable!("it is closed") };
    let told = DigestEvent::DigestClosed(DigestClosed { template_unused: Some(unused()), ..told });
    Test::with(()).given(given(&[1, 2])).when(close()).then_expect_events(vec![told]);
    // Where nothing is told, no template was missed.
    Test::with(()).given(given(&[1])).when(close()).then_expect_events(vec![closed(1, &[], 0)]);
}

#[test]
fn the_first_item_opens_a_window_and_later_ones_put_its_end_off_so_far() {
    Test::with(()).given_no_previous_events().when(add(1, 1_000, SLIDING)).then_expect_events(vec![opened(1, 1_000, 1_100, Some(1_250)), added(1, 1, None)]);
    let given = || vec![opened(1, 1_000, 1_100, Some(1_250)), added(1, 1, None)];
    Test::with(()).given(given()).when(add(2, 1_050, SLIDING)).then_expect_events(vec![added(1, 2, Some(1_150))]);
    Test::with(()).given(given()).when(add(1, 1_050, SLIDING)).then_expect_events(vec![]);
    let last = [given(), vec![added(1, 2, Some(1_190))]].concat();
    Test::with(()).given(last).when(add(3, 1_180, SLIDING)).then_expect_events(vec![added(1, 3, Some(1_250))]);
    // What is due stays due.
    Test::with(()).given(given()).when(add(2, 1_100, SLIDING)).then_expect_events(vec![added(1, 2, None)]);
}

#[test]
fn a_window_until_a_time_closes_by_the_recipients_clock() {
    let settings = DigestSettings { window: DigestWindow::Until { local_time: LocalTime::new("08:00").unwrap() }, max_items: 2, template: None };
    // Midnight UTC is 09:00 in Seoul: the next 08:00 is 23 hours away.
    let until = 23 * 3_600_000;
    Test::with(()).given_no_previous_events().when(add(1, 0, settings)).then_expect_events(vec![opened(1, 0, until, None), added(1, 1, None)]);
}

#[test]
fn a_window_closes_when_it_is_due_and_once() {
    let given = || vec![opened(1, 1_000, 1_100, None), added(1, 1, None), added(1, 2, None), added(1, 3, None)];
    Test::with(()).given(given()).when(close(1, 1_099)).then_expect_events(vec![]);
    Test::with(()).given(given()).when(close(2, 1_100)).then_expect_events(vec![]);
    Test::with(()).given(given()).when(close(1, 1_100)).then_expect_events(vec![closed(1, &[1, 2], 1)]);
    let over = [given(), vec![closed(1, &[1, 2], 1)]].concat();
    Test::with(()).given(over.clone()).when(close(1, 1_200)).then_expect_events(vec![]);
    Test::with(()).given(over).when(add(4, 1_200, SLIDING)).then_expect_events(vec![opened(2, 1_200, 1_300, Some(1_450)), added(2, 4, None)]);
}

#[test]
fn what_was_taken_back_is_not_summed_up() {
    let remove = |window, number| DigestCommand::Remove { window, notification: id(number) };
    let given = || vec![opened(1, 1_000, 1_100, None), added(1, 1, None)];
    Test::with(()).given(given()).when(remove(2, 1)).then_expect_events(vec![]);
    Test::with(()).given(given()).when(remove(1, 9)).then_expect_events(vec![]);
    Test::with(()).given(given()).when(remove(1, 1)).then_expect_events(vec![removed(1, 1)]);
    let empty = [given(), vec![removed(1, 1)]].concat();
    Test::with(()).given(empty).when(close(1, 1_100)).then_expect_events(vec![closed(1, &[], 0)]);
}

#[derive(Debug, Clone)]
enum Move {
    Add(Millis),
    Remove(usize),
    Close(Millis),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![5 => (0_i64..80).prop_map(Move::Add), 1 => (0_usize..20).prop_map(Move::Remove), 2 => (0_i64..150).prop_map(Move::Close)];
    prop::collection::vec(one, 1..60)
}

proptest! {
    #[test]
    fn each_item_ends_in_one_window_or_is_taken_back(moves in moves(), max_items in 1_u16..30) {
        let settings = DigestSettings { max_items, ..SLIDING };
        let mut state = Digest::default();
        let (mut now, mut next) = (0, 0_u128);
        let mut inside: Vec<(u128, u32)> = Vec::new();
        let (mut listed, mut windows) = (BTreeSet::new(), 0);
        for step in moves {
            let command = match &step {
                Move::Add(pause) => { now += pause; next += 1; add(next, now, settings.clone()) }
                Move::Remove(place) => match inside.get(*place) {
                    Some((number, window)) => DigestCommand::Remove { window: *window, notification: id(*number) },
                    None => continue,
                },
                Move::Close(pause) => { now += pause; close(state.window, now) }
            };
            let expected = state.collecting_window();
            for event in state.decide(command).unwrap() {
                state.evolve(&event);
                match event {
                    DigestEvent::DigestOpened(e) => { windows += 1; prop_assert_eq!(e.window, windows); }
                    DigestEvent::DigestItemAdded(e) => { prop_assert_eq!(e.window, expected); inside.push((next, e.window)); }
                    DigestEvent::DigestItemRemoved(e) => inside.retain(|(number, _)| id(*number) != e.notification),
                    DigestEvent::DigestClosed(e) => {
                        prop_assert_eq!(e.items.len() + e.more as usize, inside.len());
                        prop_assert_eq!(e.summary.is_some(), !inside.is_empty());
                        for item in &e.items {
                            prop_assert!(listed.insert(*item), "told twice");
                            prop_assert!(inside.iter().any(|(number, _)| id(*number) == *item));
                        }
                        inside.clear();
                    }
                }
            }
            if let Some(open) = &state.open {
                prop_assert!(open.latest.is_none_or(|latest| open.closes_at <= latest));
                prop_assert_eq!(open.items.len() + open.more as usize, inside.len());
            }
        }
    }
}
