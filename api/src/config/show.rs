//! `bongsu config show`: the values in force, and where each came from.

use super::section::SectionDoc;
use super::source::{Layers, Origin, Raw};
use serde::Serialize;

/// One value in force.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// The key.
    pub key: String,
    /// As it would be written; `null` where it is not set, `"***"` for a secret.
    pub value: Option<String>,
    /// `default`, `flag --x`, `environment X` or a line of the file.
    pub origin: String,
    /// Nobody changed it.
    pub is_default: bool,
}

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// All keys in the order of the documentation.
pub fn values(layers: &Layers, sections: &[SectionDoc]) -> Vec<Shown> {
    sections
        .iter()
        .flat_map(|section| &section.keys)
        .map(|key| {
            let found = layers.get(&key.path);
            Shown {
                key: key.path.clone(),
                value: found.map(|(raw, _)| if key.secret { MASK.to_owned() } else { plain(raw) }),
                origin: found.map_or_else(|| "not set".to_owned(), |(_, origin)| origin.to_string()),
                is_default: found.is_none_or(|(_, origin)| *origin == Origin::Default),
            }
        })
        .collect()
}

fn plain(raw: &Raw) -> String {
    match raw {
        Raw::Untyped(text) | Raw::Text(text) => text.clone(),
        other => other.shown(),
    }
}
