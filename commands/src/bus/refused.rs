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
    /// The person whom it is about was erased: nothing was changed, and nothing of it may be kept.
    #[error("this recipient was erased; personal data is never taken up again under the same id")]
    Erased,
    /// Too many others changed the same thing at the same time.
    #[error("too many changes of the same object at the same time; try again")]
    Contended,
}

impl<R> Refused<R> {
    /// For those who decide what cannot be refused: what the log said, or that it is too much just now.
    pub fn into_log(self) -> LogError {
        match self {
            Self::Log(error) => error,
            Self::Refusal(_) | Self::Erased | Self::Contended => LogError::Overloaded,
        }
    }
}
