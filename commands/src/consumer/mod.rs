//! The one mechanism from the log to everybody who lives off it.
//!
//! A consumer has a name, a checkpoint and a handler of event batches. The handler turns events
//! into [`Changes`]; the rows and the checkpoint change in one transaction, so every event takes
//! effect exactly once. An in-process dispatch after the commit was rejected: a crash between
//! the two loses the effect.

mod changes;
mod pg_rows;
mod progress;
mod rows;
mod runner;
mod sets;
#[cfg(test)]
mod tests;

pub(crate) use changes::execute as changes_executor;
pub use changes::{Changes, Sql, Statement, Value};
pub use pg_rows::PgRows;
pub use progress::Progress;
pub use rows::{FileRows, LogRows, Rows, RowsError};
pub use runner::{Ended, Runner, RunnerSettings};
pub(crate) use sets::Sets;

use crate::log::Recorded;
use std::sync::Arc;

/// Why an event could not be handled: its own fault, or nobody's (the store's, which is retried).
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct HandleError {
    /// For the operator.
    pub reason: String,
}

/// A named reader of the log.
pub trait Consumer: Send + 'static {
    /// Its name: unique, and never changed.
    fn name(&self) -> &'static str;
    /// Whether it needs the personal parts of events opened.
    fn opens(&self) -> bool {
        false
    }
    /// Turns a batch into changes. Must depend on nothing but the events and its own rows, so
    /// that handling them again gives the same rows.
    fn handle(&mut self, events: &[Arc<Recorded>], changes: &mut Changes) -> Result<(), HandleError>;
    /// Called when the changes of the last `handle` are durable.
    fn committed(&mut self) {}
    /// Called when they are not: forget what was kept in memory for them.
    fn abandoned(&mut self) {}
}
