//! The real thing: the acceptor, what is asked when something comes due, and the table of timers, over a store,
//! with a clock that the steps move. Each case has people, categories and a clock of its own on a store that
//! all cases share, since making a store takes longer than a case.

mod reading;

use super::steps::{ADDRESSES, Case, Hours, Request, START, Step, Switch, Terms, counted_back};
use super::told::{News, Subject};
use crate::stores::{Replica, Store, hashing};
use commands::accept::{Acceptor, AcceptorSettings, Facts, FactsSettings, SendRequest, category_stream, digest_stream, recipient_stream, subscription_stream};
use commands::addresses::{reinstate, suppress};
use commands::bus::{Bus, Refused};
use commands::cancel::cancel;
use commands::due::{Asked, Due, DueTimer};
use commands::log::{Hashing, Metadata, Position};
use commands::ports::{Clock as _, ManualClock, SeededRandom};
use commands::recipients::{Registration, register_device};
use domain::address::SuppressionReason;
use domain::calendar::{LocalTime, Weekday, WeeklyWindow, WeeklyWindows};
use domain::category::{Category, DefineCategory};
use domain::recipient::{AddressDetails, Profile, ProfileDetails, Recipient, RecipientCommand};
use domain::subscription::{ChangedBy, Evidence, Scope, SetSubscription, Source, Subscription, SubscriptionCommand, SubscriptionRefusal};
use domain::values::*;
use domain::{AggregateKind, Fact, StreamId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A store with what is built on it once.
pub struct Stage {
    replica: Replica,
    facts: Arc<Facts>,
    bus: Bus,
}

impl Stage {
    pub async fn on<S: Store>(store: &S) -> Self {
        let facts = Arc::new(Facts::new(FactsSettings::default()));
        let replica = store.open_with(vec![facts.clone()]).await;
        let bus = Bus::new(replica.committer.clone(), replica.reader.clone());
        Self { replica, facts, bus }
    }
}

fn meta() -> Arc<Metadata> {
    Arc::new(Metadata::of("test"))
}

fn sender() -> SenderKey {
    SenderKey::new("shop").unwrap()
}

fn topic() -> TopicKey {
    TopicKey::new("team-seoul").unwrap()
}

pub struct World<'a> {
    stage: &'a Stage,
    hashing: Hashing,
    /// Tells one case from all others.
    case: u64,
    clock: Arc<ManualClock>,
    acceptor: Acceptor,
    due: Due,
    asked: Vec<Request>,
    requests: Vec<SendRequest>,
    subjects: HashMap<StreamId, Subject>,
    read: Position,
    news: News,
    /// Every event of the case, with its stream, in the order of the log.
    pub facts: Vec<(StreamId, Fact)>,
}

impl<'a> World<'a> {
    pub async fn new(stage: &'a Stage, number: u64, case: &Case) -> Self {
        let (clock, hashing) = (Arc::new(ManualClock::at(START)), hashing());
        let settings = AcceptorSettings { overall: case.overall.clone() };
        let (bus, facts) = (stage.bus.clone(), stage.facts.clone());
        // No request is without a key, so that its id is the same on every store.
        let random = Arc::new(SeededRandom::new(number));
        let acceptor = Acceptor::new(bus.clone(), facts.clone(), hashing.clone(), clock.clone(), random, settings.clone());
        let due = Due::new(bus, facts, hashing.clone(), clock.clone(), settings);
        let read = stage.replica.reader.head().await.unwrap();
        let (asked, requests, subjects, news, facts) = (Vec::new(), Vec::new(), HashMap::new(), News::new(), Vec::new());
        let mut world = Self { stage, hashing, case: number, clock, acceptor, due, asked, requests, subjects, read, news, facts };
        for who in 0..ADDRESSES.len() {
            world.person(who).await;
        }
        for (category, terms) in case.categories.iter().enumerate() {
            world.define(category, terms).await;
        }
        world
    }

    fn recipient(&self, who: usize) -> RecipientId {
        self.hashing.recipient(&self.name(who))
    }

    fn name(&self, who: usize) -> String {
        format!("person-{}-{who}", self.case)
    }

    fn category(&self, category: usize) -> CategoryKey {
        CategoryKey::new(&format!("case-{}-{category}", self.case)).unwrap()
    }

    fn token(&self, who: usize, address: usize) -> String {
        format!("token-{}-{who}-{address}@example.com", self.case)
    }

    fn address(&self, who: usize, address: usize) -> AddressId {
        self.hashing.address(ADDRESSES[who][address], &self.token(who, address))
    }

