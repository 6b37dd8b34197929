//! What a template is made of: what its author writes.

use super::experiment::Experiment;
use crate::values::{Channel, Locale, TemplateKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a template is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TemplateKind {
    /// Notifications are made from it.
    #[default]
    Message,
    /// Others extend it: `{% extends "key" %}`.
    Layout,
    /// Others include it: `{% include "key" %}`.
    Partial,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParameterType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A day, `2026-11-22`.
    Date,
    /// A moment: RFC 3339, or milliseconds since the epoch.
    DateTime,
    /// An absolute URL, `https:`, `http:`, `mailto:` or `tel:`.
    Url,
    /// A list of anything.
    List,
    /// A map of anything.
    Object,
}

/// A value that a sender gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Parameter {
    /// Its name in bodies: a letter, then letters, digits and `_`.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ParameterType,
    /// What it is, for who writes senders.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whether a request without it is refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// What it is where a request does not give it; absent: undefined, which `is defined` tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What it is in previews and when the template is tried before it is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<Value>,
}

/// What is told over one channel, or over all that have no body of their own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Body {
    /// The channel; absent: all that have no body of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Title of a push, subject of an e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text; of an e-mail with HTML it may be left out and is made from that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// HTML of an e-mail. Not with `mjml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// MJML of an e-mail, from which its HTML is made. Not with `html`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mjml: Option<String>,
    /// What mail programs show beside the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preheader: Option<String>,
    /// JSON object for the receiving app or endpoint, with expressions in its strings' places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

/// Everything in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Localized {
    /// The language.
    pub locale: Locale,
    /// At most one for each channel, and at most one for all others.
    pub bodies: Vec<Body>,
}

/// Everything that an author writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Its name, for people.
    pub name: String,
    /// What it is for, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What it is for.
    #[serde(default)]
    pub kind: TemplateKind,
    /// The language of those whose own it does not have.
    pub default_locale: Locale,
    /// What senders give.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// What is told, in each language.
    pub locales: Vec<Localized>,
    /// Other words that are tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<Experiment>,
}

/// The versions of layouts and partials that a version rests on, as pinned when it was published.
pub type Pins = BTreeMap<TemplateKey, u32>;

impl Source {
    /// The body for a channel in a language: of the nearest language that has one, the channel's own
    /// before the one for all; else the same of the default language.
    pub fn body(&self, channel: Channel, locale: &Locale) -> Option<(&Locale, &Body)> {
        let tags = locale.chain().chain(self.default_locale.chain());
        tags.filter_map(|tag| self.locales.iter().find(|localized| localized.locale.as_str() == tag)).find_map(|localized| {
            let own = localized.bodies.iter().find(|body| body.channel == Some(channel));
            own.or_else(|| localized.bodies.iter().find(|body| body.channel.is_none())).map(|body| (&localized.locale, body))
        })
    }

    /// Bytes of everything in it.
    pub fn size(&self) -> usize {
        serde_json::to_vec(self).map_or(usize::MAX, |json| json.len())
    }
}
