#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::*;
use crate::testing::events::*;
use crate::testing::stores::{Store, on_every_store};
use crate::testing::views::View;
use domain::event::Personal;
use domain::schedule::*;
use domain::values::{CategoryKey, RecipientId, ScheduleId, SenderKey};
use domain::{AggregateKind, StreamId};
use uuid::Uuid;

fn id(number: u128) -> ScheduleId {
    ScheduleId(Uuid::from_u128(0xcccc_0000 + number))
}

fn of(number: u128) -> StreamId {
    StreamId::new(AggregateKind::Schedule, id(number).0)
}

fn terms(sender: &str, sandbox: bool) -> Terms {
    Terms {
        sender: SenderKey::new(sender).unwrap(),
        category: CategoryKey::new("orders").unwrap(),
        channels: None,
        priority: None,
        topic: None,
        trigger: Trigger::Once { at: START + 60_000 },
        starts: None,
        ends: None,
        catch_up: 0,
        sandbox,
    }
}

fn defined(number: u128, recipient: RecipientId, terms: Terms) -> ScheduleEvent {
    ScheduleEvent::ScheduleDefined(ScheduleDefined {
        schedule: id(number),
        recipient,
        terms,
        since: START,
        next: Some(START + 60_000),
        personal: Personal::Erased,
    })
}

on_every_store!(schedules_are_found_by_whose_they_are_and_say_when_they_run);

async fn schedules_are_found_by_whose_they_are_and_say_when_they_run<S: Store>() {
    let mut story = Story::default();
    story
        .add(of(1), defined(1, recipient(1), terms("shop", false)))
        .add(of(2), defined(2, recipient(2), terms("shop", true)))
        .add(of(3), defined(3, recipient(1), terms("bank", false)))
        .add(of(1), ScheduleEvent::SchedulePaused(SchedulePaused {}))
        .add(
            of(3),
            ScheduleEvent::OccurrenceFired(OccurrenceFired { occurrence: START + 60_000, notification: Default::default(), next: Some(START + 90_000) }),
        );
    let view = View::<S>::new(REGISTRATION).await;
    view.take(&story.events).await;
    let schedules = Schedules::new(view.projection.clone());
    let list = |filter: ScheduleFilter, after, first| {
        let schedules = schedules.clone();
        async move { schedules.list(filter, after, first).await.unwrap().into_iter().map(|row| (row.id, row.standing, row.next)).collect::<Vec<_>>() }
    };
    let (one, two, three) = ((id(1), Standing::Paused, None), (id(2), Standing::Active, Some(START + 60_000)), (id(3), Standing::Active, Some(START + 90_000)));
    assert_eq!(list(ScheduleFilter::default(), 0, 10).await, [one, two, three]);
    assert_eq!(list(ScheduleFilter::default(), 1, 1).await, [two]);
    let shop = ScheduleFilter { sender: SenderKey::new("shop").ok(), sandbox: Some(false), ..ScheduleFilter::default() };
    assert_eq!(list(shop, 0, 10).await, [one]);
    let alice = ScheduleFilter { recipient: Some(recipient(1)), ..ScheduleFilter::default() };
    assert_eq!(list(alice.clone(), 0, 10).await, [one, three]);
    assert_eq!(list(ScheduleFilter { sender: SenderKey::new("bank").ok(), ..alice }, 0, 10).await, [three]);

    let before = story.events.len();
    story
        .add(of(1), ScheduleEvent::ScheduleResumed(ScheduleResumed { next: Some(START + 70_000) }))
        .add(of(3), ScheduleEvent::ScheduleEnded(ScheduleEnded { reason: EndReason::Cancelled }));
    view.take(&story.events[before..]).await;
    let once = view.dump().await;
    view.take(&story.events[before..]).await;
    assert_eq!(once, view.dump().await);
    assert_eq!(list(ScheduleFilter::default(), 0, 10).await, [(id(1), Standing::Active, Some(START + 70_000)), two, (id(3), Standing::Ended, None)]);
}
