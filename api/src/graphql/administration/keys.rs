//! API keys.

use crate::auth::bootstrap::{NewKey, issue};
use crate::graphql::context::{administrator, metadata, services};
use crate::graphql::error::{bus_error, read_error};
use crate::graphql::names::KeyRole;
use crate::graphql::position::Position;
use crate::graphql::problem::Refused;
use crate::graphql::wait::at_least;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject, Union};
use chrono::{DateTime, Utc};
use commands::accept::category_stream;
use commands::bus::{Bus, Refused as BusRefused};
use domain::api_key::{ApiKey, ApiKeyCommand, ApiKeyRefusal, Role};
use domain::category::Category;
use domain::sender::Sender;
use domain::values::{CategoryKey, KeyId, SenderKey};
use domain::{AggregateKind, StreamId};

/// A key to be.
#[derive(InputObject)]
pub struct CreateApiKeyInput {
    /// What it is for, for people.
    name: String,
    role: KeyRole,
    /// With role `SENDER`: the sender's key.
    sender: Option<String>,
    /// With role `SENDER`: only these categories; leave out for all.
    #[graphql(default)]
    categories: Vec<String>,
    /// With role `SENDER`: everything but the real provider call.
    #[graphql(default = false)]
    sandbox: bool,
    /// Void after this.
    expires_at: Option<DateTime<Utc>>,
}

/// Which key.
#[derive(InputObject)]
pub struct RevokeApiKeyInput {
    /// Its id.
    id: ID,
}

/// An API key, without its secret.
#[derive(SimpleObject)]
#[graphql(name = "ApiKey")]
pub struct ApiKeyObject {
    id: ID,
    name: String,
    /// The public beginning of the key.
    prefix: String,
    role: KeyRole,
    sender: Option<String>,
    categories: Vec<String>,
    sandbox: bool,
    expires_at: Option<DateTime<Utc>>,
    revoked: bool,
}

/// Issued.
#[derive(SimpleObject)]
pub struct ApiKeyCreated {
    api_key: ApiKeyObject,
    /// The key itself. It is shown this once and nowhere stored.
    secret: String,
    position: Position,
}

/// Done.
#[derive(SimpleObject)]
pub struct ApiKeyRevokedPayload {
    id: ID,
    position: Position,
}

/// Issued, or refused with a reason.
#[derive(Union)]
pub enum CreateApiKeyResult {
    /// Done.
    Created(Box<ApiKeyCreated>),
    /// Nothing was changed.
    Refused(Refused),
}

/// Revoked, or refused with a reason.
#[derive(Union)]
pub enum RevokeApiKeyResult {
    /// Done.
    Revoked(ApiKeyRevokedPayload),
    /// Nothing was changed.
    Refused(Refused),
}

fn object(id: KeyId, name: String, prefix: String, role: &Role, expires_at: Option<i64>, revoked: bool) -> ApiKeyObject {
    let (kind, sender, categories, sandbox) = match role {
        Role::Administrator => (KeyRole::Administrator, None, Vec::new(), false),
        Role::Sender { sender, categories, sandbox } => {
            (KeyRole::Sender, Some(sender.to_string()), categories.iter().map(CategoryKey::to_string).collect(), *sandbox)
        }
    };
    ApiKeyObject {
        id: ID(id.to_string()),
        name,
        prefix,
        role: kind,
        sender,
        categories,
        sandbox,
        expires_at: expires_at.and_then(DateTime::from_timestamp_millis),
        revoked,
    }
}

fn role(input: &CreateApiKeyInput) -> Result<Role, Refused> {
    match (input.role, &input.sender) {
        (KeyRole::Administrator, None) if input.categories.is_empty() && !input.sandbox => Ok(Role::Administrator),
        (KeyRole::Sender, Some(sender)) => Ok(Role::Sender {
            sender: SenderKey::new(sender).map_err(|error| Refused::at("sender", "SENDER_NOT_FOUND", error.to_string()))?,
            categories: input
                .categories
                .iter()
                .map(|key| CategoryKey::new(key))
                .collect::<Result<_, _>>()
                .map_err(|error| Refused::at("categories", "CATEGORY_NOT_FOUND", error.to_string()))?,
            sandbox: input.sandbox,
        }),
        _ => Err(Refused::at("role", "ROLE_INVALID", "Give `sender` (and, if you like, `categories` and `sandbox`) with role SENDER only.")),
    }
}

