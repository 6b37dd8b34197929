//! The data folder and the machine under it.

use super::{Finding, Verdict};
use crate::app::data_dir::{DataDir, DataDirError, master_key_variable};
use crate::config::{Config, Profile};
use std::path::Path;

/// Below this a warning.
const LITTLE_SPACE: u64 = 1 << 30;

pub(super) fn findings(config: &Config, file: Option<&Path>) -> Vec<Finding> {
    let storage = &config.storage;
    let root = &storage.data_dir;
    let mut all = vec![Finding::new("sqlite", Verdict::Ok, rusqlite::version()), folder(root, storage.profile), space(root), master_key(config)];
    all.extend(file.and_then(|file| exposed(file, "configuration file")));
    all
}

/// Whether a server could use it. Nothing is left behind.
fn folder(root: &Path, profile: Profile) -> Finding {
    let what = "data folder";
    let shown = root.display();
    let (place, found) = if root.exists() { (root, "is writable") } else { (existing_parent(root), "will be created") };
    if let Err(error) = tempfile::Builder::new().tempfile_in(place) {
        return Finding::new(what, Verdict::Failed, format_args!("{shown} cannot be written: {error}"));
    }
    if DataDir::existing(root).is_err() {
        return Finding::new(what, Verdict::Ok, format_args!("{shown} {found}"));
    }
    match DataDir::lock(root) {
        Ok(data) if profile == Profile::Embedded && data.moved().is_some() => {
            Finding::new(what, Verdict::Failed, data.not_moved().err().map(|error| error.to_string()).unwrap_or_default())
        }
        Ok(_) => Finding::new(what, Verdict::Ok, format_args!("{shown} is writable, no server uses it")),
        Err(DataDirError::Locked { .. }) => Finding::new(what, Verdict::Ok, format_args!("{shown} is in use by a running server")),
        Err(error) => Finding::new(what, Verdict::Failed, error),
    }
}

fn existing_parent(root: &Path) -> &Path {
    root.ancestors().skip(1).find(|parent| parent.is_dir()).unwrap_or(Path::new("."))
}

fn space(root: &Path) -> Finding {
    let what = "free disk space";
    let place = if root.exists() { root } else { existing_parent(root) };
    match rustix::fs::statvfs(place) {
        Ok(found) => {
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            let verdict = if free < LITTLE_SPACE { Verdict::Warning } else { Verdict::Ok };
            Finding::new(what, verdict, format_args!("{} MiB at {}", free >> 20, place.display()))
        }
        Err(error) => Finding::new(what, Verdict::Warning, error),
    }
}

fn master_key(config: &Config) -> Finding {
    let what = "master key";
    let storage = &config.storage;
    let file = storage.master_key_file.as_deref();
    let text = master_key_variable();
    // Of a cluster the folder has no log: see the finding of its installation.
    let folder = DataDir::existing(&storage.data_dir).ok().filter(|_| storage.profile == Profile::Embedded);
    let Some(data) = folder else {
        let detail = if text.is_none() && file.is_none() { "will be made at the first start" } else { "given from outside the data folder" };
        return Finding::new(what, Verdict::Ok, detail);
    };
    match data.find_master_key(text.as_deref(), file) {
        Ok(Some(_)) if text.is_some() => Finding::new(what, Verdict::Ok, "from BONGSU_MASTER_KEY"),
        Ok(Some(_)) => {
            let path = file.map_or_else(|| data.master_key_file(), Path::to_owned);
            exposed(&path, what).unwrap_or_else(|| Finding::new(what, Verdict::Ok, format_args!("{}, readable by its owner only", path.display())))
        }
        Ok(None) => Finding::new(what, Verdict::Failed, "there is a log and no master.key; put it back, or set BONGSU_MASTER_KEY"),
        Err(error) => Finding::new(what, Verdict::Failed, error),
    }
}

/// A warning where others may read a file that holds secrets.
#[cfg(unix)]
fn exposed(path: &Path, what: &str) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    let secret = path.extension().is_some_and(|name| name == "key")
        || std::fs::read_to_string(path).is_ok_and(|text| {
            text.lines().any(|line| {
                let key = line.split('=').next().unwrap_or_default().trim();
                matches!(key, "password" | "key" | "service_account")
            })
        });
    (secret && mode & 0o077 != 0)
        .then(|| Finding::new(what, Verdict::Warning, format_args!("others on this machine may read {}; chmod 600 it", path.display())))
}

#[cfg(not(unix))]
fn exposed(_path: &Path, _what: &str) -> Option<Finding> {
    None
}
