//! Access tokens for FCM: a signed assertion is exchanged for one that lives an hour
//! (RFC 7523). One is shared by all calls and renewed five minutes early; who comes while it is
//! being renewed waits for that one request.

use crate::providers::http;
use commands::ports::Clock;
use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::RwLock;

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const EARLY: Duration = Duration::from_secs(300);

/// What is needed of a service account's key file.
pub(super) struct Account {
    pub project: String,
    email: String,
    token_uri: String,
    key: jsonwebtoken::EncodingKey,
    key_id: Option<String>,
}

#[derive(Deserialize)]
struct KeyFile {
    project_id: String,
    client_email: String,
    private_key: String,
    private_key_id: Option<String>,
    token_uri: String,
}

impl Account {
    pub(super) fn parse(json: &str) -> Result<Self, String> {
        let file: KeyFile = serde_json::from_str(json).map_err(|error| format!("the service account is not a key file as Google issues it: {error}"))?;
        let key = jsonwebtoken::EncodingKey::from_rsa_pem(file.private_key.as_bytes())
            .map_err(|error| format!("the service account's private key cannot be read: {error}"))?;
        Ok(Self { project: file.project_id, email: file.client_email, token_uri: file.token_uri, key, key_id: file.private_key_id })
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

/// Why there is no token.
#[derive(Debug)]
pub(super) enum TokenError {
    /// The endpoint says no.
    Refused(String),
    /// It could not be asked.
    Unreachable,
}

struct Held {
    header: HeaderValue,
    until: Duration,
    obtained: Duration,
}

/// See the module.
pub(super) struct TokenSource {
    account: Account,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
    held: RwLock<Option<Held>>,
}

impl TokenSource {
    pub(super) fn new(account: Account, client: reqwest::Client, clock: Arc<dyn Clock>) -> Result<Self, String> {
        reqwest::Url::parse(&account.token_uri).map_err(|error| format!("the service account's token_uri is not a URL: {error}"))?;
        Ok(Self { account, client, clock, held: RwLock::new(None) })
    }

    /// The value of the `Authorization` header. `fresh`: the one in use was refused.
    pub(super) async fn token(&self, fresh: bool) -> Result<HeaderValue, TokenError> {
        let asked = self.clock.monotonic();
        if !fresh
            && let Some(held) = self.held.read().await.as_ref()
            && asked + EARLY < held.until
        {
            return Ok(held.header.clone());
        }
        let mut slot = self.held.write().await;
        // Somebody else renewed it while this call waited for the lock.
        if let Some(held) = slot.as_ref()
            && held.obtained >= asked
        {
            return Ok(held.header.clone());
        }
        if !fresh
            && let Some(held) = slot.as_ref()
            && asked + EARLY < held.until
        {
            return Ok(held.header.clone());
        }
        let held = self.obtain().await?;
        let header = held.header.clone();
        *slot = Some(held);
        Ok(header)
    }

    async fn obtain(&self) -> Result<Held, TokenError> {
        let now = self.clock.now() / 1_000;
        let claims = Claims { iss: &self.account.email, scope: SCOPE, aud: &self.account.token_uri, iat: now, exp: now + 3_600 };
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
        header.kid.clone_from(&self.account.key_id);
        let assertion =
            jsonwebtoken::encode(&header, &claims, &self.account.key).map_err(|_| TokenError::Refused("the assertion cannot be signed".to_owned()))?;
        let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion.as_str())];
        let response = self.client.post(&self.account.token_uri).form(&form).send().await.map_err(|_| TokenError::Unreachable)?;
        let status = response.status();
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(TokenError::Unreachable);
        }
        let body = http::body(response).await.map_err(|_| TokenError::Unreachable)?;
        if !status.is_success() {
            return Err(TokenError::Refused(format!("token endpoint {}", status.as_u16())));
        }
        let granted: Granted = serde_json::from_slice(&body).map_err(|_| TokenError::Unreachable)?;
        let mut header = HeaderValue::try_from(format!("Bearer {}", granted.access_token)).map_err(|_| TokenError::Unreachable)?;
        header.set_sensitive(true);
        let obtained = self.clock.monotonic();
        Ok(Held { header, until: obtained + Duration::from_secs(granted.expires_in), obtained })
    }
}
