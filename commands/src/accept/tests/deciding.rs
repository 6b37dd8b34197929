//! Limits, digests, dedup windows, suppressed addresses and times: that they hold in the log.

use super::{Fixture, fixture, meta, request};
use crate::accept::{Accepted, Refusal, SendRequest, digest_stream, frequency_stream};
use crate::addresses;
use domain::address::SuppressionReason;
use domain::calendar::{LocalDateTime, Period};
use domain::category::OverLimit;
use domain::digest::{Digest, DigestEvent};
use domain::frequency::FrequencyEvent;
use domain::notification::NotificationEvent;
use domain::policy::deciding::{Decided, Finding, Question};
use domain::values::{Channel, ChannelPlan, Content, DigestSettings, DigestWindow, Limit, LimitWindow, NextStep, NextWhen, PlanStep, Priority, Rule};
use domain::{Fact, StreamId};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const DAY: i64 = 86_400_000;
const HOUR: i64 = 3_600_000;

async fn limited(most: u32) -> Arc<Fixture> {
    let fixture = fixture().await;
    fixture.category(|category| category.limits = vec![Limit { most, per: LimitWindow::Calendar(Period::Day) }]).await;
    Arc::new(fixture)
}

async fn digesting(max_items: u16) -> Arc<Fixture> {
    let fixture = fixture().await;
    fixture.category(|category| category.digest = Some(DigestSettings { window: DigestWindow::Fixed { millis: HOUR }, max_items, template: None })).await;
    Arc::new(fixture)
}

impl Fixture {
    fn places_stream(&self) -> StreamId {
        frequency_stream(self.hashing.recipient("alice"), false)
    }

    async fn places(&self) -> Vec<i64> {
        let events = self.bus.log().read_stream(self.places_stream(), 0, false).await.unwrap();
        events
            .iter()
            .filter_map(|event| match &event.fact {
                Fact::Frequency(FrequencyEvent::Counted(counted)) => counted.at,
                _ => None,
            })
            .collect()
    }

    fn digest_stream(&self, key: Option<&str>) -> StreamId {
        let request = request(None, "");
        digest_stream(self.hashing.digest(self.hashing.recipient("alice"), &request.category, &request.sender, false, key))
    }

