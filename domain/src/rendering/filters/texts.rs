//! Filters of texts.

use super::super::limits::MAX_FILTERED;
use super::{bounded, refused, spend, too_long};
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, State, Value};
use std::borrow::Cow;

pub(super) fn add(engine: &mut Environment<'static>) {
    let mut of_text = |name: &'static str, change: fn(&str) -> String| {
        engine.add_filter(name, move |state: &State, text: &Value| {
            spend(state, text, 1)?;
            bounded(change(&text_of(text)?))
        });
    };
    of_text("upper", str::to_uppercase);
    of_text("lower", str::to_lowercase);
    of_text("capitalize", capitalized);
    of_text("title", |text| text.split_inclusive(char::is_whitespace).map(capitalized).collect());
    of_text("trim", |text| text.trim().to_owned());
    of_text("urlencode", percent_encoded);
    engine.add_filter("replace", |state: &State, text: &Value, from: &str, to: &str| {
        spend(state, text, 4)?;
        replace(text, from, to)
    });
    engine.add_filter("truncate", |state: &State, text: &Value, most: usize| {
        spend(state, text, 1)?;
        truncate(text, most)
    });
    engine.add_filter("split", |state: &State, text: &Value, by: &str| {
        spend(state, text, 2)?;
        split(text, by)
    });
}

/// A text, or a number or truth value as one.
pub(in super::super) fn text_of(value: &Value) -> Result<Cow<'_, str>, Error> {
    match value.kind() {
        ValueKind::String => Ok(Cow::Borrowed(value.as_str().unwrap_or_default())),
        ValueKind::Number | ValueKind::Bool => Ok(Cow::Owned(value.to_string())),
        ValueKind::Undefined => Err(Error::from(minijinja::ErrorKind::UndefinedError)),
        _ => Err(refused("it is no text")),
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect())
}

/// Not `str::replace`: what comes out may be the product of both lengths, so it is bounded while it grows.
fn replace(text: &Value, from: &str, to: &str) -> Result<Value, Error> {
    let text = text_of(text)?;
    if from.is_empty() {
        return Err(refused("nothing cannot be replaced"));
    }
    let mut out = String::new();
    for (index, part) in text.split(from).enumerate() {
        if index > 0 {
            out.push_str(to);
        }
        out.push_str(part);
        if out.len() > MAX_FILTERED {
            return Err(too_long());
        }
    }
    Ok(Value::from(out))
}

/// The first so many characters, the last of which is `…` where some were left out.
fn truncate(text: &Value, most: usize) -> Result<Value, Error> {
    let text = text_of(text)?;
    if text.chars().nth(most).is_none() {
        return bounded(text.into_owned());
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    bounded(short)
}

fn split(text: &Value, by: &str) -> Result<Value, Error> {
    /// Each part takes more memory than its bytes.
    const MOST: usize = 1000;
    let text = text_of(text)?;
    if by.is_empty() {
        return Err(refused("it cannot be split by nothing"));
    }
    Ok(text.splitn(MOST, by).map(Value::from).collect())
}

/// All but RFC 3986's unreserved characters.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
