//! Facts about one recipient and one category, and the streams that they come from.

use crate::bus::Cached;
use crate::log::Sequence;
use domain::category::Category;
use domain::policy::deciding::Ask;
use domain::recipient::Recipient;
use domain::subscription::Subscription;
use domain::template::Template;
use domain::values::{AddressId, CategoryKey, Channel, DigestId, FactVersions, RecipientId, TemplateKey};
use domain::{AggregateKind, StreamId};
use std::sync::Arc;
use uuid::Uuid;

/// Facts about one recipient and one category, each with its sequence.
#[derive(Debug, Clone)]
pub struct Gathered {
    pub(super) recipient_stream: StreamId,
    pub(super) category_stream: StreamId,
    /// The recipient.
    pub recipient: Cached<Recipient>,
    /// Its subscription.
    pub subscription: Cached<Subscription>,
    /// The category.
    pub category: Cached<Category>,
    /// The template that it is made from, where it is made from one, and its stream.
    pub template: Option<(StreamId, Cached<Template>)>,
    /// It is the version that a notification was accepted under, and an older one: nothing changes it.
    pub(super) bound: bool,
}

impl Default for Gathered {
    fn default() -> Self {
        let recipient = RecipientId::default();
        Self {
            recipient_stream: recipient_stream(recipient),
            category_stream: category_stream(&CategoryKey::default()),
            recipient: Cached { state: Arc::default(), sequence: 0 },
            subscription: Cached { state: Arc::default(), sequence: 0 },
            category: Cached { state: Arc::default(), sequence: 0 },
            template: None,
            bound: false,
        }
    }
}

/// A recipient's stream.
pub const fn recipient_stream(recipient: RecipientId) -> StreamId {
    StreamId::new(AggregateKind::Recipient, recipient.0)
}

/// A recipient's subscription's stream.
pub const fn subscription_stream(recipient: RecipientId) -> StreamId {
    StreamId::new(AggregateKind::Subscription, recipient.0)
}

/// A category's stream.
pub fn category_stream(key: &CategoryKey) -> StreamId {
    StreamId::of_key(AggregateKind::Category, key.as_str())
}

/// A template's stream.
pub fn template_stream(key: &TemplateKey) -> StreamId {
    StreamId::of_key(AggregateKind::Template, key.as_str())
}

/// An address's stream.
pub const fn address_stream(address: AddressId) -> StreamId {
    StreamId::new(AggregateKind::Address, address.0)
}

/// The stream of what a recipient was told lately. The sandbox has its own: a rehearsal takes no
/// place from anybody.
pub fn frequency_stream(recipient: RecipientId, sandbox: bool) -> StreamId {
    StreamId::new(AggregateKind::Frequency, if sandbox { Uuid::new_v5(&recipient.0, b"sandbox") } else { recipient.0 })
}

/// A digest's stream.
pub const fn digest_stream(digest: DigestId) -> StreamId {
    StreamId::new(AggregateKind::Digest, digest.0)
}

impl Gathered {
    /// The sequences that the decision was made on, for its event; without that of a frequency.
    pub fn versions(&self) -> FactVersions {
        FactVersions { recipient: self.recipient.sequence, subscription: self.subscription.sequence, category: self.category.sequence, frequency: 0 }
    }

    /// The same as expectations of the append.
    pub fn expectations(&self) -> Vec<(StreamId, Sequence)> {
        let mut expectations = vec![
            (self.recipient_stream, self.recipient.sequence),
            (StreamId::new(AggregateKind::Subscription, self.recipient_stream.id), self.subscription.sequence),
        ];
        if !self.bound {
            expectations.push((self.category_stream, self.category.sequence));
        }
        expectations.extend(self.template.as_ref().map(|(stream, template)| (*stream, template.sequence)));
        expectations
    }

    /// The addresses to which it could go: the decision asks whether these are suppressed.
    pub fn addresses<'a>(&'a self, ask: Ask<'a>) -> impl Iterator<Item = AddressId> + 'a {
        self.recipient.state.addresses.iter().filter(move |address| self.wants(&ask, address.channel)).map(|address| address.id)
    }

    /// The channels that it may go over, where the recipient has an address now or later.
    pub(crate) fn wanted<'a>(&'a self, ask: Ask<'a>) -> impl Iterator<Item = Channel> + 'a {
        Channel::ALL.into_iter().filter(move |channel| self.wants(&ask, *channel))
    }

    fn wants(&self, ask: &Ask<'_>, channel: Channel) -> bool {
        match (ask.plan, ask.channels) {
            (Some(plan), _) => plan.steps.iter().any(|step| step.channels.contains(&channel)),
            (None, Some(channels)) => channels.contains(&channel),
            (None, None) => self.category.state.default_channels.contains(&channel),
        }
    }
}
