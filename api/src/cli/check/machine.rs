//! The data folder and the machine under it.

use super::{Finding, Verdict};
use crate::app::data_dir::{DataDir, DataDirError, master_key_variable};
use crate::config::Config;
use std::path::Path;

/// Below this a warning.
const LITTLE_SPACE: u64 = 1 << 30;

pub(super) fn findings(config: &Config, file: Option<&Path>) -> Vec<Finding> {
    let root = &config.storage.data_dir;
    let mut all = vec![
        Finding::new("sqlite", Verdict::Ok, rusqlite::version()),
        folder(root),
        space(root),
        master_key(config),
    ];
    if let Some(file) = file {
        all.extend(readable(file, "configuration file"));
    }
    all
}

/// Whether a server could use it. Nothing is left behind.
fn folder(root: &Path) -> Finding {
    let what = "data folder";
    if !root.exists() {
        let parent = existing_parent(root);
        return match tempfile::Builder::new().tempfile_in(parent) {
            Ok(_) => Finding::new(
                what,
                Verdict::Ok,
                format_args!("{} will be created", root.display()),
            ),
            Err(error) => Finding::new(
                what,
                Verdict::Failed,
                format_args!("{} cannot be created: {error}", root.display()),
            ),
        };
    }
    if let Err(error) = tempfile::Builder::new().tempfile_in(root) {
        return Finding::new(
            what,
            Verdict::Failed,
            format_args!("{} is not writable: {error}", root.display()),
        );
    }
    if !root.join("log.db").exists() {
        return Finding::new(
            what,
            Verdict::Ok,
            format_args!("{} is empty and writable", root.display()),
        );
    }
    match DataDir::lock(root) {
        Ok(_) => Finding::new(
            what,
            Verdict::Ok,
            format_args!("{} is writable, no server uses it", root.display()),
        ),
        Err(DataDirError::Locked { .. }) => Finding::new(
            what,
            Verdict::Ok,
            format_args!("{} is in use by a running server", root.display()),
        ),
        Err(error) => Finding::new(what, Verdict::Failed, error),
    }
}

fn existing_parent(root: &Path) -> &Path {
    root.ancestors()
        .skip(1)
        .find(|parent| parent.is_dir())
        .unwrap_or(Path::new("."))
}

fn space(root: &Path) -> Finding {
    let what = "free disk space";
    let place = if root.exists() {
        root
    } else {
        existing_parent(root)
    };
    match rustix::fs::statvfs(place) {
        Ok(found) => {
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            let verdict = if free < LITTLE_SPACE {
                Verdict::Warning
            } else {
                Verdict::Ok
            };
            Finding::new(
                what,
                verdict,
                format_args!("{} MiB at {}", free >> 20, place.display()),
            )
        }
        Err(error) => Finding::new(what, Verdict::Warning, error),
    }
}

fn master_key(config: &Config) -> Finding {
    let what = "master key";
    let storage = &config.storage;
    let file = storage.master_key_file.as_deref();
    let text = master_key_variable();
    let data = match DataDir::existing(&storage.data_dir) {
        Ok(data) => data,
        Err(_) if text.is_none() && file.is_none() => {
            return Finding::new(what, Verdict::Ok, "will be made at the first start");
        }
        Err(_) => {
            return Finding::new(what, Verdict::Ok, "given from outside the data folder");
        }
    };
    match data.find_master_key(text.as_deref(), file) {
        Ok(Some(_)) if text.is_some() => {
            Finding::new(what, Verdict::Ok, "from BONGSU_MASTER_KEY")
        }
        Ok(Some(_)) => {
            let path = file.map_or_else(|| data.master_key_file(), Path::to_owned);
            readable(&path, what).unwrap_or_else(|| {
                Finding::new(
                    what,
                    Verdict::Ok,
                    format_args!("{}, readable by its owner only", path.display()),
                )
            })
        }
        Ok(None) => Finding::new(
            what,
            Verdict::Failed,
            "there is a log and no master.key; put it back, or set BONGSU_MASTER_KEY",
        ),
        Err(error) => Finding::new(what, Verdict::Failed, error),
    }
}

/// A warning where others may read a file that holds secrets.
#[cfg(unix)]
fn readable(path: &Path, what: &str) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    let secret = what == "master key"
        || std::fs::read_to_string(path).is_ok_and(|text| {
            text.lines().any(|line| {
                let key = line.split('=').next().unwrap_or_default().trim();
                matches!(key, "password" | "key" | "service_account")
            })
        });
    (secret && mode & 0o077 != 0).then(|| {
        Finding::new(
            what,
            Verdict::Warning,
            format_args!(
                "others on this machine may read {}; chmod 600 it",
                path.display()
            ),
        )
    })
}

#[cfg(not(unix))]
fn readable(_path: &Path, _what: &str) -> Option<Finding> {
    None
}