/// Refuses a category that is not defined: a key for it alone could send nothing, and whoever
/// misspelt it would learn that at the first notification.
async fn unknown_category(bus: &Bus, role: &Role) -> Result<Option<Refused>> {
    let Role::Sender { categories, .. } = role else { return Ok(None) };
    for key in categories {
        if !bus.load::<Category>(category_stream(key)).await.map_err(bus_error)?.state.exists {
            let message = format!("There is no category {key}; define it with defineCategory first.");
            return Ok(Some(Refused::at("categories", "CATEGORY_NOT_FOUND", message)));
        }
    }
    Ok(None)
}

/// Mutations on API keys.
#[derive(Default)]
pub struct KeyMutation;

#[Object]
impl KeyMutation {
    /// Issues an API key. Its secret is shown once.
    async fn create_api_key(&self, ctx: &Context<'_>, input: CreateApiKeyInput) -> Result<CreateApiKeyResult> {
        administrator(ctx)?;
        let services = services(ctx)?;
        let engine = &services.engine;
        let role = match role(&input) {
            Ok(role) => role,
            Err(refused) => return Ok(CreateApiKeyResult::Refused(refused)),
        };
        if let Role::Sender { sender, .. } = &role {
            let stream = StreamId::of_key(AggregateKind::Sender, sender.as_str());
            if !engine.bus.load::<Sender>(stream).await.map_err(bus_error)?.state.exists {
                return Ok(CreateApiKeyResult::Refused(Refused::at(
                    "sender",
                    "SENDER_NOT_FOUND",
                    "There is no sender of this key; create it with registerSender.",
                )));
            }
        }
        if let Some(refused) = unknown_category(&engine.bus, &role).await? {
            return Ok(CreateApiKeyResult::Refused(refused));
        }
        let now = engine.clock.now();
        let expires_at = input.expires_at.map(|at| at.timestamp_millis());
        if expires_at.is_some_and(|at| at <= now) {
            return Ok(CreateApiKeyResult::Refused(Refused::at("expiresAt", "EXPIRED", "`expiresAt` is in the past.")));
        }
        match issue(&engine.bus, &services.keys, engine.random.as_ref(), &metadata(ctx)?, NewKey { name: input.name, role, expires_at }, now).await {
            Ok((issued, secret, position)) => Ok(CreateApiKeyResult::Created(Box::new(ApiKeyCreated {
                api_key: object(issued.key, issued.name, issued.prefix, &issued.role, issued.expires_at, false),
                secret,
                position: Position(position),
            }))),
            Err(BusRefused::Refusal(refusal)) => Ok(CreateApiKeyResult::Refused(Refused::at(
                "name",
                if refusal == ApiKeyRefusal::Name { "INVALID_NAME" } else { "CONTENDED" },
                refusal.to_string(),
            ))),
            Err(error) => Err(bus_error(error)),
        }
    }

    /// Revokes an API key: it is refused from the next request on.
    async fn revoke_api_key(&self, ctx: &Context<'_>, input: RevokeApiKeyInput) -> Result<RevokeApiKeyResult> {
        administrator(ctx)?;
        let Ok(id) = input.id.parse::<KeyId>() else {
            return Ok(RevokeApiKeyResult::Refused(Refused::at("id", "NOT_FOUND", ApiKeyRefusal::NotFound.to_string())));
        };
        let stream = StreamId::new(AggregateKind::ApiKey, id.0);
        match services(ctx)?.engine.bus.execute::<ApiKey>(stream, &metadata(ctx)?, ApiKeyCommand::Revoke).await {
            Ok(done) => Ok(RevokeApiKeyResult::Revoked(ApiKeyRevokedPayload { id: input.id, position: Position(done.position) })),
            Err(BusRefused::Refusal(refusal)) => Ok(RevokeApiKeyResult::Refused(Refused::at("id", "NOT_FOUND", refusal.to_string()))),
            Err(error) => Err(bus_error(error)),
        }
    }
}

/// Queries on API keys.
#[derive(Default)]
pub struct KeyQuery;

#[Object]
impl KeyQuery {
    /// All API keys, without their secrets.
    async fn api_keys(&self, ctx: &Context<'_>, at_least_position: Option<Position>) -> Result<Vec<ApiKeyObject>> {
        administrator(ctx)?;
        let directory = &services(ctx)?.directory;
        at_least(directory.projection(), at_least_position).await?;
        let rows = directory.api_keys().await.map_err(read_error)?;
        Ok(rows.into_iter().map(|row| object(row.id, row.name, row.prefix, &row.role, row.expires_at, row.revoked_at.is_some())).collect())
    }
}
