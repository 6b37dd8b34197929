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
use super::values::Here;
use minijinja::{Environment, Error, ErrorKind, State, Value};

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

/// Spends what going over a value costs, `times` over. The engine counts a filter as one step, whatever it is given.
fn spend(state: &State, value: &Value, times: usize) -> Result<(), Error> {
    let size = match value.as_str() {
        // Letters are gone over faster than items.
        Some(text) => text.len() / 16,
        None => value.len().unwrap_or_default(),
    };
    let bongsu = state.lookup("bongsu");
    let within = bongsu.as_ref().and_then(|bongsu| bongsu.downcast_object_ref::<Here>()).is_none_or(|here| here.spend((size + 1) * times));
    if within { Ok(()) } else { Err(Error::from(ErrorKind::OutOfFuel)) }
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
