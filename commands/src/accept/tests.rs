#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::{Acceptor, AcceptorSettings, Facts, FactsSettings, Refusal, SendRequest, category_stream, recipient_stream, subscription_stream};
use crate::bus::Bus;
use crate::database::Readers;
use crate::log::sqlite::{SqliteReader, SqliteWriter};
use crate::log::{
    Batch, CommitOutcome, Committer, CommitterSettings, Hashing, KeyStore, LogError, LogReader, LogWriter, MasterKey, Metadata, Position, Sealer, Tail,
};
use crate::ports::{ManualClock, SeededRandom};
use crate::recipients::Registration;
use domain::category::{Category, DefineCategory};
use domain::notification::NotificationEvent;
use domain::recipient::{AddressDetails, Profile, ProfileDetails, Recipient, RecipientCommand};
use domain::subscription::{ChangedBy, Evidence, Scope, SetSubscription, Source, Subscription};
use domain::values::{CategoryKey, Channel, Content, Millis, Priority, Rule, SenderKey};
use domain::{AggregateKind, Fact, StreamId};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

mod deciding;

/// A log with a category `orders` and a recipient `alice` who has a phone.
pub(crate) struct Fixture {
    folder: tempfile::TempDir,
    pub(crate) bus: Bus,
    pub(crate) acceptor: Acceptor,
    pub(crate) facts: Arc<Facts>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) hashing: Hashing,
    /// Nothing can be written as long as this is set.
    pub(crate) fails: Arc<AtomicBool>,
}

/// A store that refuses when told to.
struct Failing {
    inner: SqliteWriter,
    fails: Arc<AtomicBool>,
}

impl LogWriter for Failing {
    fn append(&mut self, batch: Batch, at: Millis) -> Result<Vec<CommitOutcome>, LogError> {
        if self.fails.load(Ordering::Acquire) {
            return Err(LogError::Unavailable { reason: "the disk is full".to_owned() });
        }
        self.inner.append(batch, at)
    }

    fn probe(&mut self) -> Result<(), LogError> {
        self.inner.probe()
    }

    fn head(&self) -> Position {
        self.inner.head()
    }
}

pub(crate) async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let random = Arc::new(SeededRandom::new(7));
    let master = MasterKey::new([3; 32]);
    let keys = Arc::new(KeyStore::open(&folder.path().join("keys.db"), master.clone(), random.clone()).unwrap());
    let sealer = Sealer::new(keys, random.clone());
    let path = folder.path().join("log.db");
    let fails = Arc::new(AtomicBool::new(false));
    let writer = Failing { inner: SqliteWriter::open(path.clone(), sealer.clone()).unwrap(), fails: fails.clone() };
    let clock = Arc::new(ManualClock::at(1_000));
    let facts = Arc::new(Facts::new(FactsSettings::default()));
    let (committer, _thread) = Committer::start(writer, Arc::new(Tail::at(0)), vec![facts.clone()], clock.clone(), CommitterSettings::default()).unwrap();
    let log: Arc<dyn LogReader> = Arc::new(SqliteReader::new(Readers::new(path, 4), sealer));
    let bus = Bus::new(committer, log);
    let hashing = master.hashing();
    let acceptor = Acceptor::new(bus.clone(), facts.clone(), hashing.clone(), clock.clone(), random, AcceptorSettings::default());
    let fixture = Fixture { folder, bus, acceptor, facts, clock, hashing, fails };
    fixture.prepare().await;
    fixture
}

pub(crate) fn meta() -> Arc<Metadata> {
    Arc::new(Metadata::of("test"))
}

impl Fixture {
    /// Defines the category anew.
    pub(crate) async fn category(&self, change: impl FnOnce(&mut DefineCategory)) {
        let key = CategoryKey::new("orders").unwrap();
        let channels = vec![Channel::AndroidPush, Channel::InApp];
        let mut define = DefineCategory::plain(key.clone(), "Orders".to_owned(), String::new(), false, channels, Priority::High);
        change(&mut define);
        self.bus.execute::<Category>(category_stream(&key), &meta(), define).await.unwrap();
    }

