//! Provider tokens: ES256 signature, key id, team id, age, and at most one change per 20 minutes and connection.

use std::sync::{Mutex, PoisonError};

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use serde::Deserialize;

use super::super::signed_token;

/// Apple refuses tokens older than an hour.
const MAX_AGE_SECONDS: i64 = 3_600;
/// A token from the future is a wrong clock; Apple's exact allowance is not documented.
const SKEW_SECONDS: i64 = 300;
const CHANGE_SECONDS: i64 = 20 * 60;

type Error = (u16, &'static str);

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    iat: i64,
}

/// The one key and team this environment knows.
pub(super) struct ProviderTokens {
    pub(super) public_key: Vec<u8>,
    pub(super) key_id: String,
    pub(super) team_id: String,
}

#[derive(Debug)]
struct Current {
    token: String,
    issued: i64,
    first_seen: i64,
}

/// The token a connection uses.
#[derive(Debug, Default)]
pub(super) struct Session(Mutex<Option<Current>>);

impl ProviderTokens {
    /// Checks the token of a request at `now` (seconds).
    pub(super) fn check(&self, session: &Session, headers: &HeaderMap, now: i64) -> Result<(), Error> {
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or((403, "MissingProviderToken"))?;
        let token = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token,
            _ => return Err((403, "MissingProviderToken")),
        };
        let mut current = session.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A token already verified on this connection is not verified again, as one signature costs more than
        // the rest of the request.
        let known = current.as_ref().filter(|known| known.token == token);
        let issued = match known {
            Some(known) => known.issued,
            None => self.verify(token)?,
        };
        if now.saturating_sub(issued) > MAX_AGE_SECONDS {
            return Err((403, "ExpiredProviderToken"));
        }
        if issued > now + SKEW_SECONDS {
            return Err((403, "InvalidProviderToken"));
        }
        if known.is_none() {
            let early = |known: &Current| now.saturating_sub(known.first_seen) < CHANGE_SECONDS;
            if current.as_ref().is_some_and(early) {
                return Err((429, "TooManyProviderTokenUpdates"));
            }
            *current = Some(Current { token: token.to_owned(), issued, first_seen: now });
        }
        Ok(())
    }

    fn verify(&self, token: &str) -> Result<i64, Error> {
        let (header, claims): (_, Claims) = signed_token::verify(token, "ES256", &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED, &self.public_key)
            .map_err(|_| (403, "InvalidProviderToken"))?;
        if header.kid.as_deref() != Some(&self.key_id) || claims.iss != self.team_id {
            return Err((403, "InvalidProviderToken"));
        }
        Ok(claims.iat)
    }
}
