//! A credential that is either written out or in a file of its own.

use crate::config::section::Reader;
use crate::config::value::Secret;
use std::path::Path;

/// Longest credential file that makes sense.
const LONGEST: u64 = 64 * 1024;

/// Reads a credential. Notes a mistake where there are two, none that is needed, or a file that
/// cannot be read.
pub(in crate::config) fn read(
    reader: &mut Reader<'_>,
    section: &str,
    name: &str,
    inline: Option<&Secret>,
    file: Option<&Path>,
    needed: bool,
) -> Option<Secret> {
    let key = format!("{section}.{name}");
    let file_key = format!("{section}.{name}_file");
    match (inline, file) {
        (Some(_), Some(_)) => {
            reader.problem(&key, format_args!("set either this or {file_key}, not both"));
            None
        }
        (Some(secret), None) => Some(secret.clone()),
        (None, Some(path)) => match load(path) {
            Ok(secret) => Some(secret),
            Err(reason) => {
                reader.problem(&file_key, reason);
                None
            }
        },
        (None, None) => {
            if needed {
                reader.problem(&file_key, format_args!("is missing; name a file, or set {key} (also by the environment)"));
            }
            None
        }
    }
}

/// The credential of a section that was checked.
pub(in crate::config) fn resolve(inline: Option<&Secret>, file: Option<&Path>) -> Option<Secret> {
    inline.cloned().or_else(|| file.and_then(|path| load(path).ok()))
}

fn load(path: &Path) -> Result<Secret, String> {
    let unusable = |error: std::io::Error| format!("the file cannot be read: {error}");
    let size = std::fs::metadata(path).map_err(unusable)?.len();
    if size > LONGEST {
        return Err("the file is over 64 KiB, which no credential is".to_owned());
    }
    let text = std::fs::read_to_string(path).map_err(unusable)?;
    let text = text.trim();
    if text.is_empty() {
        return Err("the file is empty".to_owned());
    }
    Ok(Secret::new(text))
}

/// Notes a mistake where a PEM file cannot be read or is none.
pub(super) fn check_pem(reader: &mut Reader<'_>, key: &str, file: Option<&Path>) {
    let Some(path) = file else {
        return;
    };
    match load(path) {
        Ok(pem) => reader.require(pem.expose().contains("-----BEGIN CERTIFICATE-----"), key, "is not a PEM file of certificates"),
        Err(reason) => reader.problem(key, reason),
    }
}
