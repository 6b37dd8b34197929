#![allow(clippy::unwrap_used, missing_docs)]

mod order;
mod properties;
mod time;

use super::{Ask, Decided, Decision, Facts, Step, decide};
use crate::calendar::{LocalTime, Weekday, WeeklyWindow, WeeklyWindows};
use crate::category::{Category, QuietHoursBehaviour};
use crate::frequency::{Counted, Frequency, FrequencyEvent};
use crate::recipient::{Address, Recipient};
use crate::subscription::{Scope, Subscription};
use crate::values::{AddressId, CategoryKey, Channel, DigestId, FactVersions, Limit, LimitWindow, Millis, NotificationId, Priority, RecipientId, Rule};
use uuid::Uuid;

const PHONE: AddressId = AddressId(Uuid::from_u128(1));
const TABLET: AddressId = AddressId(Uuid::from_u128(2));
const MAIL: AddressId = AddressId(Uuid::from_u128(3));
const DIGEST: DigestId = DigestId(Uuid::from_u128(9));
const NOW: Millis = 1_000_000;
const HOUR: Millis = 3_600_000;

fn key() -> CategoryKey {
    CategoryKey::new("orders").unwrap()
}

/// All that a decision rests on, to be changed by a test.
#[derive(Debug)]
struct World {
    category: Category,
    recipient: Recipient,
    subscription: Subscription,
    frequency: Frequency,
    overall: Vec<Limit>,
    suppressed: Vec<AddressId>,
}

impl World {
    fn new() -> Self {
        let address = |id, channel| Address { id, channel, registered_at: 0, details: crate::event::Personal::Erased };
        let recipient = Recipient {
            exists: true,
            id: RecipientId(Uuid::from_u128(7)),
            addresses: vec![address(PHONE, Channel::AndroidPush), address(TABLET, Channel::AndroidPush), address(MAIL, Channel::Email)],
            ..Recipient::default()
        };
        let category = Category { exists: true, default_channels: vec![Channel::AndroidPush, Channel::Email], ..Category::default() };
        let (subscription, frequency) = (Subscription::default(), Frequency::default());
        Self { category, recipient, subscription, frequency, overall: Vec::new(), suppressed: Vec::new() }
    }

    fn off(mut self, scope: Scope) -> Self {
        self.subscription.switches.insert(scope, false);
        self
    }

    fn place(&mut self, at: Option<Millis>, content: Option<Uuid>, alone: bool) {
        let event = Counted { notification: NotificationId::default(), category: key(), asked_at: NOW, at, alone, content };
        crate::aggregate::Aggregate::evolve(&mut self.frequency, &FrequencyEvent::Counted(event));
    }

    fn with<T>(&self, then: impl FnOnce(&Facts<'_>) -> T) -> T {
        let suppressed = |id: AddressId| self.suppressed.contains(&id);
        then(&Facts {
            category: &self.category,
            recipient: &self.recipient,
            subscription: &self.subscription,
            frequency: Some(&self.frequency),
            overall: &self.overall,
            suppressed: &suppressed,
            collecting_window: 4,
            versions: FactVersions { recipient: 2, subscription: 3, category: 1, frequency: 5 },
        })
    }

    fn decide(&self, ask: &Ask<'_>, now: Millis) -> Decision {
        self.with(|facts| decide(ask, facts, now))
    }

    fn outcome(&self, change: impl FnOnce(&mut Ask<'_>)) -> Decided {
        let key = key();
        let mut ask = Ask::plain(&key, Priority::Normal);
        change(&mut ask);
        self.decide(&ask, NOW).outcome
    }
}

fn to(channel: Channel, address: AddressId) -> Step {
    Step::Deliver { channel, address: Some(address), rule: Rule::DefaultOptIn }
}

fn skip(channel: Channel, address: Option<AddressId>, rule: Rule) -> Step {
    Step::Skip { channel, address, rule }
}

fn deliver(steps: Vec<Step>) -> Decided {
    Decided::Deliver { steps, taken: 0, next: None }
}

fn suppressed(rule: Rule) -> Decided {
    Decided::Suppress { rule, steps: Vec::new() }
}

fn daily(from: &str, to: &str) -> WeeklyWindows {
    let (from, to) = (LocalTime::new(from).unwrap(), LocalTime::new(to).unwrap());
    WeeklyWindows::new(vec![WeeklyWindow { days: Weekday::ALL.into_iter().collect(), from, to }]).unwrap()
}

fn limit(most: u32, millis: Millis) -> Limit {
    Limit { most, per: LimitWindow::Sliding(millis) }
}
