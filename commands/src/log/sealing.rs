//! Sealing: AES-256-GCM with a key per recipient, and keyed hashes of what callers supply.
//!
//! A sealed part is `subject (16) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`; the additional data bind
//! it to its stream and event, so that one cannot be put in another's place.

use super::keys::{KeyError, KeyStore};
use crate::ports::Random;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use domain::values::{AddressId, CategoryKey, Channel, Content, DigestId, Millis, NotificationId, RecipientId, ScheduleId, SenderKey, TemplateKey};
use domain::{Fact, StreamId};
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Why something could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key store refuses.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The cipher refused; its inputs were out of bounds.
    #[error("personal data could not be sealed")]
    Cipher,
}

/// The secret from which the wrapping key, the hashing key and the token key are derived. Kept
/// outside the databases.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// From 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A key for one purpose.
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_ref());
        let mut derived = Zeroizing::new([0; 32]);
        derived.copy_from_slice(hmac::sign(&key, purpose.as_bytes()).as_ref());
        derived
    }

    /// Says which key it is, and nothing about it.
    pub fn fingerprint(&self) -> String {
        self.derive("bongsu/fingerprint/1").iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The key for hashing what callers supply.
    pub fn hashing(&self) -> Hashing {
        Hashing { key: hmac::Key::new(hmac::HMAC_SHA256, self.derive("bongsu/hashing/1").as_ref()) }
    }

    pub(super) fn wrap_key(&self, subject: Uuid, nonce: [u8; 12], key: &[u8; 32]) -> Option<Vec<u8>> {
        encrypt(self.derive("bongsu/wrapping/1").as_ref(), nonce, subject.as_bytes(), key)
    }

    pub(super) fn unwrap_key(&self, subject: Uuid, wrapped: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let plain = Zeroizing::new(decrypt(self.derive("bongsu/wrapping/1").as_ref(), subject.as_bytes(), wrapped)?);
        let mut key = Zeroizing::new([0; 32]);
        if plain.len() != key.len() {
            return None;
        }
        key.copy_from_slice(&plain);
        Some(key)
    }
}

/// Keyed hashes: the log holds these in place of ids that callers supply, because those are
/// often e-mail addresses.
#[derive(Clone, Debug)]
pub struct Hashing {
    key: hmac::Key,
}

impl Hashing {
    /// The whole hash of some parts; each part is preceded by its length, so that parts cannot
    /// run into each other.
    pub fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.sign().as_ref());
        hash
    }

    /// The hash as an id: UUID version 8 (RFC 9562 section 5.8).
    fn id(&self, parts: &[&[u8]]) -> Uuid {
        let hash = self.hash(parts);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// A recipient's id, from the id that senders use.
    pub fn recipient(&self, external: &str) -> RecipientId {
        RecipientId(self.id(&[b"recipient", external.as_bytes()]))
    }

    /// A notification's id, from its sender and idempotency key.
    pub fn notification(&self, sender: &SenderKey, sandbox: bool, key: &str) -> NotificationId {
        NotificationId(self.id(&[b"notification", sender.as_str().as_bytes(), &[u8::from(sandbox)], key.as_bytes()]))
    }

    /// An address's id: one for all its spellings.
    pub fn address(&self, channel: Channel, value: &str) -> AddressId {
        AddressId(self.id(&[b"address", channel.name().as_bytes(), channel.spelling(value).as_bytes()]))
    }

    /// A digest's id. Without a key of the sender's there is one for each recipient, category and
    /// sender; the sandbox has its own.
    pub fn digest(&self, recipient: RecipientId, category: &CategoryKey, sender: &SenderKey, sandbox: bool, key: Option<&str>) -> DigestId {
        let (category, sender) = (category.as_str().as_bytes(), sender.as_str().as_bytes());
        // An absent key is no empty one.
        let flags = [u8::from(sandbox), u8::from(key.is_some())];
        DigestId(self.id(&[b"digest", recipient.0.as_bytes(), category, sender, &flags, key.unwrap_or_default().as_bytes()]))
    }

    /// The id of the notification that sums up a window of a digest.
    pub fn summary(&self, digest: DigestId, window: u32) -> NotificationId {
        NotificationId(self.id(&[b"summary", digest.0.as_bytes(), &window.to_le_bytes()]))
    }

    /// A schedule's id, from its sender and idempotency key.
    pub fn schedule(&self, sender: &SenderKey, sandbox: bool, key: &str) -> ScheduleId {
        ScheduleId(self.id(&[b"schedule", sender.as_str().as_bytes(), &[u8::from(sandbox)], key.as_bytes()]))
    }

    /// The id of the notification that an occurrence of a schedule becomes.
    pub fn occurrence(&self, schedule: ScheduleId, occurrence: Millis) -> NotificationId {
        NotificationId(self.id(&[b"occurrence", schedule.0.as_bytes(), &occurrence.to_le_bytes()]))
    }

    /// What a person would see of a content: equal contents of a category have equal hashes, whatever
    /// the sender notes on them.
    pub fn content(&self, category: &CategoryKey, content: &Content) -> Uuid {
        let optional = |text: &Option<String>| text.as_ref().map_or_else(|| vec![0], |text| [&[1], text.as_bytes()].concat());
        let (title, html, data) = (optional(&content.title), optional(&content.html), optional(&content.data));
        let plain = [b"content", category.as_str().as_bytes(), &title, content.body.as_bytes(), &html, &data];
        let files: Vec<String> = content.attachments.iter().map(|file| format!("attachment {} {}", file.id, file.name)).collect();
        let files: Vec<&[u8]> = files.iter().map(String::as_bytes).collect();
        match (&content.template, &content.parameters) {
            (None, None) => self.id(&[plain.as_slice(), &files].concat()),
            (template, parameters) => {
                let template = template.as_ref().map_or("", TemplateKey::as_str);
                let parameters = optional(parameters);
                self.id(&[plain.as_slice(), &[b"template", template.as_bytes(), &parameters], &files].concat())
            }
        }
    }
}

