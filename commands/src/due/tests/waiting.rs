//! What waited for a time, a place or a step.

use super::{DAY, HOUR, World, world};
use crate::accept::tests::{meta, request};
use crate::accept::{SendRequest, frequency_stream, recipient_stream, stream_of, subscription_stream};
use crate::due::{Asked, Due, DueTimer};
use domain::calendar::{LocalTime, Period, Weekday, WeeklyWindow, WeeklyWindows};
use domain::digest::Digest;
use domain::notification::{NotificationCommand, NotificationEvent};
use domain::policy::timers::TimerName;
use domain::recipient::{Recipient, RecipientCommand};
use domain::subscription::{ChangedBy, Scope, Source, Subscription, SubscriptionCommand};
use domain::values::{Channel, ChannelPlan, DigestSettings, DigestWindow, Limit, LimitWindow, NextStep, NextWhen, NotificationId, PlanStep, Rule};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl World {
    async fn quiet(&self, quiet_hours: Option<WeeklyWindows>) {
        let stream = subscription_stream(self.fixture.hashing.recipient("alice"));
        let command = SubscriptionCommand::SetQuietHours { quiet_hours, allowed: None, by: ChangedBy::Recipient, source: Source::Api };
        self.fixture.bus.execute::<Subscription>(stream, &meta(), command).await.unwrap();
    }

    async fn waits(&self) -> NotificationId {
        let later = SendRequest { not_before: Some(5 * HOUR), expires_at: Some(9 * HOUR), ..request(None, "x") };
        self.fixture.send(later).await.unwrap().id
    }
}

#[tokio::test]
async fn what_waited_goes_out_when_it_is_time_and_once() {
    let world = world().await;
    let id = world.waits().await;
    let head = world.head().await;
    assert!(matches!(world.release(id).await, Asked::Early { due } if due == 5 * HOUR));
    assert_eq!(world.head().await, head);
    world.pass(5 * HOUR);
    world.fixture.fails.store(true, Ordering::Release);
    let timers = || vec![DueTimer { stream: stream_of(id), name: TimerName::Release }];
    assert!(world.due.ask(&meta(), timers()).await.is_err());
    world.fixture.fails.store(false, Ordering::Release);
    assert_eq!(world.head().await, head, "a failure leaves nothing");
    // Twice in one list, and by another who knows nothing of the first.
    let stranger = Due::new(
        world.fixture.bus.clone(),
        Arc::new(crate::accept::Facts::new(crate::accept::FactsSettings::default())),
        world.fixture.hashing.clone(),
        world.fixture.clock.clone(),
        crate::accept::AcceptorSettings::default(),
    );
    let (meta, twice) = (meta(), vec![timers()[0], timers()[0]]);
    let (ours, theirs) = tokio::join!(world.due.ask(&meta, twice), stranger.ask(&meta, timers()));
    let answers = [ours.unwrap(), theirs.unwrap()].concat();
    let done = answers.iter().filter(|answer| matches!(answer, Asked::Done { .. })).count();
    let nothing = answers.iter().filter(|answer| matches!(answer, Asked::Nothing)).count();
    assert_eq!((done, nothing), (1, 2), "{answers:?}");
    assert_eq!(world.names(id).await, ["Requested", "Deferred", "Released", "Queued", "Sent", "Queued"]);
}

#[tokio::test]
async fn a_notification_is_decided_on_without_opening_its_content() {
    let world = world().await;
    let id = world.waits().await;
    world.fixture.poison_sealed(stream_of(id));
    world.pass(5 * HOUR);
    assert!(matches!(world.release(id).await, Asked::Done { .. }));
    let closed = world.fixture.bus.log().read_stream(stream_of(id), 0, false).await.unwrap();
    assert_eq!(closed.last().unwrap().fact.name(), "Queued");
}