    /// Makes the first event of a stream unreadable.
    pub(crate) fn poison(&self, stream: StreamId) {
        let log = rusqlite::Connection::open(self.folder.path().join("log.db")).unwrap();
        let spoil = "UPDATE events SET payload = '{' WHERE sequence = 1 AND stream = (SELECT number FROM streams WHERE kind = ?1 AND id = ?2)";
        assert_eq!(log.execute(spoil, rusqlite::params![stream.kind.number(), stream.id.as_bytes().as_slice()]).unwrap(), 1);
    }

    /// Makes the personal part of the first event of a stream unreadable.
    pub(crate) fn poison_sealed(&self, stream: StreamId) {
        let log = rusqlite::Connection::open(self.folder.path().join("log.db")).unwrap();
        let spoil = "UPDATE events SET sealed = x'00' WHERE sequence = 1 AND stream = (SELECT number FROM streams WHERE kind = ?1 AND id = ?2)";
        assert_eq!(log.execute(spoil, rusqlite::params![stream.kind.number(), stream.id.as_bytes().as_slice()]).unwrap(), 1);
    }

    async fn prepare(&self) {
        self.category(|_| ()).await;
        let id = self.hashing.recipient("alice");
        let profile = Profile { details: ProfileDetails { external_id: "alice".to_owned(), attributes: None }, ..Profile::default() };
        self.bus.execute::<Recipient>(recipient_stream(id), &meta(), RecipientCommand::ChangeProfile { id, profile }).await.unwrap();
        let details = AddressDetails { value: "token".to_owned(), secret: None };
        let address = self.hashing.address(Channel::AndroidPush, "token");
        let registration = Registration { recipient: id, channel: Channel::AndroidPush, address, details, now: 5, rehearsal: false };
        crate::recipients::register_device(&self.bus, &meta(), registration).await.unwrap();
    }

    pub(crate) async fn send(&self, request: SendRequest) -> Result<super::Accepted, Refusal> {
        self.acceptor.accept(&meta(), vec![request]).await.unwrap().pop().unwrap()
    }

