//! How a section is written: its keys once, with documentation, type and default.

use super::source::Layers;
use super::value::Value;
use std::path::Path;

/// One key, as documented.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its whole path: `server.listen`.
    pub path: String,
    /// What it means, as Markdown.
    pub doc: String,
    /// What may be written, in words.
    pub kind: &'static str,
    /// Default as text; none where the key may stay away.
    pub default: Option<String>,
    /// Never shown.
    pub secret: bool,
    /// How the default is written in TOML.
    pub form: super::value::Form,
}

impl Key {
    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!("BONGSU_{}", self.path.replace('.', "__").to_uppercase())
    }
}

/// One section, as documented.
#[derive(Debug, Clone)]
pub struct SectionDoc {
    /// Its path: `providers.fcm`.
    pub path: String,
    /// What it is about.
    pub doc: String,
    /// Its keys.
    pub keys: Vec<Key>,
}

/// A section of fixed path.
pub trait Section: Sized {
    /// Where it stands in the file.
    const PATH: &'static str;
    /// Its documentation.
    fn describe() -> SectionDoc;
    /// Reads and checks it. Mistakes are noted in the reader.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;
}

/// Reads values and collects what is wrong with them.
pub struct Reader<'a> {
    layers: &'a Layers,
    problems: Vec<String>,
}

impl<'a> Reader<'a> {
    /// Over the layers.
    pub const fn new(layers: &'a Layers) -> Self {
        Self { layers, problems: Vec::new() }
    }

    /// One value; none (and a note) where it cannot be used.
    pub fn value<T: Value>(&mut self, path: &str) -> Option<T> {
        let Some((raw, origin)) = self.layers.get(path) else {
            return T::absent().or_else(|| {
                self.problems.push(format!("{path} must be set"));
                None
            });
        };
        match T::from_raw(raw, origin.folder().unwrap_or(Path::new(""))) {
            Ok(value) => Some(value),
            Err(reason) => {
                let secret = self.layers.is_secret(path);
                let shown = if secret { String::new() } else { format!(" = {}", raw.shown()) };
                self.problems.push(format!("{path}{shown} ({origin}): {reason}"));
                None
            }
        }
    }

    /// Whether any key below a path is set by the file, the environment or a flag.
    pub fn is_configured(&self, section: &str) -> bool {
        self.layers.is_configured(section)
    }

    /// Notes that a value breaks a rule.
    pub fn problem(&mut self, path: &str, reason: impl std::fmt::Display) {
        let origin = self.layers.get(path).map_or_else(String::new, |(_, origin)| format!(" ({origin})"));
        self.problems.push(format!("{path}{origin}: {reason}"));
    }

    /// Notes a broken rule unless it holds.
    pub fn require(&mut self, holds: bool, path: &str, reason: impl std::fmt::Display) {
        if !holds {
            self.problem(path, reason);
        }
    }

    /// Whether anything is wrong.
    pub const fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// What is wrong.
    pub fn into_problems(self) -> Vec<String> {
        self.problems
    }
}

/// The lines of a doc comment as one text.
pub fn joined(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// Declares a section: `name: Type = "default"`, or `name: Option<Type>` without one. A method
/// `fn check(&self, reader: &mut Reader)` of the section is called after reading.
macro_rules! section {
    (
        $(#[doc = $about:literal])*
        $name:ident at $path:literal {
            $($(#[doc = $doc:literal])* $field:ident: $type:ty $(= $default:literal)?,)+
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone)]
        pub struct $name {
            $($(#[doc = $doc])* pub $field: $type,)+
        }

        impl $crate::config::section::Section for $name {
            const PATH: &'static str = $path;

            fn describe() -> $crate::config::section::SectionDoc {
                #[allow(unused_mut, unused_assignments)]
                let keys = vec![$({
                    let mut default: Option<String> = None;
                    $(default = Some(String::from($default));)?
                    $crate::config::section::Key {
                        path: concat!($path, ".", stringify!($field)).to_owned(),
                        doc: $crate::config::section::joined(&[$($doc),*]),
                        kind: <$type as $crate::config::value::Value>::KIND,
                        default,
                        secret: <$type as $crate::config::value::Value>::SECRET,
                        form: <$type as $crate::config::value::Value>::FORM,
                    }
                },)+];
                $crate::config::section::SectionDoc {
                    path: $path.to_owned(),
                    doc: $crate::config::section::joined(&[$($about),*]),
                    keys,
                }
            }

            fn read(reader: &mut $crate::config::section::Reader<'_>) -> Option<Self> {
                // Every field is read before any is missed, so that all mistakes are told.
                $(let $field = reader.value::<$type>(concat!($path, ".", stringify!($field)));)+
                let section = Self { $($field: $field?,)+ };
                section.check(reader);
                Some(section)
            }
        }
    };
}
pub(crate) use section;
