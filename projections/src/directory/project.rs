//! Events to rows, one statement each: administrators are few.

use commands::consumer::{Changes, Consumer, HandleError, Sql};
use commands::log::Recorded;
use domain::Fact;
use domain::api_key::ApiKeyEvent;
use domain::category::CategoryEvent;
use domain::sender::SenderEvent;
use serde::Serialize;
use std::sync::Arc;

static CATEGORY: Sql = Sql {
    text: "INSERT INTO categories (key, name, description, required, default_channels, priority, defined_at, updated_position) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (key) DO UPDATE SET name = excluded.name, description = excluded.description, required = excluded.required, default_channels = excluded.default_channels, priority = excluded.priority, updated_position = excluded.updated_position",
    types: "tttitiii",
    key: 1,
};
static SENDER: Sql = Sql {
    text: "INSERT INTO senders (key, name, registered_at, updated_position) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key) DO UPDATE SET name = excluded.name, updated_position = excluded.updated_position",
    types: "ttii",
    key: 1,
};
static ISSUED: Sql = Sql {
    text: "INSERT INTO api_keys (id, name, prefix, hash, role, issued_at, expires_at, revoked_at, updated_position) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, ?8) ON CONFLICT (id) DO NOTHING",
    types: "bttttiii",
    key: 1,
};
static REVOKED: Sql = Sql { text: "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?2), updated_position = ?3 WHERE id = ?1", types: "bii", key: 1 };

/// The consumer; see the module.
#[derive(Debug, Default, Clone, Copy)]
pub struct DirectoryProjection;

impl Consumer for DirectoryProjection {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn handle(&mut self, events: &[Arc<Recorded>], changes: &mut Changes) -> Result<(), HandleError> {
        for event in events {
            match &event.fact {
                Fact::Category(CategoryEvent::CategoryDefined(e)) => changes.push(
                    &CATEGORY,
                    vec![
                        e.key.as_str().into(),
                        e.name.as_str().into(),
                        e.description.as_str().into(),
                        e.required.into(),
                        json(&e.default_channels)?.into(),
                        e.priority.rank().into(),
                        event.at.into(),
                        event.position.into(),
                    ],
                ),
                Fact::Sender(SenderEvent::SenderRegistered(e)) => {
                    changes.push(&SENDER, vec![e.key.as_str().into(), e.name.as_str().into(), event.at.into(), event.position.into()])
                }
                Fact::ApiKey(ApiKeyEvent::ApiKeyIssued(e)) => changes.push(
                    &ISSUED,
                    vec![
                        e.key.0.into(),
                        e.name.as_str().into(),
                        e.prefix.as_str().into(),
                        e.hash.as_str().into(),
                        json(&e.role)?.into(),
                        event.at.into(),
                        e.expires_at.into(),
                        event.position.into(),
                    ],
                ),
                Fact::ApiKey(ApiKeyEvent::ApiKeyRevoked(e)) => changes.push(&REVOKED, vec![e.key.0.into(), event.at.into(), event.position.into()]),
                Fact::Notification(_)
                | Fact::Recipient(_)
                | Fact::Subscription(_)
                | Fact::Address(_)
                | Fact::Frequency(_)
                | Fact::Digest(_)
                | Fact::Schedule(_)
                | Fact::Quota(_)
                | Fact::Template(_) => {}
            }
        }
        Ok(())
    }
}

fn json(value: &impl Serialize) -> Result<String, HandleError> {
    serde_json::to_string(value).map_err(|error| HandleError { reason: error.to_string() })
}
