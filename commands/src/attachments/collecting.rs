//! Collecting what nobody keeps any more. One process at a time does it, but nothing breaks where two do.
//!
//! Guarantee: no bytes are lost that a mark keeps. An upload writes its mark and then looks for the bytes; the
//! collector moves the bytes away and then looks for marks. So either the collector sees the mark and puts the bytes
//! back, or the upload misses them and writes them anew. A request that refers to a file asks for a mark that still
//! keeps it, and the collector begins only [`GRACE`] after the last one ended: far longer than any request takes.
//! A crash leaves bytes in `leaving/`, where they can be read, and the next round goes on from there.

use super::objects::{Objects, StoreError};
use super::{Attachments, leaving, object, until_of};
use crate::ports::Clock;
use domain::values::{AttachmentId, Millis};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// From the end of a file's last mark to its removal.
pub(super) const GRACE: Millis = 3_600_000;
/// From one round to the next.
const EVERY: Duration = Duration::from_secs(3_600);

/// What a round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Files that are gone.
    pub files: usize,
    /// Marks that are gone: over, or outlived by a longer one of the same sender.
    pub marks: usize,
}

impl Attachments {
    /// Collects once an hour, until told to stop.
    pub async fn keep_collecting(&self, stop: CancellationToken) {
        let Some(objects) = self.objects.clone() else { return stop.cancelled().await };
        while !stop.is_cancelled() {
            match collect(objects.as_ref(), self.clock.as_ref()).await {
                Ok(Collected { files: 0, .. }) => {}
                Ok(Collected { files, .. }) => tracing::info!(files, "attachments that nothing refers to were removed"),
                Err(error) => tracing::warn!(%error, "attachments that nothing refers to could not be removed; it is tried again"),
            }
            tokio::select! {
                () = self.clock.sleep(EVERY) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

/// One round.
pub(super) async fn collect(objects: &dyn Objects, clock: &dyn Clock) -> Result<Collected, StoreError> {
    let mut done = Collected::default();
    // Files before marks: a file that is listed had its first mark before.
    let mut files: BTreeSet<AttachmentId> = BTreeSet::new();
    for folder in ["leaving/", "objects/"] {
        files.extend(objects.list(folder).await?.iter().filter_map(|path| AttachmentId::new(path.rsplit('/').next()?).ok()));
    }
    let marks = objects.list("kept/").await?;
    let over = clock.now() - GRACE;
    let mut longest: HashMap<&str, Millis> = HashMap::new();
    for (sender, until) in marks.iter().filter_map(|path| Some((path.rsplit_once('/')?.0, until_of(path)?))) {
        longest.entry(sender).and_modify(|known| *known = until.max(*known)).or_insert(until);
    }
    let kept: BTreeSet<&str> = longest.iter().filter(|(_, until)| **until >= over).filter_map(|(sender, _)| sender.split('/').nth(1)).collect();
    let left = objects.list("leaving/").await?.into_iter().collect::<BTreeSet<_>>();
    for id in files {
        if !kept.contains(id.as_str()) {
            done.files += usize::from(remove(objects, &id, over).await?);
        } else if left.contains(&leaving(&id)) {
            put_back(objects, &id).await?;
        }
    }
    for path in &marks {
        let Some((sender, until)) = path.rsplit_once('/').and_then(|(sender, _)| Some((sender, until_of(path)?))) else { continue };
        if until < over || longest.get(sender).is_some_and(|longest| until < *longest) {
            objects.delete(path).await?;
            done.marks += 1;
        }
    }
    Ok(done)
}

/// Removes a file, unless somebody has marked it meanwhile.
async fn remove(objects: &dyn Objects, id: &AttachmentId, over: Millis) -> Result<bool, StoreError> {
    objects.rename(&object(id), &leaving(id)).await?;
    let marks = objects.list(&format!("kept/{id}/")).await?;
    if marks.iter().filter_map(|path| until_of(path)).any(|until| until >= over) {
        put_back(objects, id).await?;
        return Ok(false);
    }
    objects.delete(&leaving(id)).await?;
    Ok(true)
}

/// The same bytes may be there again already.
async fn put_back(objects: &dyn Objects, id: &AttachmentId) -> Result<(), StoreError> {
    objects.rename(&leaving(id), &object(id)).await
}
