//! Where values come from: flags, the environment, the file, the defaults.

mod error;
mod file;
mod nearest;

pub use error::ConfigError;
pub(crate) use nearest::nearest;

use super::section::{Key, SectionDoc};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// What the process was started with. A value, so that tests need no process of their own.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Flags: the key's path, the flag's name, the text.
    pub flags: Vec<(&'static str, &'static str, String)>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// The file that was named; it must exist.
    pub file: Option<PathBuf>,
}

/// The file that is read where none is named, if it exists.
pub const DEFAULT_FILE: &str = "bongsu.toml";
/// Names the file.
pub const FILE_VARIABLE: &str = "BONGSU_CONFIG";

impl Sources {
    /// Of this process: its environment, and the named file, else `BONGSU_CONFIG`, else
    /// `bongsu.toml` in the current folder where there is one.
    pub fn of_process(file: Option<PathBuf>) -> Self {
        let file = file.or_else(|| std::env::var_os(FILE_VARIABLE).map(PathBuf::from)).or_else(|| {
            let here = PathBuf::from(DEFAULT_FILE);
            here.is_file().then_some(here)
        });
        // A variable that is not Unicode cannot be one of ours.
        let environment = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
        Self { flags: Vec::new(), environment, file }
    }

    /// Adds a flag where it was given.
    pub fn flag(mut self, path: &'static str, flag: &'static str, value: Option<String>) -> Self {
        if let Some(value) = value {
            self.flags.push((path, flag, value));
        }
        self
    }
}

/// A value as written.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw {
    /// From a flag, the environment or a default: the key's type decides.
    Untyped(String),
    /// A TOML string.
    Text(String),
    /// A TOML number.
    Number(String),
    /// A TOML boolean.
    Flag(bool),
    /// A TOML array.
    List(Vec<Raw>),
    /// Anything else in TOML, by its name.
    Other(&'static str),
}

impl Raw {
    /// As it would be written, cut to a length that fits a message.
    pub fn shown(&self) -> String {
        match self {
            Self::Untyped(text) | Self::Text(text) => {
                let mut short: String = text.chars().take(80).collect();
                if short.len() < text.len() {
                    short.push('…');
                }
                format!("{short:?}")
            }
            Self::Number(text) => text.clone(),
            Self::Flag(flag) => flag.to_string(),
            Self::List(parts) => format!("[{}]", parts.iter().map(Self::shown).collect::<Vec<_>>().join(", ")),
            Self::Other(name) => (*name).to_owned(),
        }
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag(&'static str),
    /// An environment variable.
    Environment(String),
    /// A line of the file.
    File {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// Nobody said anything.
    Default,
}

impl Origin {
    /// The folder that relative paths start from, where it is not the current one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. } => path.parent(),
            Self::Flag(_) | Self::Environment(_) | Self::Default => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File { path, line } => write!(f, "{} line {line}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The winning value of each key.
#[derive(Debug, Clone)]
pub struct Layers {
    values: BTreeMap<String, (Raw, Origin)>,
    secrets: Vec<String>,
}

impl Layers {
    /// Reads all layers and refuses keys that nobody knows.
    pub fn read(sources: &Sources, sections: &[SectionDoc]) -> Result<Self, ConfigError> {
        let keys: Vec<&Key> = sections.iter().flat_map(|section| &section.keys).collect();
        let mut values = BTreeMap::new();
        let mut problems = Vec::new();
        for key in &keys {
            if let Some(default) = &key.default {
                let raw = Raw::Untyped(default.clone());
                values.insert(key.path.clone(), (raw, Origin::Default));
            }
        }
        if let Some(path) = &sources.file {
            for (name, raw, line) in file::read(path)? {
                let origin = Origin::File { path: path.clone(), line };
                if keys.iter().any(|key| key.path == name) {
                    values.insert(name, (raw, origin));
                } else {
                    problems.push(unknown(&name, &origin, &keys));
                }
            }
        }
        for (name, text) in &sources.environment {
            // Two underscores make it a setting; `BONGSU_KEY` and its like belong to commands.
            let Some(rest) = name.strip_prefix("BONGSU_") else {
                continue;
            };
            if !rest.contains("__") {
                continue;
            }
            let origin = Origin::Environment(name.clone());
            match keys.iter().find(|key| key.variable() == *name) {
                Some(key) => {
                    values.insert(key.path.clone(), (Raw::Untyped(text.clone()), origin));
                }
                None => {
                    let path = rest.replace("__", ".").to_lowercase();
                    problems.push(unknown(&path, &origin, &keys));
                }
            }
        }
        for (path, flag, text) in &sources.flags {
            let raw = Raw::Untyped(text.clone());
            values.insert((*path).to_owned(), (raw, Origin::Flag(flag)));
        }
        if !problems.is_empty() {
            return Err(ConfigError::Invalid { problems });
        }
        let secrets = keys.iter().filter(|key| key.secret).map(|key| key.path.clone()).collect();
        Ok(Self { values, secrets })
    }

    /// The winning value of a key.
    pub fn get(&self, path: &str) -> Option<(&Raw, &Origin)> {
        self.values.get(path).map(|(raw, origin)| (raw, origin))
    }

    /// Whether a key must not be shown.
    pub fn is_secret(&self, path: &str) -> bool {
        self.secrets.iter().any(|secret| secret == path)
    }

    /// Whether anything below a section is set.
    pub fn is_configured(&self, section: &str) -> bool {
        let prefix = format!("{section}.");
        self.values.iter().any(|(path, (_, origin))| path.starts_with(&prefix) && *origin != Origin::Default)
    }
}

fn unknown(path: &str, origin: &Origin, keys: &[&Key]) -> String {
    let hint = nearest(path, keys.iter().map(|key| key.path.as_str())).map_or_else(
        || "`bongsu config reference` lists all keys".to_owned(),
        |near| match origin {
            Origin::Environment(_) => keys.iter().find(|key| key.path == near).map_or_else(String::new, |key| format!("did you mean {}?", key.variable())),
            _ => format!("did you mean {near}?"),
        },
    );
    format!("unknown key {path} ({origin}); {hint}")
}
