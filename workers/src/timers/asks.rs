//! The port to what decides when it is time.

use commands::log::{LogError, Metadata};
use domain::StreamId;
use domain::policy::timers::TimerName;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A timer that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueTimer {
    /// Of which stream.
    pub stream: StreamId,
    /// What is asked.
    pub name: TimerName,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was decided, or there was nothing to decide any more.
    Done,
    /// It could not be decided now; others can.
    Failed {
        /// For the operator's trace.
        reason: String,
    },
}

/// The future of an answer.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Vec<Answer>, LogError>> + Send + 'a>>;

/// Decides what is due.
pub trait Asks: Send + Sync + 'static {
    /// Decides, and records it; an answer for each, in their order. Being asked twice is harmless. An
    /// error is nobody's own: nothing is known about any of them.
    fn ask(&self, metadata: Arc<Metadata>, timers: Vec<DueTimer>) -> Asking<'_>;
}
