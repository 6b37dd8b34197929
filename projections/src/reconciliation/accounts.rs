//! The fold: attempts and what was heard of them.

use super::difference::{Difference, Kind};
use super::theirs::Theirs;
use super::{Reconciliation, Row, Scope};
use domain::notification::NotificationEvent as E;
use domain::values::{Channel, DeliveryNo, Millis, Money, NotificationId, TextCost};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Differences that are listed; the rest is counted.
const LISTED: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    UnderWay,
    Accepted,
    Refused(String),
    Unknown(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Report {
    None,
    Delivered,
    Bounced,
}

#[derive(Debug, Clone)]
struct Attempt {
    at: Millis,
    provider: u16,
    repeat: bool,
    verdict: Verdict,
    report: Report,
    provider_id: Option<Box<str>>,
    cost: Option<Box<TextCost>>,
}

type Key = (NotificationId, DeliveryNo, u32);

/// See the module.
#[derive(Debug, Clone)]
pub struct Accounts {
    scope: Scope,
    providers: Vec<String>,
    attempts: BTreeMap<Key, Attempt>,
    channels: HashMap<(NotificationId, DeliveryNo), Channel>,
}

impl Accounts {
    /// Of nothing so far.
    pub fn new(scope: Scope) -> Self {
        Self { scope, providers: Vec::new(), attempts: BTreeMap::new(), channels: HashMap::new() }
    }

    /// How many attempts it holds.
    pub fn len(&self) -> usize {
        self.attempts.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.attempts.is_empty()
    }

    /// Notifications of which the channels are not known, since they were asked for before.
    pub(super) fn without_channels(&self) -> BTreeSet<NotificationId> {
        self.attempts.keys().filter(|(notification, delivery, _)| !self.channels.contains_key(&(*notification, *delivery))).map(|key| key.0).collect()
    }

    /// Takes an event of a notification in, in the order of the log.
    pub fn take(&mut self, notification: NotificationId, at: Millis, event: &E) {
        match event {
            E::Queued(e) => self.channel(notification, e.delivery, e.channel),
            E::AttemptStarted(e) => {
                let within = (self.scope.from..self.scope.upto).contains(&at);
                if within && self.scope.provider.as_ref().is_none_or(|wanted| *wanted == e.provider) {
                    let provider = self.provider(&e.provider);
                    let attempt =
                        Attempt { at, provider, repeat: e.after_unknown, verdict: Verdict::UnderWay, report: Report::None, provider_id: None, cost: None };
                    self.attempts.insert((notification, e.delivery, e.attempt), attempt);
                }
            }
            E::Sent(e) => {
                let key = (notification, e.delivery, e.attempt);
                self.verdict(key, Verdict::Accepted, e.provider_id.as_deref());
                if let Some(attempt) = self.attempts.get_mut(&key) {
                    attempt.cost = e.cost.clone().map(Box::new);
                }
            }
            E::AttemptFailed(e) => self.verdict((notification, e.delivery, e.attempt), Verdict::Refused(e.code.clone()), None),
            E::Held(e) => self.verdict((notification, e.delivery, e.attempt), Verdict::Refused(e.code.clone()), None),
            E::AttemptUnknown(e) => self.verdict((notification, e.delivery, e.attempt), Verdict::Unknown(e.code.clone()), None),
            E::Delivered(e) => self.report(notification, e.delivery, e.attempt, &Report::Delivered, e.provider_id.as_deref()),
            E::Bounced(e) => self.report(notification, e.delivery, e.attempt, &Report::Bounced, None),
            _ => {}
        }
    }

    pub(super) fn channel(&mut self, notification: NotificationId, delivery: DeliveryNo, channel: Channel) {
        if channel.has_provider() {
            self.channels.insert((notification, delivery), channel);
        }
    }

    fn provider(&mut self, name: &str) -> u16 {
        let known = self.providers.iter().position(|known| known == name);
        let index = known.unwrap_or_else(|| {
            self.providers.push(name.to_owned());
            self.providers.len() - 1
        });
        u16::try_from(index).unwrap_or(u16::MAX)
    }

    fn verdict(&mut self, key: Key, verdict: Verdict, provider_id: Option<&str>) {
        if let Some(attempt) = self.attempts.get_mut(&key) {
            attempt.verdict = verdict;
            attempt.provider_id = provider_id.map(Into::into).or_else(|| attempt.provider_id.take());
        }
    }

    /// A report that names no attempt is about the last.
    fn report(&mut self, notification: NotificationId, delivery: DeliveryNo, attempt: Option<u32>, report: &Report, provider_id: Option<&str>) {
        let first = attempt.unwrap_or(0);
        let last = attempt.unwrap_or(u32::MAX);
        if let Some((_, attempt)) = self.attempts.range_mut((notification, delivery, first)..=(notification, delivery, last)).next_back() {
            attempt.report = report.clone();
            attempt.provider_id = attempt.provider_id.take().or_else(|| provider_id.map(Into::into));
        }
    }

    /// The books as they stand at a moment, against the provider's own list where there is one.
    pub fn finish(self, now: Millis, theirs: Option<&Theirs>) -> Reconciliation {
        let reporting: HashSet<u16> = self.attempts.values().filter(|attempt| attempt.report != Report::None).map(|attempt| attempt.provider).collect();
        let mut rows: BTreeMap<(String, u16, Channel), Row> = BTreeMap::new();
        let mut listed = Listed::default();
        let mut arrived: Option<(NotificationId, DeliveryNo)> = None;
        for (key, attempt) in &self.attempts {
            let (notification, delivery, _) = *key;
            let channel = self.channels.get(&(notification, delivery)).copied();
            let day = day(attempt.at);
            let row = rows.entry((day.clone(), attempt.provider, channel.unwrap_or(Channel::InApp))).or_insert_with(|| Row {
                day,
                provider: self.name(attempt.provider),
                channel: channel.map_or("unknown", Channel::name).to_owned(),
                ..Row::default()
            });
            count(row, attempt);
            let mut note = |kind| listed.note(kind, || self.difference(kind, key, attempt));
            match (&attempt.verdict, &attempt.report) {
                (Verdict::Unknown(_), Report::None) if !theirs.is_some_and(|theirs| theirs.has(key, None)) => note(Kind::Unknown),
                (Verdict::Unknown(_), Report::Delivered) => note(Kind::ArrivedThoughUnknown),
                (Verdict::Refused(_), Report::Delivered) => note(Kind::ArrivedThoughRefused),
                (Verdict::Accepted, Report::None) if reporting.contains(&attempt.provider) && now - attempt.at >= self.scope.patience => {
                    note(Kind::Unreported);
                }
                _ => {}
            }
            if attempt.report == Report::Delivered {
                if arrived == Some((notification, delivery)) {
                    note(Kind::ArrivedTwice);
                }
                arrived = Some((notification, delivery));
            }
            if let Some(theirs) = theirs {
                let times = theirs.times(key, attempt.provider_id.as_deref());
                match &attempt.verdict {
                    Verdict::Accepted if times == 0 => note(Kind::NotInTheirs),
                    Verdict::Refused(_) | Verdict::Unknown(_) if times > 0 => note(Kind::TheirsOnly),
                    _ => {}
                }
                if times > 1 {
                    note(Kind::TheirsTwice);
                }
            }
        }
        if let Some(theirs) = theirs {
            for (notification, delivery, attempt) in theirs.others(|key| self.attempts.contains_key(key)) {
                listed.note(Kind::NeverSent, || Difference {
                    kind: Kind::NeverSent,
                    words: Kind::NeverSent.words(),
                    provider: self.scope.provider.clone().unwrap_or_default(),
                    notification,
                    delivery,
                    attempt,
                    at: 0,
                    ours: "nothing".to_owned(),
                    provider_id: None,
                });
            }
        }
        let mut rows: Vec<Row> = rows.into_values().collect();
        rows.sort_by(|a, b| (&a.day, &a.provider, &a.channel).cmp(&(&b.day, &b.provider, &b.channel)));
        listed.differences.sort_by_key(|difference| (difference.at, difference.notification, difference.delivery, difference.attempt));
        Reconciliation { rows, differences: listed.differences, more: listed.more }
    }

    fn name(&self, provider: u16) -> String {
        self.providers.get(usize::from(provider)).cloned().unwrap_or_default()
    }

    fn difference(&self, kind: Kind, key: &Key, attempt: &Attempt) -> Difference {
        let ours = match &attempt.verdict {
            Verdict::UnderWay => "under way".to_owned(),
            Verdict::Accepted => "taken".to_owned(),
            Verdict::Refused(code) => format!("refused: {code}"),
            Verdict::Unknown(code) => format!("unknown: {code}"),
        };
        Difference {
            kind,
            words: kind.words(),
            provider: self.name(attempt.provider),
            notification: key.0,
            delivery: key.1,
            attempt: key.2,
            at: attempt.at,
            ours,
            provider_id: attempt.provider_id.as_deref().map(ToOwned::to_owned),
        }
    }
}

fn count(row: &mut Row, attempt: &Attempt) {
    row.attempts += 1;
    row.repeats += u64::from(attempt.repeat);
    if let Some(cost) = &attempt.cost {
        row.segments += u64::from(cost.segments);
        if let Some(price) = &cost.price {
            add(&mut row.costs, price);
        }
    }
    match (&attempt.verdict, &attempt.report) {
        (Verdict::Accepted, _) => row.accepted += 1,
        (Verdict::Refused(_), _) => row.refused += 1,
        (Verdict::Unknown(_), Report::None) => row.unknown += 1,
        // Reported before it was answered, or without an answer: so it was taken.
        (Verdict::UnderWay | Verdict::Unknown(_), Report::Delivered | Report::Bounced) => row.accepted += 1,
        (Verdict::UnderWay, Report::None) => row.under_way += 1,
    }
    match &attempt.report {
        Report::Delivered => row.delivered += 1,
        Report::Bounced => row.bounced += 1,
        Report::None => row.unreported += u64::from(attempt.verdict == Verdict::Accepted),
    }
}

fn add(costs: &mut Vec<Money>, price: &Money) {
    match costs.iter_mut().find(|sum| sum.currency == price.currency) {
        Some(sum) => sum.micros = sum.micros.saturating_add(price.micros),
        None => {
            costs.push(price.clone());
            costs.sort();
        }
    }
}

#[derive(Default)]
struct Listed {
    differences: Vec<Difference>,
    more: u64,
}

impl Listed {
    fn note(&mut self, _: Kind, difference: impl FnOnce() -> Difference) {
        if self.differences.len() < LISTED {
            self.differences.push(difference());
        } else {
            self.more += 1;
        }
    }
}

/// The day of a moment (UTC).
fn day(at: Millis) -> String {
    chrono::DateTime::from_timestamp_millis(at).map_or_else(String::new, |at| at.format("%Y-%m-%d").to_string())
}
