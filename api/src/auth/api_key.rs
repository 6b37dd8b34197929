//! The form of API keys: `bongsu_<live|test>_<8 characters>_<secret of 32 characters>`.
//!
//! The first three parts are public: they name the key in lists and find it. Only a keyed hash
//! of the whole is stored, so that neither the log nor a backup holds what opens the door.

use aws_lc_rs::hmac;
use commands::log::MasterKey;
use commands::ports::Random;
use std::fmt::Write as _;

const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Hashes keys.
#[derive(Clone)]
pub struct KeyHasher(hmac::Key);

impl std::fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyHasher")
    }
}

impl KeyHasher {
    /// With a key of the master key's.
    pub fn new(master: &MasterKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, master.derive("bongsu/api-keys/1").as_ref()))
    }

    /// The hash in hexadecimal.
    pub fn hash(&self, key: &str) -> String {
        hmac::sign(&self.0, key.as_bytes()).as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// A new key: the public prefix, and the whole.
pub fn generate(random: &dyn Random, sandbox: bool) -> (String, String) {
    let mut bytes = [0; 40];
    random.fill(&mut bytes);
    let text: String = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    let prefix = format!("bongsu_{}_{}", if sandbox { "test" } else { "live" }, &text[..8]);
    let key = format!("{prefix}_{}", &text[8..]);
    (prefix, key)
}

/// The public prefix of what claims to be a key.
pub fn prefix_of(key: &str) -> Option<&str> {
    let (prefix, secret) = key.rsplit_once('_')?;
    (prefix.starts_with("bongsu_") && prefix.len() <= 32 && secret.len() == 32).then_some(prefix)
}
