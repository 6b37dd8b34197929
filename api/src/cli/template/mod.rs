//! `bongsu template`: templates as files, tried and shown without sending anything.

mod examine;

pub use examine::examine;

use super::exit::CliError;
use super::output::Output;
use clap::Subcommand;
use std::process::ExitCode;

/// Templates: try them, show them, and keep them as files.
#[derive(Debug, Subcommand)]
pub enum Template {
    /// Tries one that is given on standard input; the server starts this.
    #[command(hide = true, after_help = "Example:\n  bongsu template examine < question.json")]
    Examine,
}

impl Template {
    /// Does it.
    pub async fn run(self, _out: Output) -> Result<ExitCode, CliError> {
        match self {
            Self::Examine => examine(),
        }
    }
}
