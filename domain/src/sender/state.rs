//! The sender's events, state and decisions.

use crate::aggregate::Aggregate;
use crate::values::SenderKey;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Was registered, or renamed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SenderRegistered {
    /// Its key.
    pub key: SenderKey,
    /// Its name, for people.
    pub name: String,
}

crate::plain_bodies!(SenderRegistered);
crate::events! {
    /// What can have happened to a sender.
    SenderEvent of Sender { SenderRegistered = 1 }
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
}

/// Register it, or rename it.
#[derive(Debug, Clone)]
pub struct RegisterSender {
    /// Its key.
    pub key: SenderKey,
    /// Its name.
    pub name: String,
}

/// Why a sender says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SenderRefusal {
    /// People have to recognise it.
    #[error("a sender's name has 1 to 100 characters without control characters")]
    Name,
}

impl Aggregate for Sender {
    type Command = RegisterSender;
    type Event = SenderEvent;
    type Refusal = SenderRefusal;

    fn decide(&self, RegisterSender { key, name }: RegisterSender) -> Result<Vec<SenderEvent>, SenderRefusal> {
        if name.trim().is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            return Err(SenderRefusal::Name);
        }
        if self.exists && self.name == name {
            return Ok(Vec::new());
        }
        Ok(vec![SenderEvent::SenderRegistered(SenderRegistered { key, name })])
    }

    fn evolve(&mut self, event: &SenderEvent) {
        let SenderEvent::SenderRegistered(e) = event;
        *self = Self { exists: true, key: e.key.clone(), name: e.name.clone() };
    }
}
