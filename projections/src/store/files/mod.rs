//! Names of the files of a read model, and the pointer that says which of them serves.
//!
//! The pointer is a file of one number, replaced by a rename: that rename is the switch. Taking
//! the highest number found was rejected, because an interrupted rebuild would win.

mod generation;

pub(super) use generation::FileGeneration;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// The first generation.
pub(super) const FIRST: u64 = 1;

/// The database of a generation.
pub(super) fn database(folder: &Path, name: &str, generation: u64) -> PathBuf {
    folder.join(format!("{name}.{generation}.db"))
}

fn pointer(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.serving"))
}

/// The generation that serves. An absent or unreadable pointer means the first: whatever else
/// there is can be built again.
pub(super) fn serving(folder: &Path, name: &str) -> io::Result<u64> {
    match fs::read_to_string(pointer(folder, name)) {
        Ok(text) => Ok(text.trim().parse().unwrap_or(FIRST)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(FIRST),
        Err(error) => Err(error),
    }
}

/// Lets another generation serve, atomically and durably.
pub(super) fn serve(folder: &Path, name: &str, generation: u64) -> io::Result<()> {
    let fresh = folder.join(format!("{name}.serving.new"));
    let mut file = File::create(&fresh)?;
    writeln!(file, "{generation}")?;
    file.sync_all()?;
    fs::rename(&fresh, pointer(folder, name))?;
    File::open(folder)?.sync_all()
}

/// Deletes the files of all generations but one.
pub(super) fn sweep(folder: &Path, name: &str, keep: u64) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.file_name();
        let generation = file
            .to_str()
            .and_then(|file| file.strip_prefix(name)?.strip_prefix('.'))
            .and_then(|rest| rest.split_once(".db"))
            .and_then(|(number, _)| number.parse::<u64>().ok());
        if generation.is_some_and(|generation| generation != keep) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Deletes a generation's files when it is dropped, unless it is to be kept. Who still reads the
/// old generation finishes undisturbed.
#[derive(Debug)]
pub(super) struct Files {
    path: PathBuf,
    keep: AtomicBool,
}

impl Files {
    pub(super) const fn new(path: PathBuf, keep: bool) -> Self {
        Self { path, keep: AtomicBool::new(keep) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn keep(&self, keep: bool) {
        self.keep.store(keep, Ordering::Release);
    }
}

/// Deletes a database with its journal; absent files are fine.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

impl Drop for Files {
    fn drop(&mut self) {
        if !self.keep.load(Ordering::Acquire)
            && let Err(error) = remove(&self.path)
        {
            tracing::warn!(%error, "files of a retired read model stay until the next start");
        }
    }
}
