//! The files of one template: `template.toml`, a file for each language, and long texts beside them; the same for
//! each variant of an experiment, in a folder of its own. And the difference of two templates, file by file.
//!
//! Guarantee: reading what was written gives the same template, and of everything that is read it is known
//! where it was written. The format is told in docs/guides/templates.md. Rejected: one file for a whole template,
//! since translators get one language each, and editors know MJML and HTML by their endings.

mod lines;
mod reading;
#[cfg(test)]
mod tests;
mod writing;

pub use reading::read;
pub use writing::write;

use domain::template::{Localized, Source};
use domain::values::Channel;
use std::collections::{BTreeMap, BTreeSet};

/// The file that says what a template is.
pub const HEAD: &str = "template.toml";
/// How files and sections call the body for all channels that have none of their own.
const ANY: &str = "any";
/// Before a variant's name, the name of its folder: whatever a variant is called, that leads nowhere else.
pub const VARIANT: &str = "variant-";

/// Texts of files by their names, those of variants with their folder: `variant-warm/en.toml`.
pub type Files = BTreeMap<String, String>;

/// Where something was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// Name of the file, within the template's folder.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// Something in the files that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub at: At,
    /// What is wrong.
    pub message: String,
}

/// A field of a body: variant (none: the template itself), language, channel, field.
pub type FieldKey = (Option<String>, String, Option<Channel>, &'static str);

/// A template as its files say it.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The template, in the order of [`ordered`].
    pub source: Source,
    /// Where the first letter of each field's text stands.
    pub fields: BTreeMap<FieldKey, At>,
}

impl At {
    /// The beginning of a file.
    pub fn file(name: &str) -> Self {
        Self { file: name.to_owned(), line: 1, column: 1 }
    }

    /// The byte `offset` of a file's text.
    fn of(name: &str, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { file: name.to_owned(), line: before.matches('\n').count() + 1, column }
    }

    /// Line and column within a text that begins here.
    pub fn within(&self, line: usize, column: usize) -> Self {
        let column = if line > 1 { column } else { self.column + column - 1 };
        Self { file: self.file.clone(), line: self.line + line - 1, column }
    }
}

/// The same template with languages and bodies in the order in which files have them: it means nothing.
pub fn ordered(mut source: Source) -> Source {
    in_order(&mut source.locales);
    for variant in source.experiment.iter_mut().flat_map(|experiment| &mut experiment.variants) {
        in_order(&mut variant.locales);
    }
    source
}

fn in_order(locales: &mut [Localized]) {
    locales.sort_by(|a, b| a.locale.as_str().cmp(b.locale.as_str()));
    for localized in locales {
        localized.bodies.sort_by_key(|body| body.channel);
    }
}

/// The differences of two templates, those of a file after its name, as `diff -u` tells them; `names` are what the
/// two are called in them. Files that are equal are left out.
pub fn differences(names: (&str, &str), old: &Files, new: &Files) -> Vec<(String, String)> {
    let all: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let text = |files: &Files, name: &String| files.get(name).cloned().unwrap_or_default();
    let told = |name: &String| lines::unified((&format!("{}/{name}", names.0), &format!("{}/{name}", names.1)), &text(old, name), &text(new, name));
    all.into_iter().map(|name| (name.clone(), told(name))).filter(|(_, told)| !told.is_empty()).collect()
}

/// What files and sections call a channel.
pub fn section_of(channel: Option<Channel>) -> &'static str {
    channel.map_or(ANY, Channel::name)
}

fn channel_of(section: &str) -> Option<Option<Channel>> {
    if section == ANY { Some(None) } else { Channel::from_name(section).map(Some) }
}
