//! Why a command was not carried out.

use crate::log::LogError;

/// A refusal by the aggregate, or by the log.
#[derive(Debug, thiserror::Error)]
pub enum Refused<R> {
    /// The aggregate says no: nothing was changed.
    #[error(transparent)]
    Refusal(R),
    /// The log says no: nothing was changed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Too many others changed the same thing at the same time.
    #[error("too many changes of the same object at the same time; try again")]
    Contended,
}
