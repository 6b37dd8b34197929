#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::*;
use crate::testing::events::*;
use crate::testing::stores::{Dump, InFiles, InPostgres, Store, on_every_store};
use crate::testing::views::View;
use commands::database::Deferral;
use domain::notification::{Cancelled, Deferred, Digested, Expired, NotificationEvent, Released};
use domain::template::TemplateUse;
use domain::values::{CategoryKey, Channel, NotificationId, Rule, SenderKey, TemplateKey};
use proptest::prelude::*;

fn page(first: usize, order: Order) -> HistoryPage {
    HistoryPage { newer_than: None, older_than: None, first, order }
}

const ALL: HistoryFilter = HistoryFilter { unread_only: false, archived: ArchivedFilter::Include };

on_every_store!(
    a_whole_life_in_one_batch_is_one_row,
    later_outcomes_find_their_delivery,
    tests_and_suppressed_ones_are_not_in_the_history,
    only_what_can_have_no_further_step_is_over,
    history_pages_filters_and_counts,
    what_was_requested_is_found_whether_or_not_it_is_seen,
    nothing_personal_is_in_the_rows,
    what_waits_is_found_by_who_asked_and_becomes_visible_when_it_is_released,
    what_is_made_from_a_template_is_found_by_it
);

fn deferred(rule: Rule) -> NotificationEvent {
    NotificationEvent::Deferred(Deferred { until: START + 60_000, rule, limit: None, rules: 2, facts: Default::default() })
}

fn digested() -> NotificationEvent {
    NotificationEvent::Digested(Digested { digest: Default::default(), window: 0, rule: Rule::Digested, rules: 2, facts: Default::default() })
}

async fn what_waits_is_found_by_who_asked_and_becomes_visible_when_it_is_released<S: Store>() {
    let mut story = Story::default();
    for (number, event) in (1..).zip([deferred(Rule::QuietHours), deferred(Rule::OverLimit), digested(), deferred(Rule::NotBefore), suppressed(None)]) {
        story.notification(number, requested(recipient(1), false)).notification(number, event);
    }
    let (view, notifications) = view::<S>(&story).await;
    let status = |search: Search, after, first| {
        let notifications = notifications.clone();
        async move {
            let page = notifications.search(search, after, first).await.unwrap();
            (page.rows.iter().map(|row| (row.number, row.status().name())).collect::<Vec<_>>(), page.next)
        }
    };
    let all = vec![(1, "deferred"), (2, "held"), (3, "digested"), (4, "deferred"), (5, "suppressed")];
    assert_eq!(status(Search::default(), 0, 10).await, (all.clone(), None));
    assert_eq!(status(Search::default(), 1, 2).await, (all[1..3].to_vec(), Some(3)));
    let of = Search {
        recipient: Some(recipient(1)),
        sender: SenderKey::new("shop").ok(),
        category: CategoryKey::new("orders").ok(),
        sandbox: Some(false),
        ..Search::default()
    };
    assert_eq!(status(Search { requested_from: Some(START + 3), requested_before: Some(START + 7), ..of.clone() }, 0, 10).await.0, all[1..3]);
    assert_eq!(status(of, 0, 10).await.0, all);
    for nothing in [
        Search { recipient: Some(recipient(2)), ..Search::default() },
        Search { sender: SenderKey::new("bank").ok(), ..Search::default() },
        Search { category: CategoryKey::new("news").ok(), ..Search::default() },
        Search { sandbox: Some(true), ..Search::default() },
        Search { template: TemplateKey::new("welcome").ok(), ..Search::default() },
    ] {
        assert_eq!(status(nothing, 0, 10).await, (Vec::new(), None));
    }
    assert!(notifications.history(recipient(1), page(10, Order::OldestFirst), ALL).await.unwrap().is_empty(), "nobody sees what waits");

    let before = story.events.len();
    story
        .notification(1, NotificationEvent::Released(Released {}))
        .notification(1, queued(0, Channel::Email))
        .notification(2, NotificationEvent::Cancelled(Cancelled { delivery: None }))
        .notification(4, NotificationEvent::Expired(Expired { delivery: None }));
    view.take(&story.events[before..]).await;
    let once = view.dump().await;
    view.take(&story.events[before..]).await;
    assert_eq!(once, view.dump().await);
    let then = vec![(1, "pending"), (2, "cancelled"), (3, "digested"), (4, "expired"), (5, "suppressed")];
    assert_eq!(status(Search::default(), 0, 10).await.0, then);
    let seen = notifications.history(recipient(1), page(10, Order::OldestFirst), ALL).await.unwrap();
    assert_eq!(seen.iter().map(|row| (row.number, row.visible_position)).collect::<Vec<_>>(), [(1, Some(12))]);
}

