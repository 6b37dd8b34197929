//! Old shapes of events, lifted to today's on reading; the stored bytes never change.
//!
//! One file for each old version, named `<event>_v<n>.rs`, with a stored sample of it under
//! `samples/` that is decoded by a test for ever.

mod category_defined_v1;
#[cfg(test)]
mod tests;

use crate::AggregateKind;
use crate::event::DecodeError;

/// Lifts a payload by as many versions as it takes; none where it is of today's shape.
pub fn lift(kind: AggregateKind, name: &str, version: u16, payload: &[u8]) -> Result<Option<(u16, Vec<u8>)>, DecodeError> {
    match (kind, name, version) {
        (AggregateKind::Category, "CategoryDefined", 1) => category_defined_v1::lift(payload)
            .map(|payload| Some((2, payload)))
            .map_err(|error| DecodeError::Malformed { name: name.to_owned(), reason: error.to_string() }),
        _ => Ok(None),
    }
}
