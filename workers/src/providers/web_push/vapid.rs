//! Who we are to push services (VAPID, RFC 8292): a claim for each of them, signed with one key.
//!
//! A claim is made once for each origin and used for half its life. Its key differs from those that
//! encrypt, which are fresh for each message.

use super::encryption::public;
use super::subscription::{BASE64, POINT};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use commands::ports::Clock;
use reqwest::header::HeaderValue;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a claim is good for; push services take a day at most.
const LIFE: Duration = Duration::from_secs(12 * 3_600);

/// Claims held at once: push services are few, and whoever registers thousands of them gains nothing.
const MOST: usize = 1_000;

/// A key pair for VAPID, as text.
#[derive(Clone)]
pub struct VapidKeys {
    /// For the page that subscribes (`applicationServerKey`): base64url of 65 bytes.
    pub public: String,
    /// For the configuration: base64url of 32 bytes.
    pub private: zeroize::Zeroizing<String>,
}

/// The public half only.
impl std::fmt::Debug for VapidKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VapidKeys").field("public", &self.public).finish_non_exhaustive()
    }
}

impl VapidKeys {
    /// A new pair; none only where the machine gives no chance.
    pub fn generate() -> Option<Self> {
        let key = PrivateKey::generate(&ECDH_P256).ok()?;
        let bytes: EcPrivateKeyBin<'_> = key.as_be_bytes().ok()?;
        Some(Self { public: BASE64.encode(public(&key).ok()?), private: zeroize::Zeroizing::new(BASE64.encode(bytes.as_ref())) })
    }

    /// The pair of a private key; none where it is not one.
    pub fn of_private(text: &str) -> Option<Self> {
        let (_, public) = read(text)?;
        Some(Self { public: BASE64.encode(public), private: zeroize::Zeroizing::new(text.to_owned()) })
    }
}

/// Both halves of a private key.
fn read(text: &str) -> Option<(zeroize::Zeroizing<Vec<u8>>, [u8; POINT])> {
    let bytes = zeroize::Zeroizing::new(BASE64.decode(text.trim()).ok()?);
    let key = PrivateKey::from_private_key(&ECDH_P256, &bytes).ok()?;
    let public = public(&key).ok()?;
    Some((bytes, public))
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    exp: i64,
    sub: &'a str,
}

/// The key did not sign.
#[derive(Debug)]
pub(super) struct CannotSign;

/// See the module.
pub(super) struct Vapid {
    key: EcdsaKeyPair,
    public: String,
    subject: String,
    clock: Arc<dyn Clock>,
    held: Mutex<HashMap<String, (Duration, HeaderValue)>>,
}

impl Vapid {
    pub(super) fn new(private: &str, subject: &str, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let wrong = "private_key is not the base64url of the 32 bytes of a P-256 key; make one with `bongsu vapid generate`";
        let (bytes, public) = read(private).ok_or_else(|| wrong.to_owned())?;
        let key = EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes, &public).map_err(|_| wrong.to_owned())?;
        if !is_subject(subject) {
            return Err("subject is neither a mailto: nor an https: address".to_owned());
        }
        Ok(Self { key, public: BASE64.encode(public), subject: subject.to_owned(), clock, held: Mutex::default() })
    }

    /// The value of `Authorization` for an origin.
    pub(super) fn header(&self, origin: &str) -> Result<HeaderValue, CannotSign> {
        let now = self.clock.monotonic();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((signed, header)) = held.get(origin)
            && now.saturating_sub(*signed) < LIFE / 2
        {
            return Ok(header.clone());
        }
        let header = self.sign(origin)?;
        if held.len() >= MOST {
            held.clear();
        }
        held.insert(origin.to_owned(), (now, header.clone()));
        Ok(header)
    }

    /// Forgets the claim for an origin: refused after the machine slept or its clock was set.
    pub(super) fn forget(&self, origin: &str) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(origin);
    }

    fn sign(&self, origin: &str) -> Result<HeaderValue, CannotSign> {
        let exp = self.clock.now() / 1_000 + i64::try_from(LIFE.as_secs()).unwrap_or_default();
        let claims = serde_json::to_vec(&Claims { aud: origin, exp, sub: &self.subject }).map_err(|_| CannotSign)?;
        let signed = format!("{}.{}", BASE64.encode(br#"{"typ":"JWT","alg":"ES256"}"#), BASE64.encode(claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).map_err(|_| CannotSign)?;
        let mut header = HeaderValue::try_from(format!("vapid t={signed}.{}, k={}", BASE64.encode(signature), self.public)).map_err(|_| CannotSign)?;
        header.set_sensitive(true);
        Ok(header)
    }
}

/// Whether a push service could turn to it.
pub fn is_subject(subject: &str) -> bool {
    let rest = subject.strip_prefix("mailto:").filter(|address| address.contains('@')).or_else(|| subject.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty()) && !subject.chars().any(|letter| letter.is_control() || letter.is_whitespace())
}
