//! The sender's events, state and decisions.

use crate::aggregate::Aggregate;
use crate::values::{SenderKey, SentFrom, SentFromError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Was registered, or registered anew. Version 1 said nothing of whom messages come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SenderRegistered {
    /// Its key.
    pub key: SenderKey,
    /// Its name, for people.
    pub name: String,
    /// Whom its messages come from, where neither the category nor the provider's setting is to say so.
    #[serde(default, skip_serializing_if = "SentFrom::is_default")]
    pub from: SentFrom,
}

crate::plain_bodies!(SenderRegistered);
crate::events! {
    /// What can have happened to a sender.
    SenderEvent of Sender { SenderRegistered = 2 }
}

/// A sender as its events tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// Whether it is registered.
    pub exists: bool,
    /// Its key.
    pub key: SenderKey,
    /// Its name.
    pub name: String,
    /// Whom its messages come from.
    #[serde(default)]
    pub from: SentFrom,
}

/// Register it, or register it anew.
#[derive(Debug, Clone)]
pub struct RegisterSender {
    /// Its key.
    pub key: SenderKey,
    /// Its name.
    pub name: String,
    /// Whom its messages come from.
    pub from: SentFrom,
}

/// Why a sender says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SenderRefusal {
    /// People have to recognise it.
    #[error("a sender's name has 1 to 100 characters without control characters")]
    Name,
    /// See [`SentFrom::check`].
    #[error(transparent)]
    From(#[from] SentFromError),
}

impl Aggregate for Sender {
    type Command = RegisterSender;
    type Event = SenderEvent;
    type Refusal = SenderRefusal;

    fn decide(&self, RegisterSender { key, name, from }: RegisterSender) -> Result<Vec<SenderEvent>, SenderRefusal> {
        if name.trim().is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            return Err(SenderRefusal::Name);
        }
        from.check()?;
        if self.exists && self.name == name && self.from == from {
            return Ok(Vec::new());
        }
        Ok(vec![SenderEvent::SenderRegistered(SenderRegistered { key, name, from })])
    }

    fn evolve(&mut self, event: &SenderEvent) {
        let SenderEvent::SenderRegistered(e) = event;
        *self = Self { exists: true, key: e.key.clone(), name: e.name.clone(), from: e.from.clone() };
    }
}
