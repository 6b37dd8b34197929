//! Wiring: the only place that names adapters.

pub mod data_dir;
pub mod engine;
pub mod supervisor;

use crate::config::Config;
use std::path::PathBuf;

/// What `serve` is told besides the configuration.
#[derive(Debug, Clone, Default)]
pub struct ServeOptions {
    /// Written atomically once requests are answered.
    pub ready_file: Option<PathBuf>,
}

/// Why the server ended.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// This build has no server in it.
    #[error("this build of bongsu cannot serve yet")]
    NotWired,
}

/// Runs the server until it is told to stop.
pub async fn serve(_config: Config, _options: ServeOptions) -> Result<(), AppError> {
    Err(AppError::NotWired)
}
