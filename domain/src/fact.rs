//! Every event of every aggregate as one type. Registering an aggregate is one line here.

use crate::event::{DecodeError, EventBody};
use crate::values::RecipientId;
use crate::{address, api_key, category, digest, frequency, notification, quota, recipient, schedule, sender, subscription, template, upcast};
use std::fmt;
use uuid::Uuid;

macro_rules! aggregates {
    ($($(#[$doc:meta])* $kind:ident = $number:literal, $name:literal, $events:path;)+) => {
        /// The kinds of aggregate.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum AggregateKind { $($(#[$doc])* $kind,)+ }

        impl AggregateKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];
            /// A small stable number for compact storage.
            pub const fn number(self) -> u8 { match self { $(Self::$kind => $number,)+ } }
            /// The name in the CLI, the feed and the catalogue.
            pub const fn name(self) -> &'static str { match self { $(Self::$kind => $name,)+ } }
        }

        /// An event of any aggregate.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Fact { $($(#[$doc])* $kind($events),)+ }

        impl Fact {
            /// Whose event it is.
            pub const fn kind(&self) -> AggregateKind {
                match self { $(Self::$kind(_) => AggregateKind::$kind,)+ }
            }

            /// The event without its aggregate.
            pub fn body(&self) -> &dyn EventBody { match self { $(Self::$kind(event) => event,)+ } }

            /// Reads a stored event, lifting old shapes to today's.
            pub fn decode(kind: AggregateKind, name: &str, version: u16, payload: &[u8], personal: Option<&[u8]>) -> Result<Self, DecodeError> {
                let lifted = upcast::lift(kind, name, version, payload)?;
                let (version, payload) = lifted.as_ref().map_or((version, payload), |(version, payload)| (*version, payload.as_slice()));
                Ok(match kind {
                    $(AggregateKind::$kind => Self::$kind(<$events>::decode(name, version, payload, personal)?),)+
                })
            }

            /// The catalogue of all events.
            pub fn catalogue() -> Vec<crate::catalogue::Entry> {
                let mut all = Vec::new();
                $(all.extend(<$events>::catalogue());)+
                all
            }
        }

        $(impl From<$events> for Fact { fn from(event: $events) -> Self { Self::$kind(event) } })+
    };
}

aggregates! {
    /// One notification to one recipient.
    Notification = 1, "notification", notification::NotificationEvent;
    /// A person or system that receives.
    Recipient = 2, "recipient", recipient::RecipientEvent;
    /// A recipient's opt-ins and opt-outs.
    Subscription = 3, "subscription", subscription::SubscriptionEvent;
    /// A kind of notification.
    Category = 4, "category", category::CategoryEvent;
    /// A service that asks.
    Sender = 5, "sender", sender::SenderEvent;
    /// An API key.
    ApiKey = 6, "api_key", api_key::ApiKeyEvent;
    /// The owner of an address, and whether anything may go there.
    Address = 7, "address", address::AddressEvent;
    /// How often a recipient was told something.
    Frequency = 8, "frequency", frequency::FrequencyEvent;
    /// Notifications that go out together.
    Digest = 9, "digest", digest::DigestEvent;
    /// A request that is made later, or again and again.
    Schedule = 10, "schedule", schedule::ScheduleEvent;
    /// How many calls or messages may still go to a country or a range of numbers in an hour.
    Quota = 11, "quota", quota::QuotaEvent;
    /// What is told, written once for everybody.
    Template = 12, "template", template::TemplateEvent;
}

impl AggregateKind {
    /// Reads [`number`](Self::number) back.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.number() == number)
    }
}

impl Fact {
    /// The event's name.
    pub fn name(&self) -> &'static str {
        self.body().name()
    }

    /// Whose key seals the personal part.
    pub fn subject(&self) -> Option<RecipientId> {
        self.body().subject()
    }
}

/// Names one stream: the events of one aggregate instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    /// The kind of aggregate.
    pub kind: AggregateKind,
    /// The instance.
    pub id: Uuid,
}

/// Namespace of the ids of streams that are named by a key.
const KEYS: Uuid = Uuid::from_u128(0x626f_6e67_7375_5f6b_8579_735f_6964_7331);

impl StreamId {
    /// The stream of an instance with an id.
    pub const fn new(kind: AggregateKind, id: Uuid) -> Self {
        Self { kind, id }
    }

    /// The stream of an instance that is named by a readable key (category, sender).
    pub fn of_key(kind: AggregateKind, key: &str) -> Self {
        Self { kind, id: Uuid::new_v5(&KEYS, format!("{}/{key}", kind.name()).as_bytes()) }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.kind.name(), self.id)
    }
}
