//! Provider tokens for APNs: a short claim signed with the team's key (RFC 7519, ES256).
//!
//! One is shared by all calls for fifty minutes: Apple refuses those over an hour old and those
//! that change more than once in twenty minutes. Signing takes microseconds, so it happens under
//! the lock: who comes meanwhile waits and uses the same one.

use super::error_map::TOKEN_CHANGE;
use commands::ports::Clock;
use domain::values::Millis;
use reqwest::header::HeaderValue;
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const LIFETIME: Duration = Duration::from_secs(50 * 60);

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
}

/// A token in use.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// The value of the `authorization` header.
    pub header: HeaderValue,
    signed: Duration,
    issued: Millis,
}

/// The key did not sign.
#[derive(Debug)]
pub(super) struct CannotSign;

/// See the module.
pub(super) struct TokenSource {
    key: jsonwebtoken::EncodingKey,
    key_id: String,
    team_id: String,
    clock: Arc<dyn Clock>,
    held: Mutex<Option<Token>>,
}

impl TokenSource {
    pub(super) fn new(key_pem: &str, key_id: &str, team_id: &str, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let key = jsonwebtoken::EncodingKey::from_ec_pem(key_pem.as_bytes())
            .map_err(|error| format!("the key cannot be read as the .p8 file that Apple issues: {error}"))?;
        for (name, id) in [("key_id", key_id), ("team_id", team_id)] {
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(format!("{name} is not letters and digits; copy it from the developer account"));
            }
        }
        Ok(Self { key, key_id: key_id.to_owned(), team_id: team_id.to_owned(), clock, held: Mutex::new(None) })
    }

    /// The token to use now.
    pub(super) fn token(&self) -> Result<Token, CannotSign> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.monotonic();
        match held.as_ref() {
            Some(token) if now.saturating_sub(token.signed) < LIFETIME => Ok(token.clone()),
            _ => Ok(held.insert(self.sign(now)?).clone()),
        }
    }

    /// Another token for one that was refused as too old, which happens when the machine slept or
    /// its clock was set. `None` when it was issued so recently that another one would be refused
    /// as well, then also for changing too often: the machine's clock is wrong.
    pub(super) fn renewed(&self, refused: &Token) -> Result<Option<Token>, CannotSign> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = held.as_ref()
            && token.header != refused.header
        {
            return Ok(Some(token.clone()));
        }
        let age = Duration::from_millis(self.clock.now().abs_diff(refused.issued));
        if age < TOKEN_CHANGE {
            return Ok(None);
        }
        let token = self.sign(self.clock.monotonic())?;
        Ok(Some(held.insert(token).clone()))
    }

    fn sign(&self, signed: Duration) -> Result<Token, CannotSign> {
        let issued = self.clock.now();
        // Only what Apple asks for in the header: no `typ`.
        let header = jsonwebtoken::Header { typ: None, kid: Some(self.key_id.clone()), ..jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256) };
        let claims = Claims { iss: &self.team_id, iat: issued / 1_000 };
        let token = jsonwebtoken::encode(&header, &claims, &self.key).map_err(|_| CannotSign)?;
        let mut header = HeaderValue::try_from(format!("bearer {token}")).map_err(|_| CannotSign)?;
        header.set_sensitive(true);
        Ok(Token { header, signed, issued })
    }
}
