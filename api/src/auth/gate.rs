//! From a request's credentials to its principal.

use super::catch_up::CatchUp;
use super::limits::Limits;
use super::principal::{Caller, Principal};
use super::recipient_token::TokenKey;
use super::registry::KeyRegistry;
use crate::graphql::transport::{AuthFailure, Authenticate};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use commands::ports::Clock;
use std::sync::Arc;
use std::time::Duration;

/// What every key of ours begins with.
const KEY: &str = "bongsu_";

/// See the module.
#[derive(Clone)]
pub struct Gate {
    keys: Arc<KeyRegistry>,
    tokens: Arc<TokenKey>,
    limits: Arc<dyn Limits>,
    clock: Arc<dyn Clock>,
    /// Where other replicas issue keys too.
    catch_up: Option<Arc<CatchUp>>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

impl Gate {
    /// Over keys, tokens, and how often they may be used.
    pub fn new(keys: Arc<KeyRegistry>, tokens: Arc<TokenKey>, limits: Arc<dyn Limits>, clock: Arc<dyn Clock>) -> Self {
        Self { keys, tokens, limits, clock, catch_up: None }
    }

    /// Beside other replicas, which issue keys too.
    #[must_use]
    pub fn beside_others(self, catch_up: Option<CatchUp>) -> Self {
        Self { catch_up: catch_up.map(Arc::new), ..self }
    }

    /// Judges what stands behind `Bearer`.
    pub fn judge(&self, credential: &str) -> Result<Principal, AuthFailure> {
        let now = self.clock.now();
        if credential.starts_with(KEY) {
            return self.keys.authenticate(credential, now);
        }
        let (id, expires_at) = self.tokens.judge(credential, now)?;
        Ok(Principal { caller: Arc::new(Caller::Recipient { id }), expires_at: Some(expires_at) })
    }
}

fn bearer(text: &str) -> Option<&str> {
    let (scheme, credential) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| credential.trim())
}

impl Authenticate for Gate {
    type Principal = Principal;

    async fn authenticate(&self, headers: &HeaderMap, init: Option<&serde_json::Value>) -> Result<Principal, AuthFailure> {
        let of_init = init.and_then(|init| init.get("Authorization").or_else(|| init.get("authorization"))).and_then(serde_json::Value::as_str);
        let of_headers = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let credential = of_init.or(of_headers).and_then(bearer).ok_or(AuthFailure::UNAUTHENTICATED)?;
        match (self.judge(credential), &self.catch_up) {
            (Err(failure), Some(catch_up)) if failure == AuthFailure::UNAUTHENTICATED && credential.starts_with(KEY) => {
                catch_up.now().await;
                self.judge(credential)
            }
            (judged, _) => judged,
        }
    }

    fn now_ms(&self) -> i64 {
        self.clock.now()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        self.clock.sleep(duration)
    }

    fn admit(&self, principal: &Principal) -> Result<(), AuthFailure> {
        if self.limits.take(&principal.caller, self.clock.monotonic()) {
            return Ok(());
        }
        let reason = match principal.caller.as_ref() {
            Caller::Administrator { .. } | Caller::Sender { .. } => "key_requests",
            Caller::Recipient { .. } => "recipient_requests",
        };
        metrics::counter!("bongsu_requests_refused_total", "reason" => reason).increment(1);
        Err(AuthFailure::RATE_LIMITED)
    }

    async fn recheck(&self, principal: &Principal) -> Result<(), AuthFailure> {
        match principal.caller.as_ref() {
            Caller::Administrator { key } | Caller::Sender { key, .. } if !self.keys.holds(*key) => Err(AuthFailure::KEY_REVOKED),
            _ => Ok(()),
        }
    }
}