async fn what_is_made_from_a_template_is_found_by_it<S: Store>() {
    let key = |text: &str| TemplateKey::new(text).unwrap();
    let mut story = Story::default();
    for (number, template) in (1..).zip([Some("welcome"), None, Some("welcome-back"), Some("welcome")]) {
        let NotificationEvent::Requested(mut asked) = requested(recipient(number), false) else { unreachable!() };
        asked.template = template.map(|of| Box::new(TemplateUse { key: key(of), version: 3, assigned: None, locale: None, zone: None }));
        story.notification(number, NotificationEvent::Requested(asked)).notification(number, queued(0, Channel::InApp));
    }
    let (_view, notifications) = view::<S>(&story).await;
    let found = async |search: Search, after, first| {
        let page = notifications.search(search, after, first).await.unwrap();
        (page.rows.iter().map(|row| row.number).collect::<Vec<_>>(), page.next)
    };
    let of = |text: &str| Search { template: Some(key(text)), ..Search::default() };
    assert_eq!(found(of("welcome"), 0, 10).await, (vec![1, 4], None));
    assert_eq!(found(of("welcome"), 0, 1).await, (vec![1], Some(1)));
    assert_eq!(found(of("welcome"), 1, 1).await.0, [4]);
    assert_eq!(found(of("welcome-back"), 0, 10).await.0, [3]);
    assert_eq!(found(Search { recipient: Some(recipient(4)), ..of("welcome") }, 0, 10).await.0, [4]);
}

async fn view<S: Store>(story: &Story) -> (View<S>, Notifications) {
    let view = View::<S>::new(REGISTRATION).await;
    view.take(&story.events).await;
    let notifications = Notifications::new(view.projection.clone());
    (view, notifications)
}

async fn a_whole_life_in_one_batch_is_one_row<S: Store>() {
    let mut story = Story::default();
    story
        .notification(1, requested(recipient(1), false))
        .notification(1, queued(0, Channel::InApp))
        .notification(1, sent(0))
        .notification(1, suppressed(None))
        .notification(1, queued(1, Channel::AndroidPush))
        .notification(1, started(1))
        .notification(1, sent(1));
    let (_view, notifications) = view::<S>(&story).await;
    let row = notifications.by_number(1).await.unwrap().unwrap();
    assert_eq!(row.id, NotificationId(stream(1).id));
    assert_eq!(row.recipient, recipient(1));
    assert_eq!(row.sender.as_str(), "shop");
    assert_eq!(row.category.as_str(), "orders");
    assert_eq!(row.requested_position, 1);
    assert_eq!(row.requested_at, START + 1);
    assert_eq!(row.visible_position, Some(2));
    assert_eq!(row.updated_position, 7);
    assert_eq!(row.status(), NotificationStatus::Sent);
    let deliveries: Vec<_> = row.deliveries.iter().map(|delivery| (delivery.number, delivery.channel, delivery.status)).collect();
    assert_eq!(deliveries, [(0, Channel::InApp, DeliveryStatus::Sent), (1, Channel::AndroidPush, DeliveryStatus::Sent)]);
    assert!(notifications.by_number(2).await.unwrap().is_none());
}

