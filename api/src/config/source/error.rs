//! What can be wrong with a configuration.

use std::path::PathBuf;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was named cannot be read.
    #[error("the configuration file {path} cannot be read: {reason}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The operating system's answer.
        reason: std::io::Error,
    },
    /// It is not TOML.
    #[error("the configuration file {path} is not valid TOML, line {line}: {reason}")]
    Syntax {
        /// Which.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What the parser says.
        reason: String,
    },
    /// Keys or values are wrong.
    #[error("the configuration cannot be used:\n  - {}", problems.join("\n  - "))]
    Invalid {
        /// Each mistake, with its origin.
        problems: Vec<String>,
    },
}