/// Seals and opens the personal parts of events.
#[derive(Clone)]
pub struct Sealer {
    keys: Arc<KeyStore>,
    random: Arc<dyn Random>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// Over a key store.
    pub fn new(keys: Arc<KeyStore>, random: Arc<dyn Random>) -> Self {
        Self { keys, random }
    }

    /// The key store.
    pub fn keys(&self) -> &KeyStore {
        &self.keys
    }

    /// The sealed personal part of an event; none where it has none, or where nothing of its subject
    /// is kept any more.
    pub fn seal(&self, stream: StreamId, fact: &Fact, scratch: &mut Vec<u8>) -> Result<Option<Vec<u8>>, SealError> {
        let Some(subject) = fact.subject() else {
            return Ok(None);
        };
        scratch.clear();
        if !fact.body().encode_personal(scratch) {
            return Ok(None);
        }
        let Some(key) = self.keys.find_or_create(subject.0)? else {
            return Ok(None);
        };
        let mut nonce = [0; 12];
        self.random.fill(&mut nonce);
        let mut sealed = Vec::with_capacity(16 + 12 + scratch.len() + 16);
        sealed.extend_from_slice(subject.0.as_bytes());
        sealed.extend_from_slice(&encrypt(key.as_ref().as_ref(), nonce, &binding(stream, fact.name()), scratch).ok_or(SealError::Cipher)?);
        Ok(Some(sealed))
    }

    /// The opened personal part; none where its key is gone.
    pub fn open(&self, stream: StreamId, name: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, SealError> {
        let Some((subject, rest)) = sealed.split_first_chunk::<16>() else {
            return Err(SealError::Cipher);
        };
        let Some(key) = self.keys.find(Uuid::from_bytes(*subject))? else {
            return Ok(None);
        };
        decrypt(key.as_ref().as_ref(), &binding(stream, name), rest).map(Some).ok_or(SealError::Cipher)
    }
}

fn binding(stream: StreamId, name: &str) -> Vec<u8> {
    let mut binding = Vec::with_capacity(17 + name.len());
    binding.push(stream.kind.number());
    binding.extend_from_slice(stream.id.as_bytes());
    binding.extend_from_slice(name.as_bytes());
    binding
}

fn encrypt(key: &[u8], nonce: [u8; 12], binding: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let mut sealed = Vec::with_capacity(12 + plain.len() + 16);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let tag = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(binding), &mut sealed[12..]).ok()?;
    sealed.extend_from_slice(tag.as_ref());
    Some(sealed)
}

fn decrypt(key: &[u8], binding: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = sealed.split_first_chunk::<12>()?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let mut plain = rest.to_vec();
    let length = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(binding), &mut plain).ok()?.len();
    plain.truncate(length);
    Some(plain)
}
