//! What `Erased` means for the keys: once the event is in the log, the key goes, and a crash
//! between the two is made good at the next start.

use super::append::LogError;
use super::committer::AfterCommit;
use super::keys::KeyStore;
use super::reader::LogReader;
use super::recorded::{Position, Recorded};
use domain::Fact;
use domain::recipient::RecipientEvent;
use std::sync::Arc;
use uuid::Uuid;

/// Destroys the keys of everybody whom the log says to be erased, from a position on. Used
/// after a start (for the last few events) and after a restore (for all of them).
pub async fn erase_keys_of_erased(log: &dyn LogReader, keys: &Arc<KeyStore>, from: Position) -> Result<u64, LogError> {
    let mut after = from;
    let mut erased = 0;
    loop {
        let page = log.read_after(after, 10_000, false).await?;
        let Some(last) = page.last() else {
            return Ok(erased);
        };
        after = last.position;
        let gone: Vec<Uuid> = page.iter().filter_map(|event| gone(event)).collect();
        if gone.is_empty() {
            continue;
        }
        erased += gone.len() as u64;
        let keys = Arc::clone(keys);
        let erasing = tokio::task::spawn_blocking(move || gone.into_iter().try_for_each(|subject| keys.erase(subject))).await;
        let refused = |reason: String| LogError::Keys { reason };
        erasing.map_err(|error| refused(error.to_string()))?.map_err(|error| refused(error.to_string()))?;
    }
}

fn gone(event: &Recorded) -> Option<Uuid> {
    matches!(event.fact, Fact::Recipient(RecipientEvent::Erased(_))).then_some(event.stream.id)
}

/// Uses no key any more of whom another replica erases.
#[derive(Debug)]
pub struct ForgetErased(pub Arc<KeyStore>);

impl AfterCommit for ForgetErased {
    fn committed(&self, events: &[Arc<Recorded>]) {
        for subject in events.iter().filter_map(|event| gone(event)) {
            self.0.forget(subject);
        }
    }
}
