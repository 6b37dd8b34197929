//! The API key's events, state and decisions.

use crate::aggregate::Aggregate;
use crate::values::{CategoryKey, KeyId, Millis, SenderKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a key may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything that is not a sender's.
    Administrator,
    /// Send, and manage recipients, for one sender.
    Sender {
        /// The sender.
        sender: SenderKey,
        /// Only these categories; all where empty.
        categories: Vec<CategoryKey>,
        /// Everything but the real provider call.
        sandbox: bool,
    },
}

/// Was issued; the secret was shown once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApiKeyIssued {
    /// Its public id.
    pub key: KeyId,
    /// What it is for, for people.
    pub name: String,
    /// The public beginning of the key, by which it is found.
    pub prefix: String,
    /// Keyed hash of the whole key (HMAC-SHA-256, hex).
    pub hash: String,
    /// What it may do.
    pub role: Role,
    /// Void after this (ms since the epoch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
}

/// Was revoked: refused from the next request on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApiKeyRevoked {
    /// Its public id.
    pub key: KeyId,
}

crate::plain_bodies!(ApiKeyIssued, ApiKeyRevoked);
crate::events! {
    /// What can have happened to an API key.
    ApiKeyEvent of ApiKey { ApiKeyIssued = 1, ApiKeyRevoked = 1 }
}

/// An API key as its events tell it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    /// What was issued.
    pub issued: Option<ApiKeyIssued>,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// What can be asked of an API key.
#[derive(Debug, Clone)]
pub enum ApiKeyCommand {
    /// Issue it.
    Issue(Box<ApiKeyIssued>),
    /// Revoke it.
    Revoke,
}

/// Why an API key says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyRefusal {
    /// There is none of this id.
    #[error("there is no API key of this id")]
    NotFound,
    /// Ids are drawn at random; a second one of the same id is a fault.
    #[error("an API key of this id exists already; try again")]
    Exists,
    /// People have to recognise it.
    #[error("an API key's name has 1 to 100 characters without control characters")]
    Name,
}

impl Aggregate for ApiKey {
    type Command = ApiKeyCommand;
    type Event = ApiKeyEvent;
    type Refusal = ApiKeyRefusal;

    fn decide(&self, command: ApiKeyCommand) -> Result<Vec<ApiKeyEvent>, ApiKeyRefusal> {
        match (command, &self.issued) {
            (ApiKeyCommand::Issue(_), Some(_)) => Err(ApiKeyRefusal::Exists),
            (ApiKeyCommand::Issue(issue), None) => {
                if issue.name.trim().is_empty() || issue.name.chars().count() > 100 || issue.name.chars().any(char::is_control) {
                    return Err(ApiKeyRefusal::Name);
                }
                Ok(vec![ApiKeyEvent::ApiKeyIssued(*issue)])
            }
            (ApiKeyCommand::Revoke, None) => Err(ApiKeyRefusal::NotFound),
            (ApiKeyCommand::Revoke, Some(_)) if self.revoked => Ok(Vec::new()),
            (ApiKeyCommand::Revoke, Some(issued)) => Ok(vec![ApiKeyEvent::ApiKeyRevoked(ApiKeyRevoked { key: issued.key })]),
        }
    }

    fn evolve(&mut self, event: &ApiKeyEvent) {
        match event {
            ApiKeyEvent::ApiKeyIssued(e) => self.issued = Some(e.clone()),
            ApiKeyEvent::ApiKeyRevoked(_) => self.revoked = true,
        }
    }
}
