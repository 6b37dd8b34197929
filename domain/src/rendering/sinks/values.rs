//! The filters of places. Templates cannot name them: they are put around expressions when a template is compiled.

use super::super::filters::{bounded, text_of};
use minijinja::{Environment, Error, Value};

/// Their names.
pub(in super::super) const SINKS: &[&str] = &["_json_text", "_link", "_link_part", "_style"];

/// Adds them.
pub(in super::super) fn add(engine: &mut Environment<'static>) {
    engine.add_filter("_json_text", json_text);
    engine.add_filter("_link", |value: &Value| Ok::<_, Error>(link(&text_of(value)?)));
    engine.add_filter("_link_part", |value: &Value| bounded(text_of(value)?.replace(':', "%3A")));
    engine.add_filter("_style", |value: &Value| Ok::<_, Error>(style(&text_of(value)?)));
}

/// The inside of a JSON string.
fn json_text(value: &Value) -> Result<Value, Error> {
    let quoted = serde_json::Value::from(text_of(value)?.into_owned()).to_string();
    let inside = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
    Ok(Value::from_safe_string(inside.to_owned()))
}

/// An address that leads somewhere; of a scheme that runs something nothing is left but `#`.
///
/// Browsers leave out control characters and blanks in a scheme, so they do not hide one here.
fn link(text: &str) -> Value {
    let letters = || text.chars().filter(|c| !c.is_control() && !c.is_whitespace());
    let scheme: String = letters().take_while(|c| !matches!(c, '/' | '?' | '#')).take(64).collect::<String>().to_ascii_lowercase();
    let harmless = match scheme.split_once(':') {
        Some((scheme, _)) => matches!(scheme, "https" | "http" | "mailto" | "tel" | "sms" | "cid"),
        // Nothing was found in so many letters: no address that anybody would write.
        None => scheme.len() < 64 || letters().all(|c| c != ':'),
    };
    if harmless { Value::from(text) } else { Value::from("#") }
}

/// A style's value: a color, a size, a word. What could end it, or load something, leaves nothing.
fn style(text: &str) -> Value {
    let harmless = text.chars().all(|c| c.is_ascii_alphanumeric() || "#%.,-_ ".contains(c));
    if harmless { Value::from(text) } else { Value::from("") }
}
