//! What a process was doing when it died: done, and not in its record any more.
//!
//! A record is written when a call has returned. A process that is killed, or ends while its
//! threads are still closing files, may have done a call and not recorded it: at most one for each
//! thread. Once it is dead its files are compared with its record, and the difference is added, as
//! done and not synced. A bigger difference is no accident: the recorder has missed something.
//! Recording each call also beforehand was rejected: whether it was done would be as unknown.

use crate::disk::{Disk, Named};
use crate::trace::{self, Trace};
use anyhow::{Context, Result, ensure};
use crash_harness::server::Paths;
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::SystemTime;

/// Files that the threads of one dying process may be at.
pub const IN_FLIGHT: usize = 8;

/// Adds what a dead process did and could not record. `most` files may differ.
pub fn settle(into: &Path, paths: &Paths, most: usize) -> Result<()> {
    let bytes = fs::read(into)?;
    let whole = Trace::whole(&bytes);
    let mut record = OpenOptions::new().append(true).open(into)?;
    record.set_len(whole as u64)?;
    let trace = Trace::parse(bytes[..whole].to_vec(), &paths.root)?;
    let mut disk = Disk::new(&trace);
    disk.advance(trace.steps.len());
    let everything = disk.everything();
    let mut differing = Vec::new();
    for name in
        everything.names.iter().filter(|(_, named)| **named != Named::Folder).map(|(name, _)| name.clone()).chain(there(paths)?).collect::<BTreeSet<_>>()
    {
        let expected = match everything.names.get(&name) {
            Some(Named::File(file)) => Some(disk.content(*file, &everything)),
            _ => None,
        };
        let found = fs::read(&name).ok();
        if expected != found {
            record.write_all(&difference(&name, expected.as_deref(), found.as_deref()))?;
            differing.push(name);
        }
    }
    ensure!(differing.len() <= most, "the record is not complete: it does not lead to the files that there are: {differing:?}");
    Ok(())
}

/// The files that there are.
fn there(paths: &Paths) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in [paths.data(), paths.data().join("views")] {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            let name = entry.path().display().to_string();
            if entry.file_type()?.is_file() && !name.ends_with("-shm") {
                names.push(name);
            }
        }
    }
    Ok(names)
}

/// Records that lead from one content to another.
fn difference(name: &str, expected: Option<&[u8]>, found: Option<&[u8]>) -> Vec<u8> {
    let named = [name.as_bytes(), &[0]].concat();
    let Some(found) = found else { return record(b'u', 0, &named) };
    let mut records = record(b'o', 0, &named);
    let expected = expected.unwrap_or_default();
    if found.len() < expected.len() {
        records.extend(record(b't', found.len() as u64, &[]));
    }
    let same = found.iter().zip(expected).take_while(|(a, b)| a == b).count();
    if same < found.len() {
        records.extend(record(b'w', same as u64, &found[same..]));
    }
    records
}

/// A record of now, of no process.
fn record(kind: u8, first: u64, content: &[u8]) -> Vec<u8> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    trace::record(kind, u64::try_from(now.as_nanos()).unwrap_or(u64::MAX), first, 0, content)
}