async fn what_was_requested_is_found_whether_or_not_it_is_seen<S: Store>() {
    let mut story = Story::default();
    story.notification(1, requested(recipient(1), false)).notification(1, queued(0, Channel::InApp));
    story.notification(2, requested(recipient(1), false)).notification(2, suppressed(None));
    story.notification(3, requested(recipient(2), false)).notification(3, queued(0, Channel::InApp));
    story.notification(4, requested(recipient(1), true)).notification(4, queued(0, Channel::InApp));
    story.notification(5, requested(recipient(1), false)).notification(5, queued(0, Channel::InApp)).notification(5, archived());
    let (view, notifications) = view::<S>(&story).await;
    let all = RequestedIn { from: START, to: START + 1_000, category: None, sender: None, first: 10 };
    let numbers = async |asked: RequestedIn| -> Vec<u64> { notifications.requested(recipient(1), asked).await.unwrap().iter().map(|row| row.number).collect() };
    assert_eq!(numbers(all.clone()).await, [5, 4, 2, 1]);
    assert_eq!(numbers(RequestedIn { first: 2, ..all.clone() }).await, [5, 4]);
    // The fifth event asked for the third notification, the ninth for the fifth.
    assert_eq!(numbers(RequestedIn { from: START + 3, to: START + 8, ..all.clone() }).await, [4, 2]);
    let shop = |sandbox| Some((domain::values::SenderKey::new("shop").unwrap(), sandbox));
    assert_eq!(numbers(RequestedIn { sender: shop(false), ..all.clone() }).await, [5, 2, 1]);
    assert_eq!(numbers(RequestedIn { sender: shop(true), ..all.clone() }).await, [4]);
    let other = Some(domain::values::CategoryKey::new("other").unwrap());
    assert_eq!(numbers(RequestedIn { category: other, ..all.clone() }).await, [] as [u64; 0]);
    // What was hidden comes to be seen: it is found once.
    let before = story.events.len();
    story.notification(2, queued(0, Channel::Email));
    view.take(&story.events[before..]).await;
    assert_eq!(numbers(all).await, [5, 4, 2, 1]);
}

async fn later_outcomes_find_their_delivery<S: Store>() {
    let mut story = Story::default();
    story
        .notification(1, requested(recipient(1), false))
        .notification(1, queued(0, Channel::InApp))
        .notification(1, queued(1, Channel::Email))
        .notification(1, queued(2, Channel::Webhook));
    let (view, notifications) = view::<S>(&story).await;
    let before = story.events.len();
    story.notification(1, sent(0)).notification(1, retry(2)).notification(1, dead(2, "503")).notification(1, failed(1));
    view.take(&story.events[before..]).await;
    let row = notifications.by_number(1).await.unwrap().unwrap();
    let states: Vec<_> = row.deliveries.iter().map(|delivery| delivery.status).collect();
    assert_eq!(states, [DeliveryStatus::Sent, DeliveryStatus::Failed, DeliveryStatus::DeadLettered]);
    assert_eq!(row.status(), NotificationStatus::PartlySent);
    let totals = notifications.totals().await.unwrap();
    assert_eq!((totals.requested, totals.queued, totals.pending(), totals.awaiting()), (1, 3, 0, 1));
}

async fn tests_and_suppressed_ones_are_not_in_the_history<S: Store>() {
    let mut story = Story::default();
    story
        .notification(1, requested(recipient(1), true))
        .notification(1, queued(0, Channel::InApp))
        .notification(2, requested(recipient(1), false))
        .notification(2, suppressed(None))
        .notification(3, requested(recipient(1), false))
        .notification(3, queued(0, Channel::InApp));
    let (_view, notifications) = view::<S>(&story).await;
    let rows = notifications.history(recipient(1), page(10, Order::NewestFirst), ALL).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [3]);
    assert_eq!(notifications.unread_count(recipient(1)).await.unwrap(), 1);
    let suppressed = notifications.by_number(2).await.unwrap().unwrap();
    assert_eq!(suppressed.status(), NotificationStatus::Suppressed);
    assert!(suppressed.is_over());
    assert!(notifications.by_number(1).await.unwrap().unwrap().sandbox);
}

