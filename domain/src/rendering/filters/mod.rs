//! The filters and tests that templates may use: these and no others, each of bounded cost.
//!
//! The engine's own are not taken: some give gigabytes for a few bytes (`format`, `indent`, `batch`), some
//! switch escaping off (`safe`). What a filter gives is at most [`MAX_FILTERED`](super::limits::MAX_FILTERED) bytes.

mod lists;
mod numbers;
mod tests_of_values;
mod texts;

pub(super) use numbers::float as number_of;
pub(super) use texts::text_of;

use super::error::Limit;
use super::limits::MAX_FILTERED;
use minijinja::{Environment, Error, ErrorKind, Value};

/// The names of all filters.
pub(super) const FILTERS: &[&str] = &[
    "abs",
    "capitalize",
    "currency",
    "date",
    "datetime",
    "default",
    "first",
    "float",
    "int",
    "join",
    "json",
    "keys",
    "last",
    "length",
    "lower",
    "max",
    "min",
    "number",
    "percent",
    "plural",
    "replace",
    "reverse",
    "round",
    "sort",
    "split",
    "sum",
    "time",
    "title",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "values",
];

/// The names of all tests.
pub(super) const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "ending_with",
    "even",
    "integer",
    "mapping",
    "none",
    "number",
    "odd",
    "sequence",
    "starting_with",
    "string",
    "undefined",
];

/// Whether what it gives is a number for certain.
pub(super) fn filter_gives_number(name: &str) -> bool {
    matches!(name, "abs" | "float" | "int" | "length" | "round" | "sum")
}

/// Adds them.
pub(super) fn add(engine: &mut Environment<'static>) {
    texts::add(engine);
    numbers::add(engine);
    lists::add(engine);
    tests_of_values::add(engine);
    super::localize::add(engine);
    super::sinks::add(engine);
}

/// A bound was reached within the engine.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("limit of {}", .0.name())]
pub(super) struct Reached(pub Limit);

/// What a filter refuses. The words tell no values.
pub(super) fn refused(reason: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason)
}

/// A text that a filter gives, unless it is too long.
pub(super) fn bounded(text: String) -> Result<Value, Error> {
    if text.len() > MAX_FILTERED { Err(too_long()) } else { Ok(Value::from(text)) }
}

fn too_long() -> Error {
    Error::new(ErrorKind::WriteFailure, "too long").with_source(Reached(Limit::Output))
}

/// The items of a list.
fn items(value: &Value) -> Result<impl Iterator<Item = Value>, Error> {
    value.try_iter().map_err(|_| refused("it is no list"))
}
