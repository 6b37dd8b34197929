//! The English of explanations.

mod limits;
mod provider;
mod rules;
mod time;

pub(super) use limits::{digest, limit, next_when, template_unused};
pub(super) use provider::answer;
pub(super) use rules::{by_name, by_words, rule, source_name, source_words};
pub(super) use time::{length, local, moment};

use domain::subscription::Scope;
use domain::values::{Channel, TextCost};

/// A channel for people.
pub(super) const fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::AndroidPush => "Android push",
        Channel::IosPush => "iOS push",
        Channel::Email => "email",
        Channel::InApp => "the app's inbox",
        Channel::Webhook => "webhook",
        Channel::Sms => "SMS",
        Channel::Voice => "voice call",
        Channel::WebPush => "web push",
        Channel::Chat => "chat",
        Channel::KakaoTalk => "KakaoTalk",
    }
}

/// What a text message was paid by.
pub(super) fn cost(cost: &TextCost) -> String {
    let segments = if cost.segments == 1 { "1 segment".to_owned() } else { format!("{} segments", cost.segments) };
    cost.price.as_ref().map_or_else(|| segments.clone(), |price| format!("{segments}, {price}"))
}

/// What a switch is about.
pub(super) fn scope(scope: &Scope) -> String {
    match scope {
        Scope::All => "everything".to_owned(),
        Scope::Channel(over) => channel(*over).to_owned(),
        Scope::Category(key) => format!("the category {key}"),
        Scope::CategoryChannel { category, channel: over } => format!("the category {category} over {}", channel(*over)),
        Scope::Device(_) => "this device".to_owned(),
        Scope::Topic(key) => format!("the topic {key}"),
        Scope::Tracking => "the tracking of opens and clicks".to_owned(),
    }
}

/// A list as in a sentence: «a, b and c».
pub(super) fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// With an upper-case beginning.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