async fn only_what_can_have_no_further_step_is_over<S: Store>() {
    let mut story = Story::default();
    story
        .notification(1, requested(recipient(1), false))
        .notification(1, queued(0, Channel::AndroidPush))
        .notification(1, suppressed(Some(0)))
        .notification(2, requested(recipient(1), false))
        .notification(2, NotificationEvent::Cancelled(Cancelled { delivery: None }));
    let (_view, notifications) = view::<S>(&story).await;
    let row = async |number| notifications.by_number(number).await.unwrap().unwrap();
    let (stopped, cancelled) = (row(1).await, row(2).await);
    assert_eq!((stopped.status(), stopped.is_over()), (NotificationStatus::Suppressed, false), "its plan may go on");
    assert_eq!((cancelled.status(), cancelled.is_over()), (NotificationStatus::Cancelled, true));
}

async fn history_pages_filters_and_counts<S: Store>() {
    let mut story = Story::default();
    for number in 1..=9 {
        // Others' notifications lie between.
        story.notification(number, requested(recipient(number % 2), false)).notification(number, queued(0, Channel::InApp));
    }
    story.notification(1, read()).notification(3, archived());
    story.notification(5, seen()).notification(7, read());
    let (_view, notifications) = view::<S>(&story).await;
    let me = recipient(1);
    let numbers = |rows: Vec<NotificationRow>| rows.iter().map(|row| row.number).collect::<Vec<_>>();
    let all = notifications.history(me, page(10, Order::NewestFirst), ALL).await.unwrap();
    let cursor = all[1].visible_position;
    assert_eq!(numbers(all), [9, 7, 5, 3, 1]);
    let older = HistoryPage { older_than: cursor, ..page(2, Order::NewestFirst) };
    assert_eq!(numbers(notifications.history(me, older, ALL).await.unwrap()), [5, 3]);
    let visible = HistoryFilter::default();
    let shown = notifications.history(me, page(10, Order::NewestFirst), visible);
    assert_eq!(numbers(shown.await.unwrap()), [9, 7, 5, 1]);
    let unread = HistoryFilter { unread_only: true, ..visible };
    let shown = notifications.history(me, page(10, Order::OldestFirst), unread);
    assert_eq!(numbers(shown.await.unwrap()), [5, 9]);
    let put_away = HistoryFilter { unread_only: false, archived: ArchivedFilter::Only };
    let shown = notifications.history(me, page(10, Order::NewestFirst), put_away);
    assert_eq!(numbers(shown.await.unwrap()), [3]);
    assert_eq!(notifications.unread_count(me).await.unwrap(), 2);
    let missed = notifications.missed(me, cursor.unwrap() - 5, 2);
    assert_eq!(numbers(missed.await.unwrap()), [5, 7]);
    let row = notifications.by_number(7).await.unwrap().unwrap();
    assert_eq!((row.seen, row.read, row.archived), (true, true, false));
}

async fn nothing_personal_is_in_the_rows<S: Store>() {
    let mut story = Story::default();
    story.notification(1, requested(recipient(1), false)).notification(1, queued(0, Channel::InApp));
    let (view, _) = view::<S>(&story).await;
    assert!(!format!("{:?}", view.dump().await).contains("secret"));
}

