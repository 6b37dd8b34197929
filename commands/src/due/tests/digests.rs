//! Digests that close.

use super::{HOUR, World, world};
use crate::accept::tests::{meta, request};
use crate::accept::{SendRequest, digest_stream, frequency_stream, recipient_stream, stream_of};
use crate::due::Asked;
use domain::StreamId;
use domain::calendar::Period;
use domain::digest::{Digest, DigestEvent};
use domain::event::Personal;
use domain::notification::{NotificationEvent, Requested};
use domain::policy::timers::TimerName;
use domain::recipient::{Profile, ProfileDetails, Recipient, RecipientCommand};
use domain::subscription::Scope;
use domain::values::{Content, DigestId, DigestSettings, DigestWindow, Limit, LimitWindow, NotificationId, Origin, Rule, TopicKey};
use domain::{Fact, aggregate::Aggregate as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl World {
    async fn collects(&self, max_items: u16) {
        self.fixture
            .category(|category| category.digest = Some(DigestSettings { window: DigestWindow::Fixed { millis: HOUR }, max_items, template: None }))
            .await;
    }

    fn digest(&self) -> DigestId {
        let request = request(None, "");
        self.fixture.hashing.digest(self.fixture.hashing.recipient("alice"), &request.category, &request.sender, false, None)
    }

    pub(super) fn stream(&self) -> StreamId {
        digest_stream(self.digest())
    }

    pub(super) async fn item(&self, title: Option<&str>, body: &str) -> NotificationId {
        let content = Content { title: title.map(str::to_owned), body: body.to_owned(), ..Content::default() };
        self.fixture.send(SendRequest { content, ..request(None, "") }).await.unwrap().id
    }

    pub(super) async fn close(&self) -> Asked {
        self.ask_one(self.stream(), TimerName::Close).await
    }

    pub(super) async fn summary(&self, window: u32) -> (Requested, Vec<NotificationEvent>) {
        let mut events = self.fixture.events(self.fixture.hashing.summary(self.digest(), window).0).await;
        let NotificationEvent::Requested(requested) = events.remove(0) else { panic!("{events:?}") };
        (requested, events)
    }
}

fn words(requested: &Requested) -> (String, String) {
    let content = requested.personal.known().unwrap();
    (content.title.clone().unwrap(), content.body.clone())
}

#[tokio::test]
async fn a_window_is_closed_with_its_summary_and_once() {
    let world = world().await;
    world.collects(2).await;
    world.item(Some("Paid"), "You paid").await;
    world.item(None, "Shipped").await;
    world.item(None, "Arrived").await;
    assert!(matches!(world.close().await, Asked::Early { due } if due == 1_000 + HOUR));
    world.pass(HOUR);
    let head = world.head().await;
    world.fixture.fails.store(true, Ordering::Release);
    assert!(world.due.ask(&meta(), vec![super::DueTimer { stream: world.stream(), name: TimerName::Close }]).await.is_err());
    world.fixture.fails.store(false, Ordering::Release);
    assert_eq!(world.head().await, head, "a failure leaves neither");
    let answers = world.ask(&[(world.stream(), TimerName::Close), (world.stream(), TimerName::Close)]).await;
    assert!(matches!(answers.as_slice(), [Asked::Done { .. }, Asked::Nothing]), "{answers:?}");
    let (requested, decided) = world.summary(1).await;
    assert_eq!(words(&requested), ("Orders: 3 notifications".to_owned(), "Paid\nShipped\nand 1 more".to_owned()));
    assert_eq!((requested.origin, requested.digest), (Some(Origin::Digest { digest: world.digest(), window: 1 }), None));
    assert!(matches!(decided.last(), Some(NotificationEvent::Queued(_))), "{decided:?}");
    let digest = world.fixture.bus.load::<Digest>(world.stream()).await.unwrap();
    assert_eq!((digest.state.window, digest.state.open.is_none()), (1, true));
    // What comes later opens the next window, whose summary is another.
    world.item(None, "Returned").await;
    world.pass(HOUR);
    assert!(matches!(world.close().await, Asked::Done { .. }));
    assert_eq!(words(&world.summary(2).await.0).1, "Returned");
}

#[tokio::test]
async fn the_summary_is_in_the_recipients_language_and_obeys_their_switches() {
    let world = world().await;
    world.collects(5).await;
    let id = world.fixture.hashing.recipient("alice");
    let details = ProfileDetails { external_id: "alice".to_owned(), attributes: None };
    let profile = Profile { locale: Some("ko".to_owned()), details, ..Profile::default() };
    world.fixture.bus.execute::<Recipient>(recipient_stream(id), &meta(), RecipientCommand::ChangeProfile { id, profile }).await.unwrap();
    world.item(None, "결제됨").await;
    world.fixture.opt_out(Scope::All).await;
    world.pass(HOUR);
    assert!(matches!(world.close().await, Asked::Done { .. }));
    let (requested, decided) = world.summary(1).await;
    assert_eq!(words(&requested), ("Orders: 알림 1건".to_owned(), "결제됨".to_owned()));
    assert!(matches!(decided.last(), Some(NotificationEvent::Suppressed(e)) if e.rule == Rule::OptedOutOfAll));
}

#[tokio::test]
async fn what_cannot_be_read_is_counted_and_stops_nobody() {
    let world = world().await;
    world.collects(5).await;
    let spoilt = world.item(None, "Spoilt").await;
    world.item(None, "Fine").await;
    let expired = SendRequest { expires_at: Some(HOUR), ..request(None, "Old") };
    world.fixture.send(expired).await.unwrap();
    world.fixture.poison(stream_of(spoilt));
    world.pass(HOUR);
    let waits = (stream_of(spoilt), TimerName::Release);
    let answers = world.ask(&[waits, (world.stream(), TimerName::Close)]).await;
    assert!(matches!(answers.as_slice(), [Asked::Unreadable { .. }, Asked::Done { .. }]), "{answers:?}");
    assert_eq!(words(&world.summary(1).await.0).1, "Fine\nand 2 more");
}

#[tokio::test]
async fn the_digest_of_who_was_erased_is_closed_and_tells_nothing() {
    let world = world().await;
    world.collects(5).await;
    world.item(None, "Secret").await;
    let id = world.fixture.hashing.recipient("alice");
    world.fixture.bus.execute::<Recipient>(recipient_stream(id), &meta(), RecipientCommand::Erase { id }).await.unwrap();
    world.pass(HOUR);
    assert!(matches!(world.close().await, Asked::Done { .. }));
    let (requested, decided) = world.summary(1).await;
    assert_eq!(requested.personal, Personal::Erased);
    assert!(matches!(decided.last(), Some(NotificationEvent::Suppressed(e)) if e.rule == Rule::RecipientErased));
}

#[tokio::test]
async fn an_empty_window_is_closed_without_a_summary() {
    let world = world().await;
    world.collects(5).await;
    let id = world.item(None, "Never mind").await;
    crate::cancel::cancel(&world.fixture.bus, &world.fixture.facts, &meta(), id).await.unwrap();
    world.pass(HOUR);
    assert!(matches!(world.close().await, Asked::Done { .. }));
    assert!(world.fixture.events(world.fixture.hashing.summary(world.digest(), 1).0).await.is_empty());
    assert!(matches!(world.close().await, Asked::Nothing));
}

#[tokio::test]
async fn a_summary_does_not_tell_of_topics_that_were_switched_off() {
    let world = world().await;
    world.collects(2).await;
    let topic = |name: &str| TopicKey::new(name).unwrap();
    let about = async |name: &str| world.fixture.send(SendRequest { topic: Some(topic(name)), ..request(None, name) }).await.unwrap().id;
    about("busan").await;
    let wanted = about("seoul").await;
    world.fixture.opt_out(Scope::Topic(topic("busan"))).await;
    world.pass(HOUR);
    assert!(matches!(world.close().await, Asked::Done { .. }));
    assert_eq!(words(&world.summary(1).await.0), ("Orders: 1 notification".to_owned(), "seoul".to_owned()));
    let events = world.fixture.bus.log().read_stream(world.stream(), 0, false).await.unwrap();
    assert!(matches!(&events.last().unwrap().fact, Fact::Digest(DigestEvent::DigestClosed(closed)) if closed.items == [wanted]));
    // Where nothing else is left, nothing is sent.
    about("seoul").await;
    world.fixture.opt_out(Scope::Topic(topic("seoul"))).await;
    world.pass(HOUR);
    assert!(matches!(world.close().await, Asked::Done { .. }));
    assert!(world.fixture.events(world.fixture.hashing.summary(world.digest(), 2).0).await.is_empty());
    assert!(world.fixture.bus.load::<Digest>(world.stream()).await.unwrap().state.open.is_none());
}

#[tokio::test]
async fn a_summary_counts_as_one() {
    let world = world().await;
    world
        .fixture
        .category(|category| {
            category.limits = vec![Limit { most: 1, per: LimitWindow::Calendar(Period::Day) }];
            category.digest = Some(DigestSettings { window: DigestWindow::Fixed { millis: HOUR }, max_items: 5, template: None });
        })
        .await;
    for window in 1..=2 {
        for _ in 0..3 {
            world.item(None, "x").await;
        }
        world.pass(HOUR);
        assert!(matches!(world.close().await, Asked::Done { .. }), "{window}");
    }
    let places = frequency_stream(world.fixture.hashing.recipient("alice"), false);
    assert_eq!(world.fixture.bus.log().read_stream(places, 0, false).await.unwrap().len(), 2);
    assert!(matches!(world.summary(1).await.1.last(), Some(NotificationEvent::Queued(_))));
    assert!(
        matches!(world.summary(2).await.1.last(), Some(NotificationEvent::Deferred(e)) if e.rule == Rule::OverLimit),
        "it waits, and is collected in no other"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_item_vanishes_between_windows_while_they_close() {
    let world = world().await;
    world.collects(1_000).await;
    let sending: Vec<_> = (0..8)
        .map(|task| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let mut sent = Vec::new();
                for n in 0..15 {
                    sent.push(world.item(None, &format!("item {task} {n}")).await);
                    world.pass(HOUR / 4);
                }
                sent
            })
        })
        .collect();
    let closing = {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            for _ in 0..60 {
                let answers = world.ask(&[(world.stream(), TimerName::Close)]).await;
                assert!(!matches!(answers[0], Asked::Unreadable { .. } | Asked::Contended), "{answers:?}");
                tokio::task::yield_now().await;
            }
        })
    };
    let mut sent = Vec::new();
    for task in sending {
        sent.extend(task.await.unwrap());
    }
    closing.await.unwrap();
    world.pass(HOUR);
    world.close().await;
    let events = world.fixture.bus.log().read_stream(world.stream(), 0, false).await.unwrap();
    let (mut state, mut told) = (Digest::default(), Vec::new());
    for event in &events {
        let Fact::Digest(event) = &event.fact else { panic!("{event:?}") };
        if let DigestEvent::DigestClosed(closed) = event {
            assert_eq!(closed.items, state.open.as_ref().unwrap().items);
            assert_eq!(closed.summary, Some(world.fixture.hashing.summary(world.digest(), closed.window)));
            told.extend(closed.items.clone());
        }
        state.evolve(event);
    }
    told.sort_unstable();
    sent.sort_unstable();
    assert_eq!(told, sent, "each in one summary");
}
