//! `manifest.json` of a backup: what is in it, up to where, and how to tell that it is whole.

use crate::app::data_dir::hex;
use crate::cli::exit::CliError;
use crate::cli::output::rfc3339;
use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Its name.
pub const FILE: &str = "manifest.json";
/// Version of its shape.
const FORMAT: u32 = 1;

/// The whole of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this shape.
    pub format: u32,
    /// Version of bongsu that wrote it.
    pub bongsu: String,
    /// When (RFC 3339, UTC).
    pub created_at: String,
    /// The newest event in it.
    pub position: u64,
    /// Its files.
    pub files: Vec<Copied>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// Path within the backup.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
    /// The last event that it knows of, where it follows the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
}

impl Manifest {
    /// Of files that were copied.
    pub fn new(now: i64, position: u64, files: Vec<Copied>) -> Self {
        Self { format: FORMAT, bongsu: env!("CARGO_PKG_VERSION").to_owned(), created_at: rfc3339(now), position, files }
    }

    /// Reads it and compares every file with it; `keys` is the folder of keys/ where it was kept
    /// apart.
    pub fn verified(backup: &Path, keys: Option<&Path>) -> Result<Self, CliError> {
        let text = std::fs::read_to_string(backup.join(FILE))
            .map_err(|error| CliError::not_found(format!("{} is not a whole backup: {FILE} cannot be read: {error}", backup.display())))?;
        let manifest: Self = serde_json::from_str(&text).map_err(|error| CliError::failure(format!("{FILE} cannot be read: {error}")))?;
        if manifest.format != FORMAT {
            return Err(CliError::failure(format!(
                "the backup is of format {}, this build reads {FORMAT}; use the bongsu that made it ({})",
                manifest.format, manifest.bongsu
            )));
        }
        for file in &manifest.files {
            let inside = Path::new(&file.name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
            if !inside {
                return Err(CliError::failure(format!("{FILE} names {:?}, which is outside the backup", file.name)));
            }
            let found = Copied::at(&file.path(backup, keys), &file.name, file.position)?;
            if found != *file {
                return Err(CliError::failure(format!("{} is not what was backed up: its size or SHA-256 differs; use another backup", file.name)));
            }
        }
        Ok(manifest)
    }
}

impl Copied {
    /// Of a file of a backup.
    pub fn of(backup: &Path, name: &str, position: Option<u64>) -> Result<Self, CliError> {
        Self::at(&backup.join(name), name, position)
    }

    /// Where the file lies.
    pub fn path(&self, backup: &Path, keys: Option<&Path>) -> PathBuf {
        match (self.name.strip_prefix("keys/"), keys) {
            (Some(name), Some(keys)) => keys.join(name),
            _ => backup.join(&self.name),
        }
    }

    fn at(path: &Path, name: &str, position: Option<u64>) -> Result<Self, CliError> {
        let unreadable = |error: std::io::Error| CliError::failure(format!("{name} cannot be read: {error}"));
        let mut file = std::fs::File::open(path).map_err(unreadable)?;
        let mut digest = Context::new(&SHA256);
        let mut bytes = 0;
        let mut chunk = vec![0; 1 << 20];
        loop {
            let read = file.read(&mut chunk).map_err(unreadable)?;
            if read == 0 {
                break;
            }
            bytes += read as u64;
            digest.update(&chunk[..read]);
        }
        Ok(Self { name: name.to_owned(), bytes, sha256: hex(digest.finish().as_ref()), position })
    }
}
