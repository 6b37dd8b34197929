//! Files that go with notifications, in an object store: stored once, by the hash of their bytes.
//!
//! ```text
//! objects/<sha-256>                        the bytes
//! kept/<sha-256>/<sender>/<until>          an empty mark: this sender may use them until then (ms, 16 digits)
//! leaving/<sha-256>                        bytes that are being collected
//! ```
//!
//! Guarantees: a sender uses what it has uploaded itself, and nobody gets at bytes by knowing their hash. What an
//! accepted notification refers to is kept from before its acceptance until long after it may be sent. Marks are
//! never changed, only added, so that two requests cannot shorten each other's; the collector goes by them alone
//! ([`collecting`]). Nothing here is in the log: a store that is lost costs files, never a notification's story.
//! Rejected: a table of references, a second truth that has to agree with both the log and the store, and on two
//! profiles; the store's own times, which are another clock's.

mod collecting;
mod objects;
mod stored;
#[cfg(test)]
pub(crate) mod tests;

pub use objects::{Objects, StoreError};
pub use stored::{Place, S3, StoredObjects};

use crate::ports::Clock;
use crate::recent::Recent;
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use domain::values::{Attachment, AttachmentId, DAY_MS, Millis, SenderKey};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// An hour, to whose end marks of uploads are rounded.
const HOUR_MS: Millis = 3_600_000;
/// Files kept in memory: what goes to many is read once, and a slow store cannot keep a call from ever beginning.
const CACHED: usize = 8;

/// How files are kept.
#[derive(Debug, Clone)]
pub struct AttachmentSettings {
    /// Largest file, in bytes.
    pub max_bytes: u64,
    /// All files of one notification together, in bytes.
    pub max_total_bytes: u64,
    /// Content types that are taken.
    pub types: Vec<String>,
    /// How long what no notification refers to is kept (ms).
    pub keep_unreferenced: Millis,
    /// How long after a notification may first be sent its files are kept (ms).
    pub keep: Millis,
}

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unattachable {
    /// The installation has none.
    #[error("this server takes no attachments; ask its operator, who finds more under [attachments] of the configuration")]
    Off,
    /// Not there, not this sender's, or not any more.
    #[error("there is no attachment {id} of this sender, or it is kept no longer; upload it again with createAttachmentUpload")]
    NotFound {
        /// The id that was asked for.
        id: AttachmentId,
    },
    /// Another kind than is taken.
    #[error("attachments of this content type are not taken; the operator lists those that are under attachments.types")]
    Type,
    /// Too large, alone or together.
    #[error("the attachments have {bytes} bytes, {most} is the most; link to large files instead")]
    TooLarge {
        /// Their size.
        bytes: u64,
        /// The bound.
        most: u64,
    },
    /// The store does not answer.
    #[error("attachments cannot be looked up just now; try again in a few seconds")]
    Unavailable,
}

/// What an upload became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// Its id.
    pub id: AttachmentId,
    /// Its size.
    pub bytes: u64,
}

/// See the module. Clones are the same.
#[derive(Clone)]
pub struct Attachments {
    objects: Option<Arc<dyn Objects>>,
    settings: Arc<AttachmentSettings>,
    clock: Arc<dyn Clock>,
    cache: Arc<Mutex<Recent<AttachmentId, Bytes>>>,
}

impl std::fmt::Debug for Attachments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attachments").field("on", &self.objects.is_some()).finish_non_exhaustive()
    }
}

impl Default for AttachmentSettings {
    fn default() -> Self {
        let types = ["application/pdf", "image/png", "image/jpeg", "text/plain"].map(ToOwned::to_owned).to_vec();
        Self { max_bytes: 10 << 20, max_total_bytes: 15 << 20, types, keep_unreferenced: DAY_MS, keep: 365 * DAY_MS }
    }
}

impl Attachments {
    /// In a store; without one there are no attachments.
    pub fn new(objects: Option<Arc<dyn Objects>>, settings: AttachmentSettings, clock: Arc<dyn Clock>) -> Self {
        Self { objects, settings: Arc::new(settings), clock, cache: Arc::new(Mutex::new(Recent::new(CACHED))) }
    }

    /// What is taken.
    pub fn settings(&self) -> &AttachmentSettings {
        &self.settings
    }

    /// Whether there are attachments at all.
    pub const fn at_hand(&self) -> bool {
        self.objects.is_some()
    }

    /// Whether a file of this type and size would be taken.
    ///
    /// # Errors
    /// Why not.
    pub fn would_take(&self, kind: &str, bytes: u64) -> Result<(), Unattachable> {
        self.objects()?;
        if !self.settings.types.iter().any(|known| known == kind) {
            return Err(Unattachable::Type);
        }
        let most = self.settings.max_bytes;
        if bytes > most { Err(Unattachable::TooLarge { bytes, most }) } else { Ok(()) }
    }

