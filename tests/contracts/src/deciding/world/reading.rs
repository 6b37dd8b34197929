//! What the store says: its timers, and its events in the words of the model.

use super::World;
use crate::deciding::steps::ADDRESSES;
use crate::deciding::told::{News, Subject, Told};
use commands::consumer::{Progress, Runner, RunnerSettings};
use domain::digest::DigestEvent;
use domain::notification::{Cancelled, Expired, NotificationEvent, Suppressed};
use domain::values::{AddressId, Millis, NotificationId};
use domain::{AggregateKind, Fact, StreamId};
use tokio_util::sync::CancellationToken;
use workers::timers::{Row, Timers};

impl World<'_> {
    /// The timers of this case, as the real table holds them.
    pub async fn timers(&self) -> Vec<Row> {
        let replica = &self.stage.replica;
        let (reader, tail, beside) = (replica.reader.clone(), replica.tail.clone(), replica.beside.clone());
        let runner = Runner::new(Timers::default(), reader, tail, beside, self.clock.clone(), Progress::default(), RunnerSettings::default());
        runner.run(CancellationToken::new(), Some(replica.tail.head())).await;
        let mut found: Vec<Row> = Vec::new();
        let mut last = None;
        loop {
            let page = replica.timers.due(Millis::MAX, last, 500).await.unwrap();
            let Some(row) = page.last() else { return found };
            last = Some(row.key());
            // A case that failed leaves some behind.
            found.extend(page.into_iter().filter(|row| self.subjects.contains_key(&row.stream)));
        }
    }

    /// What the log says since this was asked last.
    pub async fn news(&mut self) -> News {
        self.take_in().await;
        std::mem::take(&mut self.news)
    }

    pub(super) async fn take_in(&mut self) {
        for event in self.stage.replica.reader.read_after(self.read, 100_000, true).await.unwrap() {
            self.read = event.position;
            if let Some(subject) = self.subjects.get(&event.stream).copied() {
                if let (Subject::Digest(who, category), Fact::Digest(DigestEvent::DigestClosed(closed))) = (subject, &event.fact)
                    && let Some(id) = closed.summary
                {
                    self.subjects.insert(StreamId::new(AggregateKind::Notification, id.0), Subject::Summary(who, category, closed.window));
                }
                let told = self.told(subject, &event.fact);
                self.news.entry(subject).or_default().push(told);
            }
            self.facts.push((event.stream, event.fact.clone()));
        }
    }

    fn told(&self, subject: Subject, fact: &Fact) -> Told {
        use NotificationEvent as E;
        let item = |id: NotificationId| self.subjects[&StreamId::new(AggregateKind::Notification, id.0)];
        let number = |address: Option<AddressId>| {
            let known = |id| (0..ADDRESSES.len()).find_map(|who| (0..ADDRESSES[who].len()).find(|number| self.address(who, *number) == id));
            address.map(|id| known(id).unwrap())
        };
        match fact {
            Fact::Notification(event) => match event.clone() {
                E::Requested(e) => Told::Requested { priority: e.priority, not_before: e.not_before, expires: e.expires_at },
                E::Deduplicated(e) => Told::Repeated(e.repeats),
                E::Deferred(e) => Told::Waits { until: e.until, rule: e.rule, place: e.limit.is_some() },
                E::Released(_) => Told::Released,
                E::Digested(e) => Told::Collected { window: e.window, rule: e.rule },
                E::Queued(e) => Told::Queued { delivery: e.delivery, channel: e.channel, address: number(e.address), rule: e.rule },
                E::Sent(e) => Told::Sent(e.delivery),
                E::Suppressed(Suppressed { delivery: None, channel: Some(channel), address, rule, .. }) => {
                    Told::Skipped { channel, address: number(address), rule }
                }
                E::Suppressed(Suppressed { delivery: None, channel: None, rule, .. }) => Told::Suppressed(rule),
                E::Expired(Expired { delivery: None }) => Told::Expired,
                E::Cancelled(Cancelled { delivery: None }) => Told::TakenBack,
                E::Cancelled(Cancelled { delivery: Some(delivery) }) => Told::Stopped(delivery),
                other => panic!("{subject:?}: {other:?}"),
            },
            Fact::Digest(event) => match event.clone() {
                DigestEvent::DigestOpened(e) => Told::Opened { window: e.window, closes_at: e.closes_at },
                DigestEvent::DigestItemAdded(e) => Told::Item { window: e.window, item: item(e.notification) },
                DigestEvent::DigestItemRemoved(e) => Told::LetGo { window: e.window, item: item(e.notification) },
                DigestEvent::DigestClosed(e) => {
                    Told::Closed { window: e.window, summary: e.summary.is_some(), items: e.items.into_iter().map(item).collect(), more: e.more }
                }
            },
            other => panic!("{subject:?}: {other:?}"),
        }
    }
}
