//! Why a read model could not be opened, read or rebuilt.

use commands::database::DatabaseError;
use commands::log::LogError;

/// Why a read model could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder refuses.
    #[error("the folder of the read models cannot be used: {0}")]
    Folder(#[from] std::io::Error),
    /// A file refuses.
    #[error("the read model {name} cannot be opened: {error}; it can be deleted, the server builds it anew from the log")]
    File {
        /// Which.
        name: &'static str,
        /// Why.
        error: DatabaseError,
    },
    /// Nobody registered it.
    #[error("there is no read model {name} in this build")]
    NotRegistered {
        /// Which.
        name: &'static str,
    },
}

/// Why a query was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file refuses for now.
    #[error("the read model cannot be read at the moment; try again")]
    Unavailable {
        /// For the operator's trace.
        reason: String,
    },
    /// A row was written by another build, or damaged.
    #[error("a row of the read model {model} cannot be read; run `bongsu projection rebuild {model}`")]
    Unreadable {
        /// Which read model.
        model: &'static str,
    },
}

impl From<DatabaseError> for ReadError {
    fn from(error: DatabaseError) -> Self {
        Self::Unavailable { reason: error.to_string() }
    }
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable { reason: error.to_string() }
    }
}

/// Why a rebuild came to nothing; the present generation goes on serving.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// One at a time.
    #[error("this read model is being rebuilt already; wait for it to end")]
    Already,
    /// Told to stop.
    #[error("the rebuild was stopped; the read model serves as before")]
    Stopped,
    /// The log refuses.
    #[error("the log cannot be read: {0}; the read model serves as before")]
    Log(#[from] LogError),
    /// The new file refuses.
    #[error("the new file cannot be used: {0}; the read model serves as before")]
    File(#[from] DatabaseError),
    /// The pointer could not be moved.
    #[error("the switch to the new file failed: {0}; the read model serves as before")]
    Switch(#[from] std::io::Error),
}
