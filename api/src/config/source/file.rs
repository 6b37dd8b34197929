//! The TOML file, flattened to paths with their lines.

use super::{ConfigError, Raw};
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// Every leaf of the file: path, value, line from 1.
pub(super) fn read(path: &Path) -> Result<Vec<(String, Raw, usize)>, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|reason| ConfigError::Unreadable { path: path.to_owned(), reason })?;
    let table = DeTable::parse(&text).map_err(|error| ConfigError::Syntax {
        path: path.to_owned(),
        line: line_of(&text, error.span().map_or(0, |span| span.start)),
        reason: error.message().to_owned(),
    })?;
    let mut leaves = Vec::new();
    flatten(&text, "", table.get_ref(), &mut leaves);
    Ok(leaves)
}

fn flatten(text: &str, prefix: &str, table: &DeTable<'_>, leaves: &mut Vec<(String, Raw, usize)>) {
    for (name, value) in table {
        let path = if prefix.is_empty() { name.get_ref().to_string() } else { format!("{prefix}.{}", name.get_ref()) };
        match value.get_ref() {
            DeValue::Table(inner) => flatten(text, &path, inner, leaves),
            other => leaves.push((path, raw(other), line_of(text, name.span().start))),
        }
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => Raw::Number(number.as_str().to_owned()),
        DeValue::Float(number) => Raw::Number(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Raw::Flag(*flag),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Array(parts) => Raw::List(parts.iter().map(|part| raw(part.get_ref())).collect()),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}