#[tokio::test]
async fn an_opt_out_an_expiry_and_an_erasure_hold_for_what_waited() {
    let world = world().await;
    let (late, unwanted) = (world.waits().await, world.waits().await);
    world.fixture.opt_out(Scope::All).await;
    world.pass(6 * HOUR);
    assert!(matches!(world.release(unwanted).await, Asked::Done { .. }));
    assert!(matches!(world.fixture.events(unwanted.0).await.last(), Some(NotificationEvent::Suppressed(e)) if e.rule == Rule::OptedOutOfAll));
    world.pass(6 * HOUR);
    assert!(matches!(world.release(late).await, Asked::Done { .. }));
    assert_eq!(world.names(late).await, ["Requested", "Deferred", "Released", "Expired"]);

    let world = super::world().await;
    let orphan = world.waits().await;
    let id = world.fixture.hashing.recipient("alice");
    world.fixture.bus.execute::<Recipient>(recipient_stream(id), &meta(), RecipientCommand::Erase { id }).await.unwrap();
    world.pass(6 * HOUR);
    assert!(matches!(world.release(orphan).await, Asked::Done { .. }));
    assert!(matches!(world.fixture.events(orphan.0).await.last(), Some(NotificationEvent::Suppressed(e)) if e.rule == Rule::RecipientErased));
}