    pub(crate) async fn events(&self, id: uuid::Uuid) -> Vec<NotificationEvent> {
        let events = self.bus.log().read_stream(StreamId::new(AggregateKind::Notification, id), 0, true).await.unwrap();
        events
            .iter()
            .map(|event| match &event.fact {
                Fact::Notification(event) => event.clone(),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    pub(crate) async fn opt_out(&self, scope: Scope) {
        let recipient = self.hashing.recipient("alice");
        let (by, source, evidence) = (ChangedBy::Recipient, Source::Api, Evidence::default());
        let command = SetSubscription { recipient, scope, subscribed: false, by, source, evidence, required: false };
        self.bus.execute::<Subscription>(subscription_stream(recipient), &meta(), command.into()).await.unwrap();
    }
}

pub(crate) fn request(key: Option<&str>, body: &str) -> SendRequest {
    SendRequest {
        sender: SenderKey::new("shop").unwrap(),
        sandbox: false,
        recipient: "alice".to_owned(),
        category: CategoryKey::new("orders").unwrap(),
        channels: None,
        priority: None,
        idempotency_key: key.map(str::to_owned),
        content: Content { body: body.to_owned(), ..Content::default() },
        expires_at: None,
        not_before: None,
        local_time: None,
        topic: None,
        digest_key: None,
        plan: None,
    }
}

#[tokio::test]
async fn what_is_accepted_is_decided_in_the_same_commit() {
    let fixture = fixture().await;
    let accepted = fixture.send(request(Some("k"), "Paid")).await.unwrap();
    let events = fixture.events(accepted.id.0).await;
    let names: Vec<_> = events.iter().map(domain::event::EventBody::name).collect();
    assert_eq!(names, ["Requested", "Queued", "Sent", "Queued"]);
    let NotificationEvent::Requested(requested) = &events[0] else { panic!("{events:?}") };
    assert_eq!(requested.priority, Priority::High, "the category's");
    let NotificationEvent::Queued(queued) = &events[3] else { panic!("{events:?}") };
    assert_eq!((queued.channel, queued.facts.recipient, queued.facts.subscription), (Channel::AndroidPush, 2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_equal_requests_at_once_are_one_notification() {
    let fixture = Arc::new(fixture().await);
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let fixture = fixture.clone();
            tokio::spawn(async move { fixture.send(request(Some("k"), "Paid")).await.unwrap() })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    assert!(answers.iter().all(|answer| (answer.id, answer.position) == (answers[0].id, answers[0].position)));
    assert_eq!(answers.iter().filter(|answer| !answer.duplicate).count(), 1);
    // Of those that come at once some are answered without being recorded; later ones fill up.
    for _ in 0..20 {
        fixture.send(request(Some("k"), "Paid")).await.unwrap();
    }
    let repeats = fixture.events(answers[0].id.0).await.iter().filter(|event| matches!(event, NotificationEvent::Deduplicated(_))).count();
    assert_eq!(repeats, 10, "repeats are recorded a bounded number of times");
}

#[tokio::test]
async fn the_same_key_with_other_content_is_refused_and_changes_nothing() {
    let fixture = fixture().await;
    let accepted = fixture.send(request(Some("k"), "Paid")).await.unwrap();
    let before = fixture.bus.log().head().await.unwrap();
    assert_eq!(fixture.send(request(Some("k"), "Unpaid")).await, Err(Refusal::IdempotencyConflict));
    assert_eq!(fixture.bus.log().head().await.unwrap(), before);
    let other_sender = SendRequest { sender: SenderKey::new("bank").unwrap(), ..request(Some("k"), "Unpaid") };
    assert_ne!(fixture.send(other_sender).await.unwrap().id, accepted.id, "keys are the sender's own");
    let sandbox = SendRequest { sandbox: true, ..request(Some("k"), "Unpaid") };
    assert_ne!(fixture.send(sandbox).await.unwrap().id, accepted.id, "and the sandbox's own");
}

#[tokio::test]
async fn an_opt_out_holds_for_the_very_next_request() {
    let fixture = fixture().await;
    fixture.send(request(Some("warm"), "fills the caches")).await.unwrap();
    fixture.opt_out(Scope::Channel(Channel::AndroidPush)).await;
    let accepted = fixture.send(request(Some("k"), "Paid")).await.unwrap();
    let events = fixture.events(accepted.id.0).await;
    assert!(events.iter().any(|event| matches!(event, NotificationEvent::Suppressed(e) if e.channel == Some(Channel::AndroidPush) && e.rule == Rule::OptedOutOfChannel && e.facts.subscription == 1)));
    assert!(!events.iter().any(|event| matches!(event, NotificationEvent::Queued(e) if e.channel == Channel::AndroidPush)));
}

#[tokio::test]
async fn each_item_of_a_list_is_answered_on_its_own() {
    let fixture = fixture().await;
    let unknown = SendRequest { recipient: "bob".to_owned(), ..request(Some("b"), "x") };
    let no_category = SendRequest { category: CategoryKey::new("nothing").unwrap(), ..request(Some("c"), "x") };
    let empty = request(Some("d"), " ");
    let expired = SendRequest { expires_at: Some(1), ..request(None, "x") };
    let answers = fixture.acceptor.accept(&meta(), vec![request(Some("a"), "x"), unknown, no_category, empty, expired, request(Some("a"), "x")]).await.unwrap();
    assert!(answers[0].as_ref().is_ok_and(|accepted| !accepted.duplicate));
    assert_eq!(answers[1], Err(Refusal::UnknownRecipient));
    assert_eq!(answers[2], Err(Refusal::UnknownCategory));
    assert!(matches!(answers[3], Err(Refusal::Content(_))));
    assert_eq!(answers[4], Err(Refusal::Expired));
    assert!(answers[5].as_ref().is_ok_and(|accepted| accepted.duplicate), "the same key twice in one list");
}

#[tokio::test]
async fn an_erased_recipient_gets_nothing() {
    let fixture = fixture().await;
    let id = fixture.hashing.recipient("alice");
    fixture.bus.execute::<Recipient>(recipient_stream(id), &meta(), RecipientCommand::Erase { id }).await.unwrap();
    assert_eq!(fixture.send(request(Some("k"), "Paid")).await, Err(Refusal::ErasedRecipient));
}

#[test]
fn a_request_that_is_traced_tells_nothing_personal() {
    let printed = format!("{:?}", request(Some("alice@example.com"), "your test was positive"));
    assert!(printed.contains("shop") && !printed.contains("alice") && !printed.contains("positive"), "{printed}");
}
