//! From a template and its parameters to what is sent: pure, bounded, and the same always.
//!
//! Publishing *compiles* ([`compile`], [`examine`]): layouts and partials are put in, MJML becomes HTML, styles
//! go to where mail programs see them, every expression is checked and told where it stands. Sending *renders*
//! ([`Compiled::render`]): one run of the engine for each field.
//!
//! Guarantees: whatever parameters hold is text and never markup, a link or a second header
//! ([`sinks`]); no template and no data takes more than bounded memory and time ([`limits`], [`bounds`]); and no
//! clock, file, network or chance is asked, so that what was sent can be shown again.
//!
//! Rejected: rendering in a process of its own, which bounds memory from outside and costs a process for each
//! worker; compiling MJML for each recipient, which is a hundred times as slow.

#![allow(clippy::result_large_err, reason = "a mistake is rare, and worth the bytes that tell its place")]

mod bounds;
mod compile;
mod compiled;
mod compose;
mod email;
mod engine;
mod error;
mod examine;
mod filters;
pub mod limits;
mod localize;
mod pieces;
mod problem;
mod sinks;
#[cfg(test)]
mod tests;
mod values;

pub use compiled::{Compiled, Rendered};
pub use compose::Parts;
pub use error::{Limit, RenderError};
pub use examine::{Examination, Warning, examine, missing};
pub use problem::{Field, Place, Problem};
pub use values::{Audience, Links};

use crate::template::Source;
use crate::values::TemplateKey;
use std::collections::BTreeSet;

/// The keys that it extends or includes itself.
///
/// # Errors
/// Fields that cannot be read, and names that are no constants.
pub fn references(source: &Source) -> Result<BTreeSet<TemplateKey>, Vec<Problem>> {
    let (mut keys, mut problems) = (BTreeSet::new(), Vec::new());
    for localized in &source.locales {
        for body in &localized.bodies {
            for field in Field::ALL {
                let Some(text) = compose::field_of(body, field) else { continue };
                let place = Place { locale: localized.locale.clone(), channel: body.channel, field };
                let named = pieces::split(None, text).map(|pieces| {
                    let parts: Vec<_> = pieces.iter().filter(|piece| matches!(piece.keyword(), "extends" | "include")).map(compose::named).collect();
                    parts
                });
                for result in named.unwrap_or_else(|problem| vec![Err(problem)]) {
                    match result {
                        Ok(key) => drop(keys.insert(key)),
                        Err(problem) => problems.push(problem.within(&place)),
                    }
                }
            }
        }
    }
    if problems.is_empty() { Ok(keys) } else { Err(problems) }
}

/// Compiles, with the sources of all that it extends or includes.
///
/// # Errors
/// Everything that is wrong with it.
pub fn compile(source: &Source, parts: &Parts) -> Result<Compiled, Vec<Problem>> {
    compile::build(source, parts).map(|(compiled, _)| compiled)
}