#[tokio::test]
async fn what_waited_for_the_morning_takes_its_place_in_the_morning() {
    let world = world().await;
    let two = Limit { most: 2, per: LimitWindow::Calendar(Period::Day) };
    world.fixture.category(|category| category.limits = vec![two]).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(world.waits().await);
    }
    let places = frequency_stream(world.fixture.hashing.recipient("alice"), false);
    assert!(world.fixture.bus.log().read_stream(places, 0, false).await.unwrap().is_empty(), "who waits for a time takes no place yet");
    world.pass(6 * HOUR);
    let timers: Vec<_> = ids.iter().map(|id| (stream_of(*id), TimerName::Release)).collect();
    let answers = world.ask(&timers).await;
    assert!(answers.iter().all(|answer| matches!(answer, Asked::Done { .. })), "{answers:?}");
    let (mut out, mut over) = (0, 0);
    for id in &ids {
        match world.fixture.events(id.0).await.last() {
            Some(NotificationEvent::Queued(_)) => out += 1,
            // It would wait beyond its end, and so takes none of tomorrow's places.
            Some(NotificationEvent::Deferred(e)) if e.rule == Rule::OverLimit && e.until == 9 * HOUR => over += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((out, over), (2, 3));
    assert_eq!(world.fixture.bus.log().read_stream(places, 0, false).await.unwrap().len(), 2);
}

#[tokio::test]
async fn who_holds_a_place_goes_out_in_it_and_takes_no_other() {
    let world = world().await;
    let one = Limit { most: 1, per: LimitWindow::Calendar(Period::Day) };
    world.fixture.category(|category| category.limits = vec![one]).await;
    world.fixture.send(request(None, "first")).await.unwrap();
    let held = world.fixture.send(request(None, "second")).await.unwrap().id;
    world.pass(DAY);
    assert!(matches!(world.release(held).await, Asked::Done { .. }));
    assert_eq!(world.names(held).await.last(), Some(&"Queued"));
    let places = frequency_stream(world.fixture.hashing.recipient("alice"), false);
    assert_eq!(world.fixture.bus.log().read_stream(places, 0, false).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_waited_may_be_collected() {
    let world = world().await;
    let id = {
        world
            .fixture
            .category(|category| category.digest = Some(DigestSettings { window: DigestWindow::Fixed { millis: HOUR }, max_items: 3, template: None }))
            .await;
        world.waits().await
    };
    world.pass(6 * HOUR);
    assert!(matches!(world.release(id).await, Asked::Done { .. }));
    let Some(NotificationEvent::Digested(digested)) = world.fixture.events(id.0).await.pop() else { panic!("not digested") };
    let digest = world.fixture.bus.load::<Digest>(crate::accept::digest_stream(digested.digest)).await.unwrap();
    assert_eq!(digest.state.open.as_ref().unwrap().items, [id]);
}

#[tokio::test]
async fn a_step_is_taken_unless_it_was_seen_and_not_before_its_time() {
    let world = world().await;
    let step = |channel, next| PlanStep { channels: vec![channel], next };
    let next = Some(NextStep { after: HOUR, when: NextWhen::NotSeen });
    let plan = ChannelPlan { steps: vec![step(Channel::InApp, next), step(Channel::AndroidPush, None)] };
    let send = async || world.fixture.send(SendRequest { plan: Some(plan.clone()), ..request(None, "x") }).await.unwrap().id;
    let (unseen, seen) = (send().await, send().await);
    assert!(matches!(world.ask_one(stream_of(unseen), TimerName::Step).await, Asked::Early { .. }));
    world.fixture.bus.execute::<domain::notification::Notification>(stream_of(seen), &meta(), NotificationCommand::MarkSeen).await.unwrap();
    world.pass(HOUR);
    let answers = world.ask(&[(stream_of(unseen), TimerName::Step), (stream_of(seen), TimerName::Step)]).await;
    assert!(answers.iter().all(|answer| matches!(answer, Asked::Done { .. })), "{answers:?}");
    assert_eq!(world.names(unseen).await, ["Requested", "Queued", "Sent", "StepScheduled", "StepTaken", "Queued"]);
    assert!(matches!(world.fixture.events(seen.0).await.last(), Some(NotificationEvent::StepSkipped(e)) if e.rule == Rule::AlreadySeen));
    let again = world.ask(&[(stream_of(unseen), TimerName::Step), (stream_of(seen), TimerName::Step)]).await;
    assert!(again.iter().all(|answer| matches!(answer, Asked::Nothing)), "{again:?}");
}

#[tokio::test]
async fn quiet_hours_end_and_nobody_is_disturbed_before() {
    let world = world().await;
    let (from, to) = (LocalTime::new("00:00").unwrap(), LocalTime::new("07:00").unwrap());
    let quiet = WeeklyWindows::new(vec![WeeklyWindow { days: Weekday::ALL.into_iter().collect(), from, to }]).unwrap();
    world.quiet(Some(quiet)).await;
    let id = world.fixture.send(request(None, "x")).await.unwrap().id;
    assert!(matches!(world.fixture.events(id.0).await.last(), Some(NotificationEvent::Deferred(e)) if e.rule == Rule::QuietHours && e.until == 7 * HOUR));
    world.pass(7 * HOUR);
    assert!(matches!(world.release(id).await, Asked::Done { .. }));
    assert_eq!(world.names(id).await.last(), Some(&"Queued"));
}

#[tokio::test]
async fn a_timer_of_nothing_changes_nothing() {
    let world = world().await;
    let head = world.head().await;
    let nobody = stream_of(NotificationId::default());
    let digest = domain::StreamId::new(domain::AggregateKind::Digest, nobody.id);
    let schedule = domain::StreamId::new(domain::AggregateKind::Schedule, nobody.id);
    let timers = [(nobody, TimerName::Release), (nobody, TimerName::Step), (digest, TimerName::Close), (schedule, TimerName::Run), (nobody, TimerName::Run)];
    let answers = world.ask(&timers).await;
    assert!(answers.iter().all(|answer| matches!(answer, Asked::Nothing)), "{answers:?}");
    assert_eq!(world.head().await, head);
}

#[tokio::test]
async fn what_waited_is_decided_under_the_version_it_was_accepted_under() {
    let world = world().await;
    let id = world.waits().await;
    let before = world.fixture.events(id.0).await;
    // In-app only from now on.
    world.fixture.category(|category| category.default_channels = vec![Channel::InApp]).await;
    world.pass(5 * HOUR);
    assert!(matches!(world.release(id).await, Asked::Done { .. }));
    assert_eq!(world.names(id).await, ["Requested", "Deferred", "Released", "Queued", "Sent", "Queued"], "the push too");
    let NotificationEvent::Requested(requested) = &before[0] else { panic!("{before:?}") };
    let events = world.fixture.events(id.0).await;
    let Some(NotificationEvent::Queued(queued)) = events.last() else { panic!("{events:?}") };
    assert_eq!(queued.facts.category, u64::from(requested.category_version), "and says so");
}
