//! Clocks of replicas that can be wrong: `libfaketime` in front of each process, told by a file.
//! The monotonic clock is left alone, as a wrong wall clock would leave it.

use anyhow::Result;
use std::path::{Path, PathBuf};

/// Where Debian puts it, by architecture.
const FOLDERS: [&str; 3] = ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime"];

/// The library, where it is installed.
pub fn library() -> Option<PathBuf> {
    FOLDERS.iter().map(|folder| Path::new(folder).join("libfaketimeMT.so.1")).find(|file| file.is_file())
}

/// The clock of one replica.
#[derive(Debug, Clone)]
pub struct Clock {
    file: PathBuf,
}

impl Clock {
    /// One that is right, with what a process must have in its environment to go by it.
    pub fn new(root: &Path, number: usize, library: &Path) -> Result<(Self, Vec<(String, String)>)> {
        let clock = Self { file: root.join(format!("replica-{number}.clock")) };
        clock.shift(0)?;
        let variables = [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", clock.file.display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        Ok((clock, variables.map(|(name, value)| (name.to_owned(), value)).into()))
    }

    /// Shifts it by so many seconds from the right time, within a second.
    pub fn shift(&self, seconds: i64) -> Result<()> {
        // Whole at every look: a reader never meets half a number.
        let fresh = self.file.with_extension("new");
        std::fs::write(&fresh, format!("{seconds:+}\n"))?;
        Ok(std::fs::rename(fresh, &self.file)?)
    }
}
