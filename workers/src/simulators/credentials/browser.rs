//! The keys that every simulated browser subscribes with.

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use base64::Engine;

use super::super::config::SimulatorError;
use super::broken;
use crate::providers::web_push::{AUTH, BASE64, public};

/// Both halves of its key, and the secret shared with its push service's users.
pub(crate) struct Browser {
    pub(crate) private: Vec<u8>,
    pub(crate) p256dh: String,
    pub(crate) auth: [u8; AUTH],
}

impl Browser {
    pub(crate) fn generate() -> Result<Self, SimulatorError> {
        let key = PrivateKey::generate(&ECDH_P256).map_err(broken)?;
        let private: EcPrivateKeyBin<'_> = key.as_be_bytes().map_err(broken)?;
        let mut auth = [0; AUTH];
        aws_lc_rs::rand::fill(&mut auth).map_err(broken)?;
        Ok(Self { private: private.as_ref().to_vec(), p256dh: BASE64.encode(public(&key).map_err(broken)?), auth })
    }

    pub(crate) fn auth_text(&self) -> String {
        BASE64.encode(self.auth)
    }

    /// For the state folder.
    pub(crate) fn text(&self) -> String {
        format!("{}.{}", BASE64.encode(&self.private), self.auth_text())
    }

    /// Reads [`text`](Self::text) back.
    pub(crate) fn of_text(text: &str) -> Result<Self, SimulatorError> {
        let (private, auth) = text.trim().split_once('.').ok_or_else(|| broken("browser.key has no dot"))?;
        let private = BASE64.decode(private).map_err(broken)?;
        let auth = BASE64.decode(auth).map_err(broken)?.try_into().map_err(|_| broken("the secret in browser.key has not 16 bytes"))?;
        let key = PrivateKey::from_private_key(&ECDH_P256, &private).map_err(broken)?;
        Ok(Self { p256dh: BASE64.encode(public(&key).map_err(broken)?), private, auth })
    }
}
