//! A folder of templates: a folder for each, named by its key.

use super::remark::{Level, Remark};
use crate::cli::exit::CliError;
use crate::template_files::{At, Files, HEAD, Read, VARIANT, read};
use domain::rendering::{Parts, references};
use domain::template::{Source, TemplateKind};
use domain::values::TemplateKey;
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest file that is read: no field may be larger.
const LARGEST: u64 = domain::rendering::limits::MAX_FIELD as u64 * 2;

/// What a folder holds.
#[derive(Debug)]
pub struct Folder {
    /// What could be read.
    pub templates: BTreeMap<TemplateKey, Read>,
    /// What could not.
    pub mistakes: Vec<Remark>,
}

fn unreadable(path: &Path, error: &std::io::Error) -> CliError {
    let why = format!("{} cannot be read: {error}", path.display());
    if error.kind() == ErrorKind::NotFound { CliError::not_found(why) } else { CliError::failure(why) }
}

/// Names and paths of what a folder holds, but what begins with a dot.
fn entries(path: &Path) -> Result<Vec<(String, PathBuf)>, CliError> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
        let entry = entry.map_err(|error| unreadable(path, &error))?;
        match entry.file_name().into_string() {
            Ok(name) if !name.starts_with('.') => entries.push((name, entry.path())),
            _ => {}
        }
    }
    entries.sort();
    Ok(entries)
}

/// The files of one template, those of its variants too; notes for people (`.md`) are none of them.
pub fn files(path: &Path) -> Result<Files, CliError> {
    let mut files = Files::new();
    for (name, path) in entries(path)?.into_iter().filter(|(name, _)| !name.ends_with(".md")) {
        if name.starts_with(VARIANT) && path.is_dir() {
            let below = self::files(&path)?;
            files.extend(below.into_iter().map(|(file, text)| (format!("{name}/{file}"), text)));
            continue;
        }
        let size = std::fs::metadata(&path).map_err(|error| unreadable(&path, &error))?;
        if size.is_file() && size.len() > LARGEST {
            return Err(CliError::failure(format!("{} has more than {} KB, which is too large for a template", path.display(), LARGEST / 1024)));
        }
        files.insert(name, std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?);
    }
    Ok(files)
}

/// The layouts and partials that a template and its variants name.
fn rests_on(source: &Source) -> BTreeSet<TemplateKey> {
    source.all_variants().flat_map(|(_, whole)| references(&whole).unwrap_or_default()).collect()
}

impl Folder {
    /// Reads all templates of a folder.
    ///
    /// # Errors
    /// Files that cannot be opened. What they say wrong is no error, but among [`mistakes`](Self::mistakes).
    pub fn read(path: &Path) -> Result<Self, CliError> {
        if path.join(HEAD).is_file() {
            let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
            return Err(CliError::usage(format!("{} is one template; name the folder that holds it, {}", path.display(), above.display())));
        }
        let mut folder = Self { templates: BTreeMap::new(), mistakes: Vec::new() };
        for (name, path) in entries(path)?.into_iter().filter(|(_, path)| path.is_dir()) {
            folder.template(&name, &path)?;
        }
        Ok(folder)
    }

    fn template(&mut self, name: &str, path: &Path) -> Result<(), CliError> {
        let mistake = |at: &At, message: String| Remark::new(Level::Problem, &format!("{name}/{}", at.file), "FILE", message).at(at.line, at.column);
        let key = match TemplateKey::new(name) {
            Ok(key) => key,
            Err(error) => {
                self.mistakes.push(mistake(&At::file(HEAD), format!("the folder's name is the template's key: {error}")));
                return Ok(());
            }
        };
        match read(&files(path)?) {
            Ok(read) => drop(self.templates.insert(key, read)),
            Err(mistakes) => self.mistakes.extend(mistakes.into_iter().map(|wrong| mistake(&wrong.at, wrong.message))),
        }
        Ok(())
    }

    /// The layouts and partials that a template rests on, as far as the folder has them.
    pub fn parts(&self, source: &Source) -> Parts {
        let mut parts = Parts::new();
        let mut open: Vec<TemplateKey> = rests_on(source).into_iter().collect();
        while let Some(key) = open.pop() {
            let part = self.templates.get(&key).map(|read| &read.source).filter(|part| part.kind != TemplateKind::Message);
            if let Some(part) = part.filter(|_| !parts.contains_key(&key)) {
                open.extend(references(part).unwrap_or_default());
                parts.insert(key, Arc::new(part.clone()));
            }
        }
        parts
    }

    /// All keys, what others rest on first.
    pub fn in_order(&self) -> Vec<TemplateKey> {
        let mut order = Vec::new();
        let mut seen = BTreeSet::new();
        for key in self.templates.keys() {
            self.visit(key, &mut seen, &mut order);
        }
        order
    }

    fn visit(&self, key: &TemplateKey, seen: &mut BTreeSet<TemplateKey>, order: &mut Vec<TemplateKey>) {
        let Some(read) = self.templates.get(key) else { return };
        if !seen.insert(key.clone()) {
            return;
        }
        for part in rests_on(&read.source) {
            self.visit(&part, seen, order);
        }
        order.push(key.clone());
    }
}