    async fn person(&mut self, who: usize) {
        let id = self.recipient(who);
        self.zone(who, false).await;
        for (address, channel) in ADDRESSES[who].iter().copied().enumerate() {
            let (value, details) = (self.address(who, address), AddressDetails { value: self.token(who, address), secret: None });
            if channel.is_device() {
                let registration = Registration { recipient: id, channel, address: value, details, now: START, rehearsal: false };
                register_device(&self.stage.bus, &meta(), registration).await.unwrap();
            } else {
                let change = RecipientCommand::ChangeAddress { channel, address: value, details, now: START };
                self.stage.bus.execute::<Recipient>(recipient_stream(id), &meta(), change).await.unwrap();
            }
        }
        for category in 0..2 {
            let digest = self.hashing.digest(id, &self.category(category), &sender(), false, None);
            self.subjects.insert(digest_stream(digest), Subject::Digest(who, category));
        }
    }

    async fn zone(&self, who: usize, seoul: bool) {
        let id = self.recipient(who);
        let details = ProfileDetails { external_id: self.name(who), attributes: None };
        let time_zone = Some(if seoul { "Asia/Seoul" } else { "UTC" }.to_owned());
        let change = RecipientCommand::ChangeProfile { id, profile: Profile { time_zone, details, ..Profile::default() } };
        self.stage.bus.execute::<Recipient>(recipient_stream(id), &meta(), change).await.unwrap();
    }

    async fn define(&self, category: usize, terms: &Terms) {
        let key = self.category(category);
        let define = DefineCategory {
            subscribed_by_default: terms.by_default,
            dedup_window: terms.dedup,
            limits: terms.limits.clone(),
            over_limit: terms.over,
            quiet_hours: terms.quiet,
            digest: terms.digest.map(|(millis, max_items)| DigestSettings { window: DigestWindow::Fixed { millis }, max_items, template: None }),
            time_to_live: terms.life,
            ..DefineCategory::plain(key.clone(), "News".to_owned(), String::new(), terms.required, terms.channels.clone(), terms.priority)
        };
        self.stage.bus.execute::<Category>(category_stream(&key), &meta(), define).await.unwrap();
    }

