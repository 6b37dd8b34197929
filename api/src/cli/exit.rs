//! How commands end: documented statuses, and errors that say what to do.

use std::fmt;
use std::process::ExitCode;

/// The status of the process. Part of the public contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did not work.
    Failure = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// What was named does not exist.
    NotFound = 3,
    /// It exists already, is in use, or has changed meanwhile.
    Conflict = 4,
    /// The server cannot be reached or is busy; worth trying again.
    Unavailable = 5,
    /// The same to a mail server, which keeps the mail and tries again (`EX_TEMPFAIL` of sysexits).
    Deferred = 75,
}

/// Why a command did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliError {
    /// The status.
    pub exit: Exit,
    /// What failed, why, and what to do.
    pub message: String,
    /// Machine-readable code, where the server gave one.
    pub code: Option<String>,
}

impl CliError {
    /// With a status.
    pub fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, message: message.to_string(), code: None }
    }

    /// It did not work.
    pub fn failure(message: impl fmt::Display) -> Self {
        Self::new(Exit::Failure, message)
    }

    /// Wrong usage.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Not found.
    pub fn not_found(message: impl fmt::Display) -> Self {
        Self::new(Exit::NotFound, message)
    }

    /// With the server's code.
    #[must_use]
    pub fn with_code(mut self, code: Option<String>) -> Self {
        self.code = code;
        self
    }

    /// The status for the operating system.
    pub fn status(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CliError {}

impl From<crate::config::ConfigError> for CliError {
    fn from(error: crate::config::ConfigError) -> Self {
        Self::usage(error)
    }
}

impl From<crate::app::data_dir::DataDirError> for CliError {
    fn from(error: crate::app::data_dir::DataDirError) -> Self {
        use crate::app::data_dir::DataDirError as E;
        let exit = match &error {
            E::Locked { .. } | E::Moved { .. } => Exit::Conflict,
            E::Missing { .. } => Exit::NotFound,
            E::Io { .. } | E::MasterKeyLost { .. } | E::MasterKeyMalformed { .. } => Exit::Failure,
        };
        Self::new(exit, error)
    }
}

impl From<commands::log::LogError> for CliError {
    fn from(error: commands::log::LogError) -> Self {
        use commands::log::LogError as E;
        // On this machine, before the operator's own eyes, the reason may be told.
        match &error {
            E::Unavailable { reason } | E::Keys { reason } => {
                Self::failure(format!("the data cannot be read: {reason}; `bongsu check` looks at the data folder and the database"))
            }
            E::Newer { reason, .. } => Self::failure(format!("{error} ({reason})")),
            E::Poison { position, reason, .. } => Self::failure(format!("{error}: position {position}: {reason}")),
            E::Overloaded | E::Closed => Self::new(Exit::Unavailable, error),
        }
    }
}

impl From<commands::log::KeyError> for CliError {
    fn from(error: commands::log::KeyError) -> Self {
        Self::failure(error)
    }
}

impl From<commands::database::DatabaseError> for CliError {
    fn from(error: commands::database::DatabaseError) -> Self {
        Self::failure(format!("{error}; `bongsu check` looks at the data folder and the database"))
    }
}

impl From<rusqlite::Error> for CliError {
    fn from(error: rusqlite::Error) -> Self {
        commands::database::DatabaseError::from(error).into()
    }
}
