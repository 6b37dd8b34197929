//! What the first start creates: an administrator's key, and a category to send under.

use super::api_key;
use super::registry::KeyRegistry;
use commands::accept::category_stream;
use commands::bus::{Bus, Refused};
use commands::log::{LogError, Metadata};
use commands::ports::{Clock, Random};
use domain::api_key::{ApiKey, ApiKeyCommand, ApiKeyIssued, Role};
use domain::category::{Category, DefineCategory};
use domain::values::{CategoryKey, Channel, KeyId, Millis, Priority};
use domain::{AggregateKind, StreamId};
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// The category that exists from the first start.
pub const GENERAL: &str = "general";

/// A key to be.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What it is for, for people.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Void after this (ms since the epoch).
    pub expires_at: Option<Millis>,
}

/// Issues a key and gives its secret, which is shown once.
pub async fn issue(
    bus: &Bus,
    keys: &KeyRegistry,
    random: &dyn Random,
    metadata: &Arc<Metadata>,
    new: NewKey,
    now: Millis,
) -> Result<(ApiKeyIssued, String, u64), Refused<domain::api_key::ApiKeyRefusal>> {
    let (issued, secret) = draw(keys, random, KeyId(random.id(now)), new);
    let position = put_in_force(bus, metadata, &issued).await?;
    Ok((issued, secret, position))
}

/// A key that is not in force yet, and its secret.
fn draw(keys: &KeyRegistry, random: &dyn Random, key: KeyId, new: NewKey) -> (ApiKeyIssued, String) {
    let NewKey { name, role, expires_at } = new;
    let sandbox = matches!(role, Role::Sender { sandbox: true, .. });
    let (prefix, secret) = api_key::generate(random, sandbox);
    (ApiKeyIssued { key, name, prefix, hash: keys.hasher().hash(&secret), role, expires_at }, secret)
}

async fn put_in_force(bus: &Bus, metadata: &Arc<Metadata>, issued: &ApiKeyIssued) -> Result<u64, Refused<domain::api_key::ApiKeyRefusal>> {
    let stream = StreamId::new(AggregateKind::ApiKey, issued.key.0);
    Ok(bus.execute::<ApiKey>(stream, metadata, ApiKeyCommand::Issue(Box::new(issued.clone()))).await?.position)
}

/// The id of the nth administrator's key that a start makes, so that several replicas which start at once on
/// an empty database make one: the log takes but one first event of a stream.
fn administrator(nth: u8) -> KeyId {
    let mut bytes = *b"bongsu:admin:key";
    bytes[15] = nth;
    KeyId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// Creates what is missing; the secret of a new administrator's key, if there had to be one.
///
/// The secret is made durable before the key is in force: after a crash between the two
/// there is a secret of no key, and the next start makes another. The other way round there was a
/// key whose secret nobody had, and no way to make a second one. `keep` of none forgets it: it opens nothing,
/// since another replica was faster.
pub async fn ensure<E: From<LogError>>(
    bus: &Bus,
    keys: &KeyRegistry,
    clock: &dyn Clock,
    random: &dyn Random,
    keep: impl Fn(Option<&str>) -> Result<(), E>,
) -> Result<Option<String>, E> {
    let metadata = Arc::new(Metadata::of("bootstrap"));
    if let Ok(key) = CategoryKey::new(GENERAL) {
        let general = bus.load::<Category>(category_stream(&key)).await.map_err(log_error)?;
        if !general.state.exists {
            let description = "Everything that has no category of its own.".to_owned();
            let define = DefineCategory::plain(key.clone(), "General".to_owned(), description, false, Channel::UNNAMED.to_vec(), Priority::Normal);
            bus.execute::<Category>(category_stream(&key), &metadata, define).await.map_err(log_error)?;
        }
    }
    for nth in 0..=u8::MAX {
        let now = clock.now();
        if keys.has_administrator(now) {
            return Ok(None);
        }
        let id = administrator(nth);
        let found = bus.load::<ApiKey>(StreamId::new(AggregateKind::ApiKey, id.0)).await.map_err(log_error)?;
        match &found.state.issued {
            // Revoked or expired: nobody has one any more.
            Some(issued) if found.state.revoked || issued.expires_at.is_some_and(|at| at <= now) => continue,
            Some(_) => return Ok(None),
            None => {}
        }
        let (issued, secret) = draw(keys, random, id, NewKey { name: "first administrator".to_owned(), role: Role::Administrator, expires_at: None });
        keep(Some(&secret))?;
        match put_in_force(bus, &metadata, &issued).await {
            Ok(_) => return Ok(Some(secret)),
            Err(Refused::Refusal(_)) => return keep(None).map(|()| None),
            Err(error) => return Err(log_error(error).into()),
        }
    }
    Ok(None)
}

fn log_error<R: std::fmt::Display>(error: Refused<R>) -> LogError {
    match error {
        Refused::Log(error) => error,
        Refused::Refusal(refusal) => LogError::Unavailable { reason: refusal.to_string() },
        Refused::Erased | Refused::Contended => LogError::Overloaded,
    }
}
