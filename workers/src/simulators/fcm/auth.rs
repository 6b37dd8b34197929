//! The OAuth token endpoint: a signed assertion in, an opaque expiring access token out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use serde::Deserialize;
use serde_json::json;

use super::super::World;
use super::super::credentials::KeyRing;
use super::super::fault::{Answer, answer};
use super::super::ledger::hex;
use super::super::signed_token::{self, TokenFault};
use super::error::JSON;

const LIFETIME_SECONDS: i64 = 3_599;
/// Google allows assertions of at most an hour, and some clock difference.
const MAX_ASSERTION_SECONDS: i64 = 3_600;
const SKEW_SECONDS: i64 = 300;
/// Tokens remembered; the oldest are forgotten first and then count as unknown.
const MAX_TOKENS: usize = 4_096;
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SCOPES: [&str; 2] = ["https://www.googleapis.com/auth/firebase.messaging", "https://www.googleapis.com/auth/cloud-platform"];

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    #[serde(default)]
    scope: String,
}

/// Issues access tokens and knows which are valid.
pub(crate) struct TokenEndpoint {
    world: Arc<World>,
    public_key: Vec<u8>,
    audience: String,
    /// Token and when it expires, in seconds.
    issued: Mutex<HashMap<String, i64>>,
}

impl TokenEndpoint {
    pub(crate) fn new(world: Arc<World>, public_key: Vec<u8>, audience: String) -> Self {
        Self { world, public_key, audience, issued: Mutex::default() }
    }

    /// `None` for a token never issued, `Some(false)` for an expired one.
    pub(super) fn is_valid(&self, token: &str) -> Option<bool> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.get(token).map(|expires| *expires > self.world.clock.now_seconds())
    }

    pub(super) fn exchange(&self, head: &Parts, body: &[u8]) -> Answer {
        match self.check(head, body) {
            Ok(()) => {
                let Some(token) = self.issue() else {
                    return answer(500, JSON, r#"{"error":"internal_failure"}"#);
                };
                let body = json!({
                    "access_token": token, "expires_in": LIFETIME_SECONDS, "token_type": "Bearer",
                });
                answer(200, JSON, body.to_string())
            }
            Err((error, description)) => {
                let body = json!({ "error": error, "error_description": description });
                answer(400, JSON, body.to_string())
            }
        }
    }

    fn check(&self, head: &Parts, body: &[u8]) -> Result<(), (&'static str, &'static str)> {
        let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
            return Err(("invalid_request", "Expected application/x-www-form-urlencoded."));
        }
        let form: HashMap<_, _> = url::form_urlencoded::parse(body).collect();
        if form.get("grant_type").map(AsRef::as_ref) != Some(GRANT) {
            return Err(("unsupported_grant_type", "Invalid grant_type."));
        }
        let assertion = form.get("assertion").ok_or(("invalid_request", "Missing assertion."))?;
        let (_, claims): (_, Claims) =
            signed_token::verify(assertion, "RS256", &RSA_PKCS1_2048_8192_SHA256, &self.public_key).map_err(|fault| match fault {
                TokenFault::BadSignature => ("invalid_grant", "Invalid JWT Signature."),
                TokenFault::Malformed | TokenFault::WrongAlgorithm => ("invalid_grant", "Invalid JWT: the assertion could not be parsed."),
            })?;
        let now = self.world.clock.now_seconds();
        if claims.iss != KeyRing::fcm_issuer() {
            return Err(("invalid_grant", "Invalid grant: account not found"));
        }
        if claims.aud != self.audience {
            return Err(("invalid_grant", "Invalid JWT: Failed audience check."));
        }
        let fresh = claims.exp > now - SKEW_SECONDS && claims.iat <= now + SKEW_SECONDS && claims.exp.saturating_sub(claims.iat) <= MAX_ASSERTION_SECONDS;
        if !fresh {
            return Err(("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."));
        }
        if !claims.scope.split(' ').any(|scope| SCOPES.contains(&scope)) {
            return Err(("invalid_scope", "Invalid OAuth scope or ID token audience provided."));
        }
        Ok(())
    }

    /// `None` when the operating system gives no random numbers.
    fn issue(&self) -> Option<String> {
        let mut random = [0_u8; 24];
        aws_lc_rs::rand::fill(&mut random).ok()?;
        let token = format!("ya29.sim-{}", hex(&random));
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if issued.len() >= MAX_TOKENS
            && let Some(oldest) = issued.iter().min_by_key(|(_, expires)| **expires).map(|(token, _)| token.clone())
        {
            issued.remove(&oldest);
        }
        issued.insert(token.clone(), self.world.clock.now_seconds() + LIFETIME_SECONDS);
        Some(token)
    }
}