/// A log of a few notifications whose events are mixed, from numbers drawn at random.
fn story(draws: &[(u8, u8)]) -> Story {
    let mut story = Story::default();
    let mut deliveries = [0_u16; 5];
    for (which, what) in draws {
        let which = usize::from(*which) % deliveries.len();
        let key = which as u128;
        if !story.events.iter().any(|event| event.stream == stream(key)) {
            story.notification(key, requested(recipient(key % 2), which == 4));
        }
        let some = deliveries[which];
        let last = some.saturating_sub(1);
        let event: NotificationEvent = match what % 16 {
            0..=2 => {
                deliveries[which] += 1;
                queued(some, Channel::ALL[usize::from(some) % 5])
            }
            3 => seen(),
            4 => read(),
            5 => archived(),
            6 => suppressed(None),
            _ if some == 0 => continue,
            7 => started(last),
            8 => sent(last),
            9 => sent(0),
            10 => retry(last),
            11 => failed(0),
            12 => dead(last, "503"),
            13 => redriven(last),
            14 => cancelled(0),
            _ => suppressed(Some(last)),
        };
        story.notification(key, event);
    }
    story
}

/// Whose rows enter the index nearly at once.
const WAITING_BRIEFLY: Registration = Registration { deferral: Some(Deferral { waiting: 1, ..query::DEFERRAL }), ..REGISTRATION };

/// Without the index: what enters it when is its own matter.
fn rows(mut dump: Dump) -> Dump {
    dump.retain(|(table, _)| !table.starts_with("history"));
    dump
}

/// Every query agrees with the rows.
async fn assert_history(notifications: &Notifications) {
    for me in [recipient(0), recipient(1)] {
        let mut mine = Vec::new();
        for number in 1..=5 {
            mine.extend(notifications.by_number(number).await.unwrap().filter(|row| row.recipient == me && row.visible_position.is_some()));
        }
        mine.sort_unstable_by_key(|row| row.visible_position);
        assert_eq!(notifications.history(me, page(10, Order::OldestFirst), ALL).await.unwrap(), mine);
        let unread: Vec<_> = mine.iter().filter(|row| !row.read && !row.archived).cloned().collect();
        assert_eq!(notifications.unread_count(me).await.unwrap(), unread.len() as u64);
        let only_unread = HistoryFilter { unread_only: true, archived: ArchivedFilter::Exclude };
        let first: Vec<_> = unread.iter().rev().take(1).cloned().collect();
        assert_eq!(notifications.history(me, page(1, Order::NewestFirst), only_unread).await.unwrap(), first);
        let beyond = HistoryPage { newer_than: mine.first().and_then(|row| row.visible_position), ..page(10, Order::OldestFirst) };
        assert_eq!(notifications.history(me, beyond, ALL).await.unwrap(), mine.get(1..).unwrap_or_default());
    }
}

/// Taken in as a whole, and in pieces of these sizes, each twice.
fn whole_and_split<S: Store>(draws: &[(u8, u8)], cuts: &[usize]) {
    let story = story(draws);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let whole = View::<S>::new(REGISTRATION).await;
        whole.take(&story.events).await;
        let split = View::<S>::new(WAITING_BRIEFLY).await;
        let queries = Notifications::new(split.projection.clone());
        let mut rest = story.events.as_slice();
        for cut in cuts.iter().cycle() {
            let (batch, after) = rest.split_at((*cut).min(rest.len()));
            split.take(batch).await;
            let once = split.dump().await;
            assert_history(&queries).await;
            split.take(batch).await;
            assert_eq!(rows(once), rows(split.dump().await));
            assert_history(&queries).await;
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        for view in [&whole, &split] {
            view.projection.serving().complete().await.unwrap();
        }
        assert_eq!(whole.dump().await, split.dump().await, "indexes too, once everything is entered");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn batches_split_anywhere_and_handled_again_give_the_same_rows(
        draws in proptest::collection::vec((any::<u8>(), any::<u8>()), 1..60),
        cuts in proptest::collection::vec(1_usize..12, 1..40),
    ) {
        whole_and_split::<InFiles>(&draws, &cuts);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn batches_split_anywhere_and_handled_again_give_the_same_rows_in_postgres(
        draws in proptest::collection::vec((any::<u8>(), any::<u8>()), 1..60),
        cuts in proptest::collection::vec(1_usize..12, 1..40),
    ) {
        whole_and_split::<InPostgres>(&draws, &cuts);
    }
}
