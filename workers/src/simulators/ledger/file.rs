//! The ledger file: NDJSON appended in batches by a background task, for checkers that run after the simulators.
//!
//! Guarantee: complete after an orderly shutdown; after a kill the last fraction of a second is missing. Entries
//! that memory dropped before they were written are missing too (the counters tell). Rejected: writing in the
//! request, which would make every benchmark measure this disk.

use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Ledger, LedgerEntry};

const BATCH: usize = 512;
/// Enough for many lines; one has less than 2 kB.
const TAIL: u64 = 64 * 1024;
const INTERVAL: Duration = Duration::from_millis(200);

/// Name of the file in the state folder.
pub(crate) const NAME: &str = "ledger.ndjson";

/// Position of the last complete line, so that a restarted simulator continues the numbering.
pub(crate) fn last_seq(folder: &Path) -> std::io::Result<u64> {
    let mut file = match std::fs::File::open(folder.join(NAME)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    // Only the end: the file of a long benchmark has millions of lines.
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let entries = tail.split(|byte| *byte == b'\n').rev();
    let last = entries.filter_map(|line| serde_json::from_slice::<LedgerEntry>(line).ok()).next();
    Ok(last.map_or(0, |entry| entry.seq))
}

/// Appends what the ledger gained since the last round until told to stop, then once more.
pub(crate) async fn write(ledger: Ledger, folder: PathBuf, from: u64, stop: CancellationToken) {
    let mut written = from;
    loop {
        let stopping = tokio::select! {
            () = stop.cancelled() => true,
            () = super::super::clock::pause(INTERVAL) => false,
        };
        loop {
            let entries = ledger.entries(written, BATCH);
            let Some(last) = entries.last().map(|entry| entry.seq) else {
                break;
            };
            let path = folder.join(NAME);
            let result = tokio::task::spawn_blocking(move || append(&path, &entries)).await;
            match result {
                Ok(Ok(())) => written = last,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the simulators' ledger file could not be written");
                    break;
                }
                Err(_) => return,
            }
        }
        if stopping {
            return;
        }
    }
}

fn append(path: &Path, entries: &[LedgerEntry]) -> std::io::Result<()> {
    let mut text = Vec::with_capacity(entries.len() * 512);
    for entry in entries {
        serde_json::to_writer(&mut text, entry)?;
        text.push(b'\n');
    }
    std::fs::OpenOptions::new().create(true).append(true).open(path)?.write_all(&text)
}
