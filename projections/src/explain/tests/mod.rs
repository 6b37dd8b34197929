#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod absence;
mod decisions;
mod deliveries;
mod words;

use super::{Explanation, Library, explain};
use crate::testing::events::{START, Story, stream};
use commands::accept::{category_stream, recipient_stream, subscription_stream};
use domain::category::{CategoryDefined, CategoryEvent, OverLimit, QuietHoursBehaviour};
use domain::event::Personal;
use domain::recipient::{AddressChanged, ProfileChanged, ProfileDetails, RecipientEvent};
use domain::subscription::{ChangedBy, Scope, Source, SubscriptionEvent, Unsubscribed};
use domain::values::{AddressId, CategoryKey, Channel, FactVersions, Priority, RecipientId, SentFrom};
use uuid::Uuid;

pub const SECOND: i64 = 1_000;

pub fn to() -> RecipientId {
    crate::testing::events::recipient(1)
}

pub fn orders() -> CategoryKey {
    CategoryKey::new("orders").unwrap()
}

pub fn address() -> AddressId {
    AddressId(Uuid::from_u128(0xadd))
}

/// A category with every setting, so that each can be named.
pub fn category() -> CategoryDefined {
    CategoryDefined {
        key: orders(),
        name: "Orders".to_owned(),
        description: String::new(),
        required: false,
        default_channels: Channel::UNNAMED.to_vec(),
        priority: Priority::Normal,
        subscribed_by_default: true,
        plan: None,
        dedup_window: Some(600 * SECOND),
        limits: Vec::new(),
        over_limit: OverLimit::Hold,
        quiet_hours: QuietHoursBehaviour::Defer,
        digest: None,
        time_to_live: None,
        tracking: domain::category::Tracking::default(),
        from: SentFrom::default(),
    }
}

/// A category, a recipient in Seoul with a mailbox: facts 1, 2, 1 and so on.
pub fn world() -> Story {
    let mut story = Story::default();
    story.add(category_stream(&orders()), CategoryEvent::CategoryDefined(category()));
    let profile = ProfileDetails { external_id: "alice".to_owned(), attributes: None };
    let profile = ProfileChanged { recipient: to(), time_zone: Some("Asia/Seoul".to_owned()), locale: None, personal: Personal::from(profile) };
    story.add(recipient_stream(to()), RecipientEvent::ProfileChanged(profile));
    let mailbox = AddressChanged { recipient: to(), channel: Channel::Email, address: address(), registered_at: START, personal: Personal::Erased };
    story.add(recipient_stream(to()), RecipientEvent::AddressChanged(mailbox));
    story
}

pub fn versions(subscription: u64, frequency: u64) -> FactVersions {
    FactVersions { recipient: 2, subscription, category: 1, frequency }
}

pub fn switch_off(story: &mut Story, scope: Scope) {
    let personal = Personal::Erased;
    let off = Unsubscribed { recipient: Some(to()), scope, by: ChangedBy::Recipient, source: Source::OneClick, personal };
    story.add(subscription_stream(to()), SubscriptionEvent::Unsubscribed(off));
}

/// The explanation of a notification of the story.
pub fn of(story: &Story, number: u128) -> Explanation {
    let own: Vec<_> = story.events.iter().filter(|event| event.stream == stream(number)).cloned().collect();
    explain(&own, &Library::of(&story.events))
}

/// The sentence of the last event of a type.
pub fn said<'a>(explanation: &'a Explanation, event: &str) -> &'a str {
    &explanation.steps.iter().rev().find(|step| step.event == event).unwrap_or_else(|| panic!("no {event}: {explanation:#?}")).sentence
}
