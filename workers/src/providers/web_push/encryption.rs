//! Encryption to a browser (RFC 8291, with the coding `aes128gcm` of RFC 8188): one record, a fresh
//! key pair and salt for each message.
//!
//! Chance comes from the cryptographic library itself, as its keys do, and not from the port: who
//! could repeat it could read what was sent. Rejected: the crate `web-push`, which brings OpenSSL and
//! an older HTTP stack.

use super::subscription::{Keys, POINT};
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::rand;

/// Length of the salt.
pub(crate) const SALT: usize = 16;

/// Bytes before the ciphertext: salt, record size, length of the key, key.
pub(crate) const HEADER: usize = SALT + 4 + 1 + POINT;

/// The record size that is declared; push services have to accept bodies of this length (RFC 8030
/// section 7.2).
const RECORD: u32 = 4_096;

/// Longest plaintext: the header, a delimiter and the tag are in the body, too.
pub(super) const LONGEST: usize = RECORD as usize - HEADER - 1 - 16;

/// The library did not do it.
#[derive(Debug)]
pub(super) struct CannotEncrypt;

impl From<aws_lc_rs::error::Unspecified> for CannotEncrypt {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}

/// Length of what is derived.
#[derive(Clone, Copy)]
struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

/// Content key and nonce of a message (RFC 8291 section 3.4). `ours` is the private key of the side
/// that derives, `theirs` the public key of the other.
pub(crate) fn derive(
    ours: &PrivateKey,
    theirs: &[u8],
    browser: &[u8; POINT],
    sender: &[u8; POINT],
    auth: &[u8],
    salt: &[u8],
) -> Result<([u8; 16], [u8; 12]), aws_lc_rs::error::Unspecified> {
    let material = agreement::agree(ours, UnparsedPublicKey::new(&ECDH_P256, theirs), aws_lc_rs::error::Unspecified, |secret| {
        let mut material = [0; 32];
        Salt::new(HKDF_SHA256, auth).extract(secret).expand(&[b"WebPush: info\0", browser, sender], Bytes(32))?.fill(&mut material)?;
        Ok(material)
    })?;
    let prk = Salt::new(HKDF_SHA256, salt).extract(&material);
    let (mut key, mut nonce) = ([0; 16], [0; 12]);
    prk.expand(&[b"Content-Encoding: aes128gcm\0"], Bytes(16))?.fill(&mut key)?;
    prk.expand(&[b"Content-Encoding: nonce\0"], Bytes(12))?.fill(&mut nonce)?;
    Ok((key, nonce))
}

/// The public half of a key.
pub(crate) fn public(key: &PrivateKey) -> Result<[u8; POINT], aws_lc_rs::error::Unspecified> {
    let public = key.compute_public_key()?;
    public.as_ref().try_into().map_err(|_| aws_lc_rs::error::Unspecified)
}

/// The body of a request.
pub(super) fn encrypt(keys: &Keys, plaintext: &[u8]) -> Result<Vec<u8>, CannotEncrypt> {
    let mut salt = [0; SALT];
    rand::fill(&mut salt)?;
    encrypt_with(&PrivateKey::generate(&ECDH_P256)?, salt, keys, plaintext)
}

/// The same with a given key and salt, of which no second message may be made.
pub(super) fn encrypt_with(sender: &PrivateKey, salt: [u8; SALT], keys: &Keys, plaintext: &[u8]) -> Result<Vec<u8>, CannotEncrypt> {
    let public = public(sender)?;
    let (key, nonce) = derive(sender, &keys.p256dh, &keys.p256dh, &public, &keys.auth, &salt)?;
    // 2 marks the end of the last record.
    let mut sealed = Vec::with_capacity(plaintext.len() + 17);
    sealed.extend_from_slice(plaintext);
    sealed.push(2);
    LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?).seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)?;
    let mut body = Vec::with_capacity(HEADER + sealed.len());
    body.extend_from_slice(&salt);
    body.extend_from_slice(&RECORD.to_be_bytes());
    body.push(POINT as u8);
    body.extend_from_slice(&public);
    body.extend_from_slice(&sealed);
    Ok(body)
}
