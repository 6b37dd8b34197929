//! A browser's keys, as `PushSubscription.toJSON()` gives them (Push API, section 8; RFC 8291 section 2).
//!
//! They are kept as the secret of the address whose value is the subscription's endpoint. Guarantee:
//! what was read here can be encrypted to. Rejected: checking when something is sent, when nobody is
//! there any more to ask the browser again.

use aws_lc_rs::agreement::{ECDH_P256, ParsedPublicKey, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Length of an uncompressed point of P-256.
pub(crate) const POINT: usize = 65;

/// Length of the shared secret of a subscription.
pub(crate) const AUTH: usize = 16;

/// Base64url, with or without padding: libraries that register browsers give either.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Both keys of a subscription.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// The browser's public key, an uncompressed point of P-256.
    pub(crate) p256dh: [u8; POINT],
    /// The secret shared with the browser.
    pub(crate) auth: [u8; AUTH],
}

/// Which key is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysRefused {
    /// The public key.
    #[error("p256dh is the base64url of an uncompressed point of the curve P-256 (65 bytes); hand on keys.p256dh of the browser's subscription")]
    P256dh,
    /// The secret.
    #[error("auth is the base64url of 16 bytes; hand on keys.auth of the browser's subscription")]
    Auth,
}

impl Keys {
    /// From the two texts of a subscription.
    ///
    /// # Errors
    /// Which of them is not a key.
    pub fn read(p256dh: &str, auth: &str) -> Result<Self, KeysRefused> {
        let bytes = |text: &str| BASE64.decode(text).ok();
        let point: [u8; POINT] = bytes(p256dh).and_then(|bytes| bytes.try_into().ok()).ok_or(KeysRefused::P256dh)?;
        // 4 marks the uncompressed form; a point that is not on the curve would give the secret away.
        if point[0] != 4 || ParsedPublicKey::try_from(UnparsedPublicKey::new(&ECDH_P256, &point)).is_err() {
            return Err(KeysRefused::P256dh);
        }
        let auth = bytes(auth).and_then(|bytes| bytes.try_into().ok()).ok_or(KeysRefused::Auth)?;
        Ok(Self { p256dh: point, auth })
    }

    /// As they are kept: both in base64url, a dot between them.
    pub fn secret(&self) -> String {
        format!("{}.{}", BASE64.encode(self.p256dh), BASE64.encode(self.auth))
    }

    /// Reads [`secret`](Self::secret) back.
    pub fn of_secret(secret: &str) -> Option<Self> {
        let (p256dh, auth) = secret.split_once('.')?;
        Self::read(p256dh, auth).ok()
    }
}

/// Nothing of them: with both, what was sent to the browser can be read.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}
