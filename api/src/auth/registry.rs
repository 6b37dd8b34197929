//! All API keys, in memory: looked up by prefix on every request, current from the commit on.

use super::api_key::{KeyHasher, prefix_of};
use super::principal::{Caller, Principal};
use crate::graphql::transport::AuthFailure;
use commands::log::{AfterCommit, Recorded};
use domain::Fact;
use domain::api_key::{ApiKeyEvent, Role};
use domain::values::{KeyId, Millis};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use subtle::ConstantTimeEq;

#[derive(Debug, Clone)]
struct Known {
    id: KeyId,
    hash: String,
    caller: Arc<Caller>,
    expires_at: Option<Millis>,
    revoked: bool,
}

/// See the module.
#[derive(Debug)]
pub struct KeyRegistry {
    hasher: KeyHasher,
    by_prefix: RwLock<HashMap<String, Known>>,
}

impl KeyRegistry {
    /// Empty.
    pub fn new(hasher: KeyHasher) -> Self {
        Self { hasher, by_prefix: RwLock::default() }
    }

    /// The hasher of its keys.
    pub const fn hasher(&self) -> &KeyHasher {
        &self.hasher
    }

    /// Takes in a key that was issued before this start.
    pub fn add(&self, id: KeyId, prefix: &str, hash: &str, role: &Role, expires_at: Option<Millis>, revoked: bool) {
        let caller = Arc::new(match role {
            Role::Administrator => Caller::Administrator { key: id },
            Role::Sender { sender, categories, sandbox } => {
                Caller::Sender { key: id, sender: sender.clone(), categories: categories.clone(), sandbox: *sandbox }
            }
        });
        let known = Known { id, hash: hash.to_owned(), caller, expires_at, revoked };
        self.by_prefix.write().unwrap_or_else(PoisonError::into_inner).insert(prefix.to_owned(), known);
    }

    fn revoke(&self, id: KeyId) {
        for known in self.by_prefix.write().unwrap_or_else(PoisonError::into_inner).values_mut() {
            known.revoked |= known.id == id;
        }
    }

    /// Whether there is an administrator who can still get in.
    pub fn has_administrator(&self, now: Millis) -> bool {
        let keys = self.by_prefix.read().unwrap_or_else(PoisonError::into_inner);
        keys.values().any(|known| !known.revoked && known.expires_at.is_none_or(|at| at > now) && matches!(*known.caller, Caller::Administrator { .. }))
    }

    /// Judges a key.
    pub fn authenticate(&self, key: &str, now: Millis) -> Result<Principal, AuthFailure> {
        let prefix = prefix_of(key).ok_or(AuthFailure::UNAUTHENTICATED)?;
        let known = self.by_prefix.read().unwrap_or_else(PoisonError::into_inner).get(prefix).cloned().ok_or(AuthFailure::UNAUTHENTICATED)?;
        // The hash is compared before anything is said about the key, in constant time.
        if !bool::from(self.hasher.hash(key).as_bytes().ct_eq(known.hash.as_bytes())) {
            return Err(AuthFailure::UNAUTHENTICATED);
        }
        if known.revoked || known.expires_at.is_some_and(|at| at <= now) {
            return Err(AuthFailure::KEY_REVOKED);
        }
        Ok(Principal { caller: known.caller, expires_at: known.expires_at })
    }

    /// Whether the key of an open connection still holds.
    pub fn holds(&self, id: KeyId) -> bool {
        self.by_prefix.read().unwrap_or_else(PoisonError::into_inner).values().any(|known| known.id == id && !known.revoked)
    }
}

impl AfterCommit for KeyRegistry {
    fn committed(&self, events: &[Arc<Recorded>]) {
        for event in events {
            match &event.fact {
                Fact::ApiKey(ApiKeyEvent::ApiKeyIssued(e)) => self.add(e.key, &e.prefix, &e.hash, &e.role, e.expires_at, false),
                Fact::ApiKey(ApiKeyEvent::ApiKeyRevoked(e)) => self.revoke(e.key),
                _ => {}
            }
        }
    }
}
