//! What `Erased` means for the keys: once the event is in the log, the key goes, and a crash
//! between the two is made good at the next start.

use super::append::LogError;
use super::keys::KeyStore;
use super::reader::LogReader;
use super::recorded::Position;
use domain::Fact;
use domain::recipient::RecipientEvent;

/// Destroys the keys of everybody whom the log says to be erased, from a position on. Used
/// after a start (for the last few events) and after a restore (for all of them).
pub async fn erase_keys_of_erased(log: &dyn LogReader, keys: &KeyStore, from: Position) -> Result<u64, LogError> {
    let mut after = from;
    let mut erased = 0;
    loop {
        let page = log.read_after(after, 10_000, false).await?;
        let Some(last) = page.last() else {
            return Ok(erased);
        };
        after = last.position;
        for event in &page {
            if let Fact::Recipient(RecipientEvent::Erased(_)) = event.fact {
                keys.erase(event.stream.id).map_err(|error| LogError::Keys { reason: error.to_string() })?;
                erased += 1;
            }
        }
    }
}
