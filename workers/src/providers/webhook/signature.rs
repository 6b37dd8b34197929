//! Signatures of Standard Webhooks 1.0.0
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).
//!
//! Rejected: the `standardwebhooks` crate, which takes bodies as text only and brings its own
//! cryptography.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Sizes of secrets the specification allows, in bytes.
const SIZES: std::ops::RangeInclusive<usize> = 24..=64;

/// A key from a secret `whsec_` + base64; `None` if it is none.
pub(super) fn key(secret: &str) -> Option<hmac::Key> {
    let bytes = zeroize::Zeroizing::new(STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?);
    SIZES.contains(&bytes.len()).then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

/// The value of `webhook-signature`, over the exact bytes of the body.
pub(super) fn sign(key: &hmac::Key, id: &str, timestamp: &str, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(key);
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        context.update(part);
    }
    format!("v1,{}", STANDARD.encode(context.sign()))
}
