//! Schedules that fire.

use super::{DAY, HOUR, World, world};
use crate::accept::recipient_stream;
use crate::accept::tests::meta;
use crate::due::Asked;
use domain::calendar::{Cron, TimeZone};
use domain::event::EventBody as _;
use domain::notification::NotificationEvent;
use domain::policy::timers::TimerName;
use domain::recipient::{Recipient, RecipientCommand};
use domain::schedule::{Define, EndReason, Schedule, ScheduleCommand, ScheduleEvent, Standing, Terms, Trigger};
use domain::values::{CategoryKey, Content, Limit, LimitWindow, Millis, Origin, Rule, ScheduleId, SenderKey};
use domain::{AggregateKind, Fact, StreamId};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use uuid::Uuid;

const ID: ScheduleId = ScheduleId(Uuid::from_u128(77));
const STREAM: StreamId = StreamId::new(AggregateKind::Schedule, ID.0);

/// Every day at nine, by the wall clock of a world that begins at midnight.
async fn daily() -> Arc<World> {
    let world = world().await;
    let trigger = Trigger::Recurring { cron: Cron::new("0 9 * * *").unwrap(), zone: None };
    let terms = Terms {
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
    };
    let content = Content { body: "Good morning".to_owned(), ..Content::default() };
    let recipient = world.fixture.hashing.recipient("alice");
    let define = Define { schedule: ID, recipient, terms, content, zone: TimeZone::default(), now: 1_000 };
    world.fixture.bus.execute::<Schedule>(STREAM, &meta(), ScheduleCommand::Define(Box::new(define))).await.unwrap();
    world
}

impl World {
    async fn run(&self) -> Asked {
        self.ask_one(STREAM, TimerName::Run).await
    }

    async fn schedule(&self) -> Vec<ScheduleEvent> {
        let events = self.fixture.bus.log().read_stream(STREAM, 0, true).await.unwrap();
        let of = |fact: &Fact| if let Fact::Schedule(event) = fact { event.clone() } else { panic!("{fact:?}") };
        events.iter().map(|event| of(&event.fact)).collect()
    }

    async fn occurrence(&self, moment: Millis) -> Vec<NotificationEvent> {
        self.fixture.events(self.fixture.hashing.occurrence(ID, moment).0).await
    }
}

#[tokio::test]
async fn an_occurrence_fires_with_its_notification_and_once() {
    let world = daily().await;
    assert!(matches!(world.run().await, Asked::Early { due } if due == 9 * HOUR));
    world.pass(9 * HOUR);
    let head = world.head().await;
    world.fixture.fails.store(true, Ordering::Release);
    assert!(world.due.ask(&meta(), vec![super::DueTimer { stream: STREAM, name: TimerName::Run }]).await.is_err());
    world.fixture.fails.store(false, Ordering::Release);
    assert_eq!(world.head().await, head, "a failure leaves neither");
    let answers = world.ask(&[(STREAM, TimerName::Run), (STREAM, TimerName::Run)]).await;
    // Each of the two was told once: the timer stands twice in the list and is asked for once.
    let done = answers.iter().filter(|answer| matches!(answer, Asked::Done { .. })).count();
    assert_eq!(done, 1, "{answers:?}");
    let events = world.occurrence(9 * HOUR).await;
    let NotificationEvent::Requested(requested) = &events[0] else { panic!("{events:?}") };
    assert_eq!(requested.origin, Some(Origin::Schedule { schedule: ID, occurrence: 9 * HOUR }));
    assert_eq!(requested.personal.known().unwrap().body, "Good morning");
    assert_eq!(events.last().unwrap().name(), "Queued");
    assert!(matches!(world.schedule().await.last(), Some(ScheduleEvent::OccurrenceFired(e)) if e.next == Some(DAY + 9 * HOUR)));
    assert!(matches!(world.run().await, Asked::Early { due } if due == DAY + 9 * HOUR));
}

#[tokio::test]
async fn what_was_missed_is_recorded_and_the_last_is_caught_up_with() {
    let world = daily().await;
    world.pass(2 * DAY + 9 * HOUR + HOUR / 2);
    assert!(matches!(world.run().await, Asked::Done { .. }));
    assert!(!world.occurrence(2 * DAY + 9 * HOUR).await.is_empty());
    assert!(world.occurrence(DAY + 9 * HOUR).await.is_empty());
    assert!(world.schedule().await.iter().any(|event| matches!(event, ScheduleEvent::OccurrencesMissed(e) if e.count == 2)));
    // Too late for the last as well.
    world.pass(DAY + 2 * HOUR);
    assert!(matches!(world.run().await, Asked::Done { .. }));
    assert!(world.occurrence(3 * DAY + 9 * HOUR).await.is_empty());
}

#[tokio::test]
async fn an_occurrence_obeys_limits_like_any_request() {
    let world = daily().await;
    world.fixture.category(|category| category.limits = vec![Limit { most: 1, per: LimitWindow::Sliding(30 * HOUR) }]).await;
    world.pass(9 * HOUR);
    world.run().await;
    world.pass(DAY);
    assert!(matches!(world.run().await, Asked::Done { .. }));
    let events = world.occurrence(DAY + 9 * HOUR).await;
    assert!(matches!(events.last(), Some(NotificationEvent::Deferred(e)) if e.rule == Rule::OverLimit), "{events:?}");
}

#[tokio::test]
async fn the_schedule_of_who_was_erased_ends() {
    let world = daily().await;
    let id = world.fixture.hashing.recipient("alice");
    world.fixture.bus.execute::<Recipient>(recipient_stream(id), &meta(), RecipientCommand::Erase { id }).await.unwrap();
    world.pass(9 * HOUR);
    assert!(matches!(world.run().await, Asked::Done { .. }));
    assert!(matches!(world.schedule().await.last(), Some(ScheduleEvent::ScheduleEnded(e)) if e.reason == EndReason::Cancelled));
    assert!(world.occurrence(9 * HOUR).await.is_empty());
    let ended = world.fixture.bus.load::<Schedule>(STREAM).await.unwrap();
    assert_eq!(ended.state.standing, Standing::Ended);
    assert!(matches!(world.run().await, Asked::Nothing));
}
