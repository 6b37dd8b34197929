//! Access tokens for FCM: a signed assertion is exchanged for one that lives an hour
//! (RFC 7523).
//!
//! One is shared by all calls. It is renewed five minutes early by one call, while the others go on
//! with it; only without a usable one do they wait, all for the same request, and share its failure.
//! Rejected: a task that renews in the background, which asks for tokens that nobody needs.

use crate::providers::http;
use commands::ports::Clock;
use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// How long before its end a token is renewed.
const EARLY: Duration = Duration::from_secs(300);
/// Longest lifetime that is believed.
const LONGEST: u64 = 86_400;
/// Pause after a failed renewal while the old token is still good.
const PAUSE: Duration = Duration::from_secs(10);

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

/// The endpoint's own refusal (RFC 6749 section 5.2).
#[derive(Deserialize)]
struct Denied {
    error: String,
}

/// Why there is no token.
#[derive(Debug, Clone)]
pub(super) enum TokenError {
    /// The endpoint says no.
    Refused(String),
    /// It could not be asked.
    Unreachable,
}

struct Held {
    header: HeaderValue,
    renew: Duration,
    until: Duration,
}

/// The last request that brought no token.
struct Failed {
    at: Duration,
    error: TokenError,
}

/// See the module.
pub(super) struct TokenSource {
    account: Account,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
    held: RwLock<Option<Held>>,
    /// Held by the one call that asks for a token.
    asking: Mutex<Option<Failed>>,
    /// Requests that have ended, by which who waited knows that one ended meanwhile.
    ended: AtomicU64,
}

impl TokenSource {
    pub(super) fn new(account: Account, client: reqwest::Client, clock: Arc<dyn Clock>) -> Result<Self, String> {
        reqwest::Url::parse(&account.token_uri).map_err(|error| format!("the service account's token_uri is not a URL: {error}"))?;
        Ok(Self { account, client, clock, held: RwLock::default(), asking: Mutex::default(), ended: AtomicU64::new(0) })
    }

    /// The value of the `Authorization` header. `refused` is one that FCM did not take: it is not
    /// given again.
    pub(super) async fn token(&self, refused: Option<&HeaderValue>) -> Result<HeaderValue, TokenError> {
        let (valid, fresh) = self.held(refused);
        if let Some(token) = valid.as_ref().filter(|_| fresh) {
            return Ok(token.clone());
        }
        let ended = self.ended.load(Ordering::Acquire);
        let mut failed = match &valid {
            None => self.asking.lock().await,
            Some(token) => match self.asking.try_lock() {
                Ok(turn) => turn,
                Err(_) => return Ok(token.clone()),
            },
        };
        let (valid, fresh) = self.held(refused);
        match (valid, failed.as_ref()) {
            (Some(token), _) if fresh => return Ok(token),
            (Some(token), Some(failed)) if self.clock.monotonic() < failed.at + PAUSE => return Ok(token),
            (None, Some(failed)) if self.ended.load(Ordering::Acquire) != ended => return Err(failed.error.clone()),
            _ => {}
        }
        let asked = self.obtain().await;
        self.ended.fetch_add(1, Ordering::Release);
        match asked {
            Ok(held) => {
                let token = held.header.clone();
                *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
                *failed = None;
                Ok(token)
            }
            Err(error) => {
                *failed = Some(Failed { at: self.clock.monotonic(), error: error.clone() });
                self.held(refused).0.ok_or(error)
            }
        }
    }

    /// The token that is there and still good, and whether it need not be renewed yet.
    fn held(&self, refused: Option<&HeaderValue>) -> (Option<HeaderValue>, bool) {
        let now = self.clock.monotonic();
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        match held.as_ref() {
            Some(held) if now < held.until && refused != Some(&held.header) => (Some(held.header.clone()), now < held.renew),
            _ => (None, false),
        }
    }

    async fn obtain(&self) -> Result<Held, TokenError> {
        let asked = self.clock.monotonic();
        let now = self.clock.now() / 1_000;
        let claims = Claims { iss: &self.account.email, scope: SCOPE, aud: &self.account.token_uri, iat: now, exp: now + 3_600 };
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
        header.kid.clone_from(&self.account.key_id);
        let assertion =
            jsonwebtoken::encode(&header, &claims, &self.account.key).map_err(|_| TokenError::Refused("the assertion cannot be signed".to_owned()))?;
        let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion.as_str())];
        let response = self.client.post(&self.account.token_uri).form(&form).send().await.map_err(|_| TokenError::Unreachable)?;
        let status = response.status();
        if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
            return Err(TokenError::Unreachable);
        }
        let body = http::body(response).await.map_err(|_| TokenError::Unreachable)?;
        if !status.is_success() {
            return Err(refusal(status.as_u16(), &body));
        }
        let granted: Granted = serde_json::from_slice(&body).map_err(|_| TokenError::Unreachable)?;
        let mut header = HeaderValue::try_from(format!("Bearer {}", granted.access_token)).map_err(|_| TokenError::Unreachable)?;
        header.set_sensitive(true);
        let lifetime = Duration::from_secs(granted.expires_in.min(LONGEST));
        // Of a short life at least half is used.
        let renew = asked + lifetime - EARLY.min(lifetime / 2);
        Ok(Held { header, renew, until: asked + lifetime })
    }
}

fn refusal(status: u16, body: &[u8]) -> TokenError {
    let word = serde_json::from_slice::<Denied>(body).ok().map(|denied| denied.error);
    let word = word.filter(|word| (1..=40).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
    TokenError::Refused(match word {
        Some(word) => format!("token endpoint {status} {word}"),
        None => format!("token endpoint {status}"),
    })
}