    /// Whether the subscription took it.
    async fn choose(&self, who: usize, command: SubscriptionCommand) -> bool {
        match self.stage.bus.execute::<Subscription>(subscription_stream(self.recipient(who)), &meta(), command).await {
            Ok(_) => true,
            Err(Refused::Refusal(SubscriptionRefusal::RequiredCategory | SubscriptionRefusal::NeverAllowed)) => false,
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn turn(&self, who: usize, switch: Switch, subscribed: bool) -> bool {
        let key = match switch {
            Switch::Category(category) | Switch::CategoryChannel(category, _) => Some(self.category(category)),
            _ => None,
        };
        let required = match &key {
            Some(key) => self.stage.bus.load::<Category>(category_stream(key)).await.unwrap().state.required,
            None => false,
        };
        let scope = match (switch, key) {
            (Switch::Category(_), Some(category)) => Scope::Category(category),
            (Switch::CategoryChannel(_, channel), Some(category)) => Scope::CategoryChannel { category, channel },
            (Switch::Channel(channel), _) => Scope::Channel(channel),
            (Switch::Address(address), _) => Scope::Device(self.address(who, address)),
            (Switch::Topic, _) => Scope::Topic(topic()),
            _ => Scope::All,
        };
        let (by, source, evidence) = (ChangedBy::Recipient, Source::Api, Evidence::default());
        self.choose(who, SetSubscription { recipient: self.recipient(who), scope, subscribed, by, source, evidence, required }.into()).await
    }

    /// Does a step; false where it is refused. `subjects` are all notifications so far.
    pub async fn step(&mut self, step: &Step, subjects: &[Subject]) -> bool {
        let (by, source, now) = (ChangedBy::Recipient, Source::Api, self.clock.now());
        match step {
            Step::Define(category, terms) => self.define(*category, terms).await,
            Step::Turn { who, switch, on } => return self.turn(*who, *switch, *on).await,
            Step::Hours { who, quiet, allowed } => {
                let (quiet_hours, allowed) = (quiet.as_ref().map(windows), allowed.as_ref().map(windows));
                return self.choose(*who, SubscriptionCommand::SetQuietHours { quiet_hours, allowed, by, source }).await;
            }
            Step::Silence { who, lasts } => {
                let until = lasts.map(|lasts| now + lasts);
                return self.choose(*who, SubscriptionCommand::SetDoNotDisturb { until, now, by, source }).await;
            }
            Step::Prefer { who, channels } => {
                let channels = channels.clone();
                return self.choose(*who, SubscriptionCommand::SetPreferredChannels { channels, by, source }).await;
            }
            Step::Move { who, seoul } => self.zone(*who, *seoul).await,
            Step::Send(requests) => self.send_new(requests, now).await,
            Step::Again(which) => {
                if let Some(which) = counted_back(*which, self.asked.len()) {
                    self.send_new(&[self.asked[which].clone()], now).await;
                }
            }
            Step::Repeat(which) => {
                if let Some(which) = counted_back(*which, self.requests.len()) {
                    self.send(which, vec![self.requests[which].clone()], true).await;
                }
            }
            Step::Cancel(which) => {
                if let Some(which) = counted_back(*which, subjects.len()) {
                    let stream = self.subjects.iter().find(|(_, subject)| **subject == subjects[which]).map(|(stream, _)| *stream).unwrap();
                    cancel(&self.stage.bus, &self.stage.facts, &meta(), NotificationId(stream.id)).await.unwrap();
                }
            }
            Step::Address { who, address, suppressed } => {
                let (bus, address) = (&self.stage.bus, self.address(*who, *address));
                if *suppressed {
                    suppress(bus, &meta(), address, SuppressionReason::Manual, None).await.unwrap();
                } else {
                    reinstate(bus, &meta(), address, "asked for".to_owned()).await.unwrap();
                }
            }
            Step::Pass { time, late } => self.pass(*time, *late).await,
        }
        true
    }

    fn request(&self, request: &Request, now: Millis) -> SendRequest {
        let not_before = request.not_before.map(|wait| now + wait);
        let from = not_before.map_or(now, |at| at.max(now));
        SendRequest {
            sender: sender(),
            sandbox: false,
            recipient: self.name(request.who),
            category: self.category(request.category),
            channels: request.channels.clone(),
            priority: request.priority,
            idempotency_key: Some(format!("{}-{}", self.case, self.requests.len())),
            content: Content { body: format!("content {}", request.content), ..Content::default() },
            expires_at: request.expires.map(|life| from + life),
            not_before,
            local_time: None,
            topic: request.topic.then(topic),
            digest_key: None,
            plan: None,
        }
    }

    async fn send_new(&mut self, requests: &[Request], now: Millis) {
        let from = self.requests.len();
        for request in requests {
            self.requests.push(self.request(request, now));
            self.asked.push(request.clone());
        }
        self.send(from, self.requests[from..].to_vec(), false).await;
    }

    async fn send(&mut self, from: usize, requests: Vec<SendRequest>, repeats: bool) {
        for (number, answer) in (from..).zip(self.acceptor.accept(&meta(), requests).await.unwrap()) {
            let accepted = answer.unwrap();
            assert_eq!(accepted.duplicate, repeats);
            self.subjects.insert(StreamId::new(AggregateKind::Notification, accepted.id.0), Subject::Request(number));
        }
    }

    /// Moves the clock on, by way of each moment at which something is due or, where that is `late`, at once.
    async fn pass(&mut self, time: Millis, late: bool) {
        let target = self.clock.now() + time;
        if late {
            self.move_to(target);
        }
        loop {
            let rows = self.timers().await;
            let Some(first) = rows.first().filter(|row| row.due <= target) else { break };
            self.move_to(first.due);
            let now = self.clock.now();
            let timers: Vec<DueTimer> = rows.iter().filter(|row| row.due <= now).map(|row| DueTimer { stream: row.stream, name: row.name }).collect();
            let answers = self.due.ask(&meta(), timers).await.unwrap();
            assert!(answers.iter().all(|answer| matches!(answer, Asked::Done { .. })), "the table was at the head of the log: {answers:?}");
            self.take_in().await;
        }
        self.move_to(target);
    }

    fn move_to(&self, moment: Millis) {
        if let Ok(millis @ 1..) = u64::try_from(moment - self.clock.now()) {
            self.clock.advance(Duration::from_millis(millis));
        }
    }
}

fn windows(hours: &Hours) -> WeeklyWindows {
    let days = Weekday::ALL.into_iter().zip(hours.days).filter(|(_, on)| *on).map(|(day, _)| day).collect();
    let time = |minutes: u16| LocalTime::new(&format!("{:02}:{:02}", minutes / 60, minutes % 60)).unwrap();
    WeeklyWindows::new(vec![WeeklyWindow { days, from: time(hours.from), to: time(hours.to) }]).unwrap()
}
