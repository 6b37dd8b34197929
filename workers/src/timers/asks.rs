//! The port to what decides when it is time.

use commands::due::{Asked, Due, DueTimer};
use commands::log::{LogError, Metadata};
use domain::values::Millis;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// What became of it, as far as it matters to whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was decided, or there was nothing to decide any more.
    Done,
    /// It is due later than the table says.
    Early {
        /// When (ms since the epoch).
        due: Millis,
    },
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

impl Asks for Due {
    fn ask(&self, metadata: Arc<Metadata>, timers: Vec<DueTimer>) -> Asking<'_> {
        Box::pin(async move { Ok(Self::ask(self, &metadata, timers).await?.into_iter().map(answer).collect()) })
    }
}

fn answer(asked: Asked) -> Answer {
    match asked {
        Asked::Done { .. } | Asked::Nothing => Answer::Done,
        Asked::Early { due } => Answer::Early { due },
        Asked::Contended => Answer::Failed { reason: "the facts changed again and again".to_owned() },
        Asked::Unreadable { error } => Answer::Failed { reason: error.reason() },
    }
}
