//! What the clients were promised, durable before it counts.

use anyhow::Result;
use serde_json::json;
use std::collections::HashSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The journal's file. An answer is counted once its line is on disk, so that the checker knows
/// of every promise even if the harness itself dies.
#[derive(Debug)]
pub struct Journal {
    inner: Mutex<Inner>,
    record: Option<PathBuf>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    ids: HashSet<String>,
}

impl Journal {
    /// A new one.
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self { inner: Mutex::new(Inner { file: File::create(path)?, ids: HashSet::new() }), record: None })
    }

    /// One that also notes how long a record of what the server does to its files was when an
    /// answer came: what the answer depends on stands before that.
    pub fn beside(path: &Path, record: PathBuf) -> Result<Self> {
        Ok(Self { record: Some(record), ..Self::create(path)? })
    }

    /// Writes the answers of one response: (key, id, position).
    pub fn promise(&self, answers: &[(&str, &str, &str)]) -> Result<()> {
        let recorded = self.record.as_ref().map(std::fs::metadata).transpose()?.map(|record| record.len());
        let mut lines = String::new();
        for (key, id, position) in answers {
            lines.push_str(&json!({ "key": key, "id": id, "position": position, "recorded": recorded }).to_string());
            lines.push('\n');
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.file.write_all(lines.as_bytes())?;
        inner.file.sync_data()?;
        inner.ids.extend(answers.iter().map(|answer| answer.1.to_owned()));
        Ok(())
    }

    /// Notifications promised so far.
    pub fn promised(&self) -> usize {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).ids.len()
    }
}
