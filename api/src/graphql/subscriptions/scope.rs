//! What a switch is about, as callers write and read it.

use crate::graphql::names::{Channel, SubscriptionScope};
use crate::graphql::problem::Refused;
use async_graphql::{ID, SimpleObject};
use domain::subscription::Scope;
use domain::values::{AddressId, CategoryKey, TopicKey};

/// The parts of a scope, of which each scope wants some.
#[derive(Debug, Default)]
pub struct ScopeParts<'a> {
    pub channel: Option<Channel>,
    pub category: Option<&'a str>,
    pub device: Option<&'a str>,
    pub topic: Option<&'a str>,
}

/// Reads a scope. Whether what it names exists is not looked at.
pub fn read(scope: SubscriptionScope, parts: &ScopeParts<'_>) -> Result<Scope, Refused> {
    let category = |key: &str| CategoryKey::new(key).map_err(|error| Refused::at("category", "CATEGORY_NOT_FOUND", error.to_string()));
    Ok(match (scope, parts.channel, parts.category, parts.device, parts.topic) {
        (SubscriptionScope::All, None, None, None, None) => Scope::All,
        (SubscriptionScope::Channel, Some(channel), None, None, None) => Scope::Channel(channel.into()),
        (SubscriptionScope::Category, None, Some(key), None, None) => Scope::Category(category(key)?),
        (SubscriptionScope::CategoryChannel, Some(channel), Some(key), None, None) => {
            Scope::CategoryChannel { category: category(key)?, channel: channel.into() }
        }
        (SubscriptionScope::Device, None, None, Some(id), None) => Scope::Device(
            id.parse::<AddressId>().map_err(|_| Refused::at("device", "NOT_FOUND", "This is not the id of a device; see `recipient { addresses { id } }`."))?,
        ),
        (SubscriptionScope::Topic, None, None, None, Some(key)) => {
            Scope::Topic(TopicKey::new(key).map_err(|error| Refused::at("topic", "TOPIC_INVALID", error.to_string()))?)
        }
        (SubscriptionScope::Tracking, None, None, None, None) => Scope::Tracking,
        _ => {
            return Err(Refused::at(
                "scope",
                "SCOPE_INVALID",
                "Give `channel` with scope CHANNEL, `category` with CATEGORY, both with CATEGORY_CHANNEL, `device` with DEVICE, `topic` with TOPIC, and none of them with ALL and TRACKING.",
            ));
        }
    })
}

/// A switch that was turned.
#[derive(SimpleObject, Debug, Clone)]
pub struct SwitchObject {
    scope: SubscriptionScope,
    /// With scopes `CHANNEL` and `CATEGORY_CHANNEL`.
    channel: Option<Channel>,
    /// With scopes `CATEGORY` and `CATEGORY_CHANNEL`.
    category: Option<String>,
    /// With scope `DEVICE`: its id.
    device: Option<ID>,
    /// With scope `TOPIC`.
    topic: Option<String>,
    /// On or off.
    subscribed: bool,
}

impl SwitchObject {
    /// A switch as it stands.
    pub fn new(scope: &Scope, subscribed: bool) -> Self {
        let mut object = Self { scope: SubscriptionScope::All, channel: None, category: None, device: None, topic: None, subscribed };
        match scope {
            Scope::All => {}
            Scope::Channel(channel) => (object.scope, object.channel) = (SubscriptionScope::Channel, Some((*channel).into())),
            Scope::Category(key) => (object.scope, object.category) = (SubscriptionScope::Category, Some(key.to_string())),
            Scope::CategoryChannel { category, channel } => {
                object.scope = SubscriptionScope::CategoryChannel;
                (object.category, object.channel) = (Some(category.to_string()), Some((*channel).into()));
            }
            Scope::Device(id) => (object.scope, object.device) = (SubscriptionScope::Device, Some(ID(id.to_string()))),
            Scope::Topic(key) => (object.scope, object.topic) = (SubscriptionScope::Topic, Some(key.to_string())),
            Scope::Tracking => object.scope = SubscriptionScope::Tracking,
        }
        object
    }
}
