//! Tokens of recipients' client apps: JWTs signed with HMAC-SHA-256 by a key of ours. The
//! algorithm, issuer and audience are fixed; whatever a token's header says beyond that is
//! ignored.

use crate::graphql::transport::AuthFailure;
use commands::log::MasterKey;
use domain::values::{Millis, RecipientId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// Longest life of a token, in seconds.
pub const LONGEST_TTL: i64 = 86_400;
/// Life of a token where none is asked for, in seconds.
pub const DEFAULT_TTL: i64 = 3_600;

const ISSUER: &str = "bongsu";
const AUDIENCE: &str = "bongsu/recipient";

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// Mints and judges tokens.
pub struct TokenKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey")
    }
}

impl TokenKey {
    /// With a key of the master key's.
    pub fn new(master: &MasterKey) -> Self {
        let key = master.derive("bongsu/recipient-tokens/1");
        Self { encoding: EncodingKey::from_secret(key.as_ref()), decoding: DecodingKey::from_secret(key.as_ref()) }
    }

    /// A token for a recipient; none only if the library cannot sign.
    pub fn mint(&self, recipient: RecipientId, ttl_seconds: i64, now: Millis) -> Option<String> {
        let now = now / 1_000;
        let claims = Claims { iss: ISSUER.to_owned(), aud: AUDIENCE.to_owned(), sub: recipient.to_string(), iat: now, nbf: now, exp: now + ttl_seconds };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).ok()
    }

    /// Judges a token; gives the recipient and the end of the token's life.
    pub fn judge(&self, token: &str, now: Millis) -> Result<(RecipientId, Millis), AuthFailure> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // Time is a port: the library would ask the machine's clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation).map_err(|_| AuthFailure::UNAUTHENTICATED)?.claims;
        let seconds = now / 1_000;
        if claims.exp <= seconds {
            return Err(AuthFailure::KEY_REVOKED);
        }
        // Clocks of machines differ by some seconds.
        if claims.nbf > seconds + 60 || claims.exp - claims.iat > LONGEST_TTL {
            return Err(AuthFailure::UNAUTHENTICATED);
        }
        let recipient = claims.sub.parse().map_err(|_| AuthFailure::UNAUTHENTICATED)?;
        Ok((recipient, claims.exp * 1_000))
    }
}
