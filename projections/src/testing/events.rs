//! A log written by hand.

use commands::log::{Metadata, Recorded};
use domain::event::Personal;
use domain::notification::*;
use domain::values::{CategoryKey, Channel, Content, DeliveryNo, FactVersions, Priority, RecipientId, Rule, SenderKey};
use domain::{AggregateKind, Fact, StreamId};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

pub const START: i64 = 1_800_000_000_000;

pub fn recipient(number: u128) -> RecipientId {
    RecipientId(Uuid::from_u128(0xaaaa_0000 + number))
}

pub fn stream(number: u128) -> StreamId {
    StreamId::new(AggregateKind::Notification, Uuid::from_u128(0xbbbb_0000 + number))
}

/// Positions, numbers and sequences as a log gives them.
#[derive(Default)]
pub struct Story {
    pub events: Vec<Arc<Recorded>>,
    numbers: HashMap<StreamId, (u64, u64)>,
}

impl Story {
    pub fn add(&mut self, stream: StreamId, fact: impl Into<Fact>) -> &mut Self {
        let next = self.numbers.len() as u64 + 1;
        let (number, sequence) = self.numbers.entry(stream).or_insert((next, 0));
        *sequence += 1;
        let position = self.events.len() as u64 + 1;
        self.events.push(Arc::new(Recorded {
            position,
            stream,
            number: *number,
            sequence: *sequence,
            at: START + position as i64,
            fact: fact.into(),
            metadata: Arc::new(Metadata::of("test")),
        }));
        self
    }

    pub fn notification(&mut self, number: u128, event: NotificationEvent) -> &mut Self {
        self.add(stream(number), event)
    }
}

pub fn requested(to: RecipientId, sandbox: bool) -> NotificationEvent {
    NotificationEvent::Requested(Requested {
        priority: Priority::High,
        fingerprint: "0011223344556677".to_owned(),
        sandbox,
        ..Requested::plain(
            SenderKey::new("shop").unwrap(),
            to,
            CategoryKey::new("orders").unwrap(),
            Personal::from(Content { title: Some("secret title".to_owned()), body: "secret body".to_owned(), ..Content::default() }),
        )
    })
}

pub fn queued(delivery: DeliveryNo, channel: Channel) -> NotificationEvent {
    NotificationEvent::Queued(Queued { delivery, channel, address: None, rule: Rule::DefaultOptIn, rules: Rule::VERSION, facts: FactVersions::default() })
}

pub fn suppressed(delivery: Option<DeliveryNo>) -> NotificationEvent {
    NotificationEvent::Suppressed(Suppressed {
        delivery,
        channel: Some(Channel::Email),
        address: None,
        rule: Rule::OptedOutOfChannel,
        rules: Rule::VERSION,
        facts: FactVersions::default(),
    })
}

pub fn started(delivery: DeliveryNo) -> NotificationEvent {
    NotificationEvent::AttemptStarted(AttemptStarted { delivery, attempt: 1, provider: "fcm".to_owned(), after_unknown: false, from: None })
}

pub fn sent(delivery: DeliveryNo) -> NotificationEvent {
    NotificationEvent::Sent(Sent { delivery, attempt: 1, provider_id: None, cost: None })
}

pub fn retry(delivery: DeliveryNo) -> NotificationEvent {
    NotificationEvent::RetryScheduled(RetryScheduled { delivery, due: START + 60_000, after_unknown: false })
}

pub fn failed(delivery: DeliveryNo) -> NotificationEvent {
    NotificationEvent::Failed(Failed { delivery, class: FailureClass::Permanent, code: "400 INVALID".to_owned(), as_of: None, address_dead: false })
}

pub fn dead(delivery: DeliveryNo, code: &str) -> NotificationEvent {
    NotificationEvent::DeadLettered(DeadLettered { delivery, attempts: 5, code: code.to_owned(), unknown: false })
}

pub fn redriven(delivery: DeliveryNo) -> NotificationEvent {
    NotificationEvent::Redriven(Redriven { delivery })
}

pub fn discarded(delivery: DeliveryNo) -> NotificationEvent {
    NotificationEvent::Discarded(Discarded { delivery, reason: "given up".to_owned() })
}

pub fn cancelled(delivery: DeliveryNo) -> NotificationEvent {
    NotificationEvent::Cancelled(Cancelled { delivery: Some(delivery) })
}

pub fn seen() -> NotificationEvent {
    NotificationEvent::Seen(Seen {})
}

pub fn read() -> NotificationEvent {
    NotificationEvent::Read(Read {})
}

pub fn archived() -> NotificationEvent {
    NotificationEvent::Archived(Archived {})
}
