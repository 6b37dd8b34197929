//! Why a read model could not be opened, read or rebuilt.

use commands::consumer::RowsError;
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
    /// Postgres refuses.
    #[error("the read model {name} cannot be opened in Postgres: {error}")]
    Postgres {
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
    /// It is not there any more: another process has let another generation serve.
    #[error("the read model was replaced while it was read; try again")]
    Gone {
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

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        let reason = error.to_string();
        let code = error.as_database_error().and_then(|error| error.code());
        match code.as_deref() {
            // No such table, no such schema, and (XX000) one that was dropped while it was looked up.
            Some("42P01" | "3F000" | "XX000") => Self::Gone { reason },
            _ => Self::Unavailable { reason },
        }
    }
}

impl From<RowsError> for ReadError {
    fn from(error: RowsError) -> Self {
        match error {
            RowsError::Database(DatabaseError::Postgres(error)) => error.into(),
            error => Self::Unavailable { reason: error.to_string() },
        }
    }
}

/// Why a generation was not copied.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file refuses.
    #[error(transparent)]
    File(#[from] DatabaseError),
    /// It is no file.
    #[error("the read models are in Postgres: back them up with its own tools (pg_dump, pg_basebackup), or leave them out and rebuild them from the log")]
    InPostgres,
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
    /// The store refuses.
    #[error("the new generation cannot be used: {0}; the read model serves as before")]
    Store(#[from] DatabaseError),
    /// The pointer could not be moved.
    #[error("the switch to the new file failed: {0}; the read model serves as before")]
    Switch(#[from] std::io::Error),
    /// Postgres took the switch and did not say whether it was made.
    #[error("the answer to the switch was lost: {0}; either generation serves, whole: rebuild it again if it is still the old one")]
    Unanswered(DatabaseError),
}
