//! Enums of the API and their counterparts in the domain.

use async_graphql::Enum;
use domain::values;

/// How a notification reaches somebody.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "values::Channel", name = "Channel")]
pub enum Channel {
    /// Push to Android devices.
    AndroidPush,
    /// Push to Apple devices.
    IosPush,
    /// E-mail.
    Email,
    /// History and live feed inside the app.
    InApp,
    /// Signed HTTP request to a URL of the recipient's.
    Webhook,
    /// Text message to the recipient's phone. Goes out only where it is named.
    Sms,
    /// Telephone call that reads the text aloud. Goes out only where it is named.
    Voice,
    /// Push to browsers. Goes out only where it is named.
    WebPush,
    /// Message to an incoming webhook of Slack. Goes out only where it is named.
    Chat,
    /// AlimTalk: an approved template to the KakaoTalk of the recipient's phone. Goes out only where it is named.
    KakaoTalk,
}

/// How urgent it is. Higher is drained first, lower never starves.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "values::Priority", name = "Priority")]
pub enum Priority {
    /// May wait.
    Low,
    /// The usual.
    Normal,
    /// Somebody is waiting for it.
    High,
    /// Harm if it is late.
    Critical,
}

/// What a switch is about.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionScope {
    /// Everything but required categories.
    All,
    /// One channel.
    Channel,
    /// One category.
    Category,
    /// One category on one channel.
    CategoryChannel,
    /// One device or other address.
    Device,
    /// One topic.
    Topic,
    /// Being watched: whether e-mails are opened and their links followed. Says nothing about what is sent.
    Tracking,
}

/// A rule's name, as in events.
pub fn rule_name(rule: values::Rule) -> String {
    serde_json::to_value(rule).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// What an API key is for.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRole {
    /// Everything that is not a sender's.
    Administrator,
    /// Sends for one sender.
    Sender,
}