    async fn names(&self, accepted: &Accepted) -> Vec<&'static str> {
        self.events(accepted.id.0).await.iter().map(domain::event::EventBody::name).collect()
    }

    async fn all_at_once(self: &Arc<Self>, count: usize) -> Vec<Accepted> {
        let send = |n: usize| {
            let fixture = Arc::clone(self);
            tokio::spawn(async move { fixture.send(request(None, &format!("item {n}"))).await.unwrap() })
        };
        let tasks: Vec<_> = (0..count).map(send).collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        answers
    }

    async fn as_a_list(&self, count: usize) -> Vec<Accepted> {
        let requests = (0..count).map(|n| request(Some(&format!("k{n}")), &format!("item {n}"))).collect();
        self.acceptor.accept(&meta(), requests).await.unwrap().into_iter().map(Result::unwrap).collect()
    }

    /// Three go now, and all others wait for a place of their own, three a day.
    async fn three_a_day(&self, answers: &[Accepted]) {
        let (mut now, mut days) = (0, std::collections::BTreeMap::<i64, usize>::new());
        for accepted in answers {
            match self.events(accepted.id.0).await.as_slice() {
                [NotificationEvent::Requested(_), NotificationEvent::Deferred(e)] => {
                    assert_eq!((e.rule, e.limit.map(|limit| limit.most)), (Rule::OverLimit, Some(3)));
                    *days.entry(e.until / DAY).or_default() += 1;
                }
                [NotificationEvent::Requested(_), .., NotificationEvent::Queued(_)] => now += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(now, 3);
        assert!(days.values().take(days.len() - 1).all(|held| *held == 3), "{days:?}");
        assert_eq!(days.keys().copied().collect::<Vec<_>>(), (1..=i64::try_from(days.len()).unwrap()).collect::<Vec<_>>());
        assert_eq!(days.values().sum::<usize>(), answers.len() - 3);
        assert_eq!(self.places().await.len(), answers.len(), "each counted once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_take_a_hundred_places() {
    let fixture = limited(3).await;
    let answers = fixture.all_at_once(100).await;
    fixture.three_a_day(&answers).await;
}

#[tokio::test]
async fn a_list_of_a_hundred_takes_a_hundred_places() {
    let fixture = limited(3).await;
    let answers = fixture.as_a_list(100).await;
    fixture.three_a_day(&answers).await;
    let before = fixture.places().await;
    // The same list again, with one that is new.
    let repeats = fixture.as_a_list(101).await;
    assert_eq!(repeats.iter().filter(|answer| answer.duplicate).count(), 100);
    assert_eq!(fixture.places().await.len(), before.len() + 1, "a repeat counts nothing");
}

#[tokio::test]
async fn a_cold_cache_counts_what_the_log_holds() {
    let fixture = limited(3).await;
    fixture.as_a_list(2).await;
    fixture.facts.forget(fixture.places_stream());
    let third = fixture.send(request(Some("third"), "x")).await.unwrap();
    assert_eq!(fixture.names(&third).await.last(), Some(&"Queued"));
    let fourth = fixture.send(request(Some("fourth"), "x")).await.unwrap();
    assert_eq!(fixture.names(&fourth).await, ["Requested", "Deferred"]);
}

#[tokio::test]
async fn the_sandbox_takes_no_place() {
    let fixture = limited(1).await;
    let rehearsal = SendRequest { sandbox: true, ..request(None, "x") };
    fixture.send(rehearsal).await.unwrap();
    let real = fixture.send(request(None, "x")).await.unwrap();
    assert_eq!(fixture.names(&real).await.last(), Some(&"Queued"));
    assert_eq!(fixture.places().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_lie_in_one_window() {
    let fixture = digesting(30).await;
    let answers = fixture.all_at_once(100).await;
    for accepted in &answers {
        let events = fixture.events(accepted.id.0).await;
        assert!(matches!(events.as_slice(), [NotificationEvent::Requested(_), NotificationEvent::Digested(e)] if e.window == 1), "{events:?}");
    }
    let digest = fixture.bus.load::<Digest>(fixture.digest_stream(None)).await.unwrap();
    let open = digest.state.open.as_ref().unwrap();
    assert_eq!((open.items.len(), open.more), (30, 70));
    let events = fixture.bus.log().read_stream(fixture.digest_stream(None), 0, false).await.unwrap();
    let added: HashSet<_> = events
        .iter()
        .filter_map(|event| match &event.fact {
            Fact::Digest(DigestEvent::DigestItemAdded(added)) => Some(added.notification),
            _ => None,
        })
        .collect();
    assert_eq!(added, answers.iter().map(|accepted| accepted.id).collect());
}

#[tokio::test]
async fn a_digest_is_the_senders_own_by_key() {
    let fixture = digesting(5).await;
    let keyed = |key: &str| SendRequest { digest_key: Some(key.to_owned()), ..request(None, "x") };
    fixture.acceptor.accept(&meta(), vec![keyed("a"), keyed("b"), keyed("a"), request(None, "x")]).await.unwrap();
    for (key, items) in [(Some("a"), 2), (Some("b"), 1), (None, 1), (Some("c"), 0)] {
        let digest = fixture.bus.load::<Digest>(fixture.digest_stream(key)).await.unwrap();
        assert_eq!(digest.state.open.as_ref().map_or(0, |open| open.items.len()), items, "{key:?}");
    }
}

#[tokio::test]
async fn a_cold_cache_reads_the_end_of_a_long_digest() {
    let fixture = digesting(5).await;
    fixture.as_a_list(300).await;
    let stream = fixture.digest_stream(None);
    fixture.facts.forget(stream);
    fixture.send(request(Some("last"), "x")).await.unwrap();
    let digest = fixture.bus.load::<Digest>(stream).await.unwrap();
    assert_eq!((digest.state.window, digest.state.open.as_ref().unwrap().more), (1, 296));
}

#[tokio::test]
async fn a_failed_commit_leaves_nothing_in_the_log_or_in_memory() {
    let fixture = limited(1).await;
    fixture
        .category(|category| {
            category.limits = vec![Limit { most: 1, per: LimitWindow::Calendar(Period::Day) }];
            category.over_limit = OverLimit::Digest;
            category.digest = Some(DigestSettings { window: DigestWindow::Fixed { millis: HOUR }, max_items: 5, template: None });
        })
        .await;
    let head = fixture.bus.log().head().await.unwrap();
    fixture.fails.store(true, Ordering::Release);
    assert!(fixture.acceptor.accept(&meta(), vec![request(Some("a"), "x"), request(Some("b"), "y")]).await.is_err());
    fixture.fails.store(false, Ordering::Release);
    assert_eq!(fixture.bus.log().head().await.unwrap(), head);
    // The place is still free, and the digest's first window not open yet.
    let answers = fixture.acceptor.accept(&meta(), vec![request(Some("a"), "x"), request(Some("b"), "y")]).await.unwrap();
    let [Ok(first), Ok(second)] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!(fixture.names(first).await.last(), Some(&"Queued"));
    assert!(matches!(fixture.events(second.id.0).await.last(), Some(NotificationEvent::Digested(e)) if e.window == 1));
    assert_eq!(fixture.places().await.len(), 1);
}

#[tokio::test]
async fn the_same_content_is_told_once_in_a_window() {
    let fixture = fixture().await;
    fixture.category(|category| category.dedup_window = Some(HOUR)).await;
    let first = fixture.send(request(Some("a"), "Paid")).await.unwrap();
    assert_eq!(fixture.names(&first).await.last(), Some(&"Queued"));
    let content = Content { body: "Paid".to_owned(), metadata: Some("{\"n\":2}".to_owned()), collapse_key: Some("k".to_owned()), ..Content::default() };
    let again = fixture.send(SendRequest { content, ..request(Some("b"), "") }).await.unwrap();
    let events = fixture.events(again.id.0).await;
    assert!(matches!(events.last(), Some(NotificationEvent::Suppressed(e)) if e.rule == Rule::DuplicateContent && e.facts.frequency == 1), "{events:?}");
    let other = fixture.send(request(Some("c"), "Paid in part")).await.unwrap();
    assert_eq!(fixture.names(&other).await.last(), Some(&"Queued"));
    fixture.clock.advance(Duration::from_millis(HOUR.unsigned_abs()));
    let later = fixture.send(request(Some("d"), "Paid")).await.unwrap();
    assert_eq!(fixture.names(&later).await.last(), Some(&"Queued"));
}

#[tokio::test]
async fn nothing_goes_to_a_suppressed_address_until_it_is_reinstated() {
    let fixture = fixture().await;
    fixture.send(request(None, "fills the caches")).await.unwrap();
    let address = fixture.hashing.address(Channel::AndroidPush, "token");
    let pushed = async |key: &str| {
        let accepted = fixture.send(request(Some(key), "x")).await.unwrap();
        let events = fixture.events(accepted.id.0).await;
        let refused =
            events.iter().any(|event| matches!(event, NotificationEvent::Suppressed(e) if e.rule == Rule::AddressSuppressed && e.address == Some(address)));
        let queued = events.iter().any(|event| matches!(event, NotificationEvent::Queued(e) if e.address == Some(address)));
        assert_ne!(refused, queued, "{events:?}");
        queued
    };
    assert!(pushed("before").await);
    addresses::suppress(&fixture.bus, &meta(), address, SuppressionReason::HardBounce, None).await.unwrap();
    assert!(!pushed("suppressed").await, "from the cache");
    fixture.facts.forget(crate::accept::address_stream(address));
    assert!(!pushed("loaded").await, "from the log");
    assert!(addresses::reinstate(&fixture.bus, &meta(), address, " ".to_owned()).await.is_err());
    addresses::reinstate(&fixture.bus, &meta(), address, "called the customer".to_owned()).await.unwrap();
    assert!(pushed("reinstated").await);
}

#[tokio::test]
async fn what_is_not_wanted_yet_waits_for_its_moment() {
    let fixture = fixture().await;
    fixture.category(|category| category.time_to_live = Some(HOUR)).await;
    let later = fixture.send(SendRequest { not_before: Some(5 * HOUR), ..request(None, "x") }).await.unwrap();
    let events = fixture.events(later.id.0).await;
    let [NotificationEvent::Requested(requested), NotificationEvent::Deferred(deferred)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((deferred.until, deferred.rule), (5 * HOUR, Rule::NotBefore));
    assert_eq!(requested.expires_at, Some(6 * HOUR), "an hour's life from the moment on which it may go");
    let local = LocalDateTime::new("1970-01-02T09:00").unwrap();
    let local = fixture.send(SendRequest { local_time: Some(local), ..request(None, "x") }).await.unwrap();
    let events = fixture.events(local.id.0).await;
    assert!(matches!(events.last(), Some(NotificationEvent::Deferred(e)) if e.until == DAY + 9 * HOUR), "UTC, where no zone is known: {events:?}");
}

#[tokio::test]
async fn a_plan_of_its_own_is_followed_and_recorded() {
    let fixture = fixture().await;
    let step = |channel, next| PlanStep { channels: vec![channel], next };
    let next = Some(NextStep { after: 60_000, when: NextWhen::NotSeen });
    let plan = ChannelPlan { steps: vec![step(Channel::AndroidPush, next), step(Channel::InApp, None)] };
    let planned = fixture.send(SendRequest { plan: Some(plan.clone()), ..request(None, "x") }).await.unwrap();
    let events = fixture.events(planned.id.0).await;
    let NotificationEvent::Requested(requested) = &events[0] else { panic!("{events:?}") };
    assert_eq!(requested.plan.as_ref(), Some(&plan));
    assert!(matches!(events.last(), Some(NotificationEvent::StepScheduled(e)) if (e.step, e.due) == (1, 61_000)), "{events:?}");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_what_to_do() {
    let fixture = fixture().await;
    let local = LocalDateTime::new("1970-01-02T09:00").unwrap();
    let plan = ChannelPlan { steps: vec![PlanStep { channels: vec![Channel::InApp], next: None }] };
    let base = || request(None, "x");
    let head = fixture.bus.log().head().await.unwrap();
    let cases = [
        (SendRequest { not_before: Some(HOUR), local_time: Some(local), ..base() }, Refusal::TwoTimes),
        (SendRequest { not_before: Some(400 * DAY), ..base() }, Refusal::TooFarAhead),
        (SendRequest { not_before: Some(2 * HOUR), expires_at: Some(HOUR), ..base() }, Refusal::ExpiresTooEarly),
        (SendRequest { digest_key: Some(String::new()), ..base() }, Refusal::DigestKey),
        (SendRequest { digest_key: Some("k".repeat(256)), ..base() }, Refusal::DigestKey),
        (SendRequest { plan: Some(plan.clone()), channels: Some(vec![Channel::InApp]), ..base() }, Refusal::PlanAndChannels),
        (SendRequest { plan: Some(ChannelPlan::default()), ..base() }, Refusal::Plan(domain::values::PlanError::Steps(0))),
    ];
    for (request, refusal) in cases {
        assert_eq!(fixture.acceptor.preview(request.clone()).await.unwrap(), Err(refusal.clone()));
        assert_eq!(fixture.send(request).await, Err(refusal));
    }
    assert_eq!(fixture.bus.log().head().await.unwrap(), head);
}

#[tokio::test]
async fn a_preview_says_what_would_happen_and_writes_nothing() {
    let fixture = limited(1).await;
    fixture.send(request(None, "x")).await.unwrap();
    let head = fixture.bus.log().head().await.unwrap();
    let (decision, considered) = fixture.acceptor.preview(request(None, "y")).await.unwrap().unwrap();
    assert!(matches!(decision.outcome, Decided::Defer { rule: Rule::OverLimit, .. }), "{decision:?}");
    assert_eq!(considered.last().map(|last| (last.question, last.finding, last.rule)), Some((Question::Limits, Finding::Stops, Some(Rule::OverLimit))));
    let critical = SendRequest { priority: Some(Priority::Critical), ..request(None, "y") };
    let (decision, _) = fixture.acceptor.preview(critical).await.unwrap().unwrap();
    assert!(matches!(decision.outcome, Decided::Deliver { .. }));
    assert_eq!(fixture.bus.log().head().await.unwrap(), head);
    // And then it happens as it was said.
    let sent = fixture.send(request(None, "y")).await.unwrap();
    assert_eq!(fixture.names(&sent).await, ["Requested", "Deferred"]);
    assert_eq!(fixture.places().await.into_iter().collect::<BTreeSet<_>>().len(), 2);
}
