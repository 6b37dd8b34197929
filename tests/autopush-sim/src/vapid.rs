//! Who sends (RFC 8292): a claim for this service, signed with the key that the page subscribed under.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

/// Base64url; browsers pad, application servers do not.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Longest life of a claim, in seconds.
const LONGEST: u64 = 24 * 3_600;

#[derive(Deserialize)]
struct Head {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    exp: u64,
    sub: Option<String>,
}

/// Checks the value of `Authorization` at a moment (seconds since 1970).
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check(header: &str, key: Option<&[u8]>, origin: &str, now: u64) -> Result<(), &'static str> {
    let parameters = header.strip_prefix("vapid ").ok_or("not of the scheme vapid")?;
    let find = |name: &str| parameters.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let (token, told) = (find("t").ok_or("no token")?, BASE64.decode(find("k").ok_or("no key")?).map_err(|_| "a malformed key")?);
    if key.is_some_and(|key| key != told) {
        return Err("another key than the subscription's");
    }
    let (signed, signature) = token.rsplit_once('.').ok_or("a malformed token")?;
    let (head, claims) = signed.split_once('.').ok_or("a malformed token")?;
    let read = |part: &str| BASE64.decode(part).map_err(|_| "a malformed token");
    let head: Head = serde_json::from_slice(&read(head)?).map_err(|_| "a malformed token")?;
    if head.alg != "ES256" {
        return Err("another algorithm than ES256");
    }
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &told).verify(signed.as_bytes(), &read(signature)?).map_err(|_| "a wrong signature")?;
    let claims: Claims = serde_json::from_slice(&read(claims)?).map_err(|_| "malformed claims")?;
    if claims.aud != origin {
        return Err("another audience");
    }
    if claims.exp <= now || claims.exp > now + LONGEST {
        return Err("expired, or good for too long");
    }
    if !claims.sub.is_some_and(|sub| sub.starts_with("mailto:") || sub.starts_with("https:")) {
        return Err("nobody to turn to");
    }
    Ok(())
}
