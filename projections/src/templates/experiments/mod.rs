//! Experiments of templates: how many were assigned each variant, opened it, followed a link, or unsubscribed by it.
//!
//! People are counted, not notifications: the same person told twice is one. Only what is part of an experiment
//! has a row. Part of the templates' read model: one more consumer would cost each batch of events a transaction.

mod project;
mod query;
#[cfg(test)]
mod tests;

pub(super) use project::handle;
pub use query::{Experiments, VariantRow};
