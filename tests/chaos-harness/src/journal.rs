//! Files of lines that are on disk before they count: what clients were answered, what was disturbed.

use anyhow::Result;
use serde_json::Value;
use std::collections::HashSet;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in ms since the epoch: the clock that clients, nemesis and providers share.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// One file.
#[derive(Debug)]
pub struct Journal {
    inner: Mutex<(File, HashSet<String>)>,
}

impl Journal {
    /// A new one.
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self { inner: Mutex::new((File::create(path)?, HashSet::new())) })
    }

    /// Writes lines; returns when they are on disk.
    pub fn write(&self, lines: &[Value]) -> Result<()> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.0.write_all(text.as_bytes())?;
        inner.0.sync_data()?;
        inner.1.extend(lines.iter().filter_map(|line| line["id"].as_str().map(ToOwned::to_owned)));
        Ok(())
    }

    /// Notifications promised so far.
    pub fn promised(&self) -> usize {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).1.len()
    }
}