    /// Stores a file of a sender. The same bytes again change nothing but how long they are kept.
    ///
    /// # Errors
    /// The store refuses; nothing is promised then.
    pub async fn store(&self, sender: &SenderKey, content: Bytes) -> Result<Uploaded, Unattachable> {
        let objects = self.objects()?;
        let id = id_of(&content).ok_or(Unattachable::Unavailable)?;
        let bytes = content.len() as u64;
        // The mark first: whoever collects looks for marks after it has moved the bytes away.
        objects.put(&mark(&id, sender, round_up(self.clock.now() + self.settings.keep_unreferenced, HOUR_MS)), Bytes::new()).await.map_err(unavailable)?;
        if objects.size(&object(&id)).await.map_err(unavailable)? != Some(bytes) {
            objects.put(&object(&id), content).await.map_err(unavailable)?;
        }
        Ok(Uploaded { id, bytes })
    }

    /// Keeps the files that a notification refers to, and tells their sizes, in their order. `from` is the moment
    /// from which on it may be sent.
    ///
    /// # Errors
    /// They cannot be used. Some may be kept longer all the same.
    pub async fn refer(&self, sender: &SenderKey, attachments: &[Attachment], from: Millis) -> Result<Vec<u64>, Unattachable> {
        let objects = self.objects()?;
        let mut sizes = HashMap::with_capacity(attachments.len());
        for Attachment { id, kind, .. } in attachments {
            if !self.settings.types.iter().any(|known| known == kind) {
                return Err(Unattachable::Type);
            }
            if sizes.contains_key(id) {
                continue;
            }
            let not_found = || Unattachable::NotFound { id: id.clone() };
            let now = self.clock.now();
            let marks = objects.list(&format!("kept/{id}/{sender}/")).await.map_err(unavailable)?;
            let until = marks.iter().filter_map(|path| until_of(path)).max().filter(|until| *until >= now).ok_or_else(not_found)?;
            let wanted = round_up(from.max(now) + self.settings.keep, DAY_MS);
            if until < wanted {
                objects.put(&mark(id, sender, wanted), Bytes::new()).await.map_err(unavailable)?;
            }
            sizes.insert(id, self.size(objects.as_ref(), id).await.map_err(unavailable)?.ok_or_else(not_found)?);
        }
        let sizes: Vec<u64> = attachments.iter().filter_map(|attachment| sizes.get(&attachment.id).copied()).collect();
        let (bytes, most) = (sizes.iter().sum(), self.settings.max_total_bytes);
        if bytes > most { Err(Unattachable::TooLarge { bytes, most }) } else { Ok(sizes) }
    }

    /// The bytes; none where they are kept no longer.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn open(&self, id: &AttachmentId) -> Result<Option<Bytes>, StoreError> {
        let Some(objects) = &self.objects else { return Ok(None) };
        if let Some(known) = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            return Ok(Some(known.clone()));
        }
        let found = match objects.get(&object(id)).await? {
            Some(content) => Some(content),
            None => objects.get(&leaving(id)).await?,
        };
        // What was changed behind our back is not what was attached.
        let Some(content) = found.filter(|content| id_of(content).as_ref() == Some(id)) else { return Ok(None) };
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), content.clone());
        Ok(Some(content))
    }

    async fn size(&self, objects: &dyn Objects, id: &AttachmentId) -> Result<Option<u64>, StoreError> {
        match objects.size(&object(id)).await? {
            Some(bytes) => Ok(Some(bytes)),
            None => objects.size(&leaving(id)).await,
        }
    }

    fn objects(&self) -> Result<&Arc<dyn Objects>, Unattachable> {
        self.objects.as_ref().ok_or(Unattachable::Off)
    }
}

/// The hash of some bytes.
fn id_of(content: &[u8]) -> Option<AttachmentId> {
    let hash: String = digest(&SHA256, content).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    AttachmentId::new(&hash).ok()
}

fn object(id: &AttachmentId) -> String {
    format!("objects/{id}")
}

fn leaving(id: &AttachmentId) -> String {
    format!("leaving/{id}")
}

fn mark(id: &AttachmentId, sender: &SenderKey, until: Millis) -> String {
    format!("kept/{id}/{sender}/{until:016}")
}

/// Until when a mark keeps.
fn until_of(path: &str) -> Option<Millis> {
    path.rsplit('/').next()?.parse().ok()
}

const fn round_up(at: Millis, step: Millis) -> Millis {
    (at + step - 1).div_euclid(step) * step
}

fn unavailable(error: StoreError) -> Unattachable {
    tracing::warn!(%error, "the store of attachments does not answer");
    Unattachable::Unavailable
}
