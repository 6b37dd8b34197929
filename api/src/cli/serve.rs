//! `bongsu serve`.

use super::exit::CliError;
use super::tracing_setup;
use crate::app::{AppError, ServeOptions};
use crate::config::{Config, Sources};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Most threads that wait for name servers and the like; databases have threads of their own.
const BLOCKING_THREADS: usize = 64;

/// Runs the server.
///
/// Without configuration it listens on 127.0.0.1:8080, keeps its data in ./bongsu-data, which it
/// creates, and prints an administrator's key once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu serve
  bongsu serve --data /var/lib/bongsu --listen 127.0.0.1:9000
  bongsu serve --config /etc/bongsu.toml --ready-file /run/bongsu/ready
  bongsu serve --roles workers

The first Ctrl-C lets attempts under way end, the second quits at once.

Next: bongsu status, then bongsu send --help; bongsu config show --origin explains the settings")]
pub struct Serve {
    /// Data folder [default: ./bongsu-data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Address and port [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// What this process does: some of api, projections, workers [default: all].
    #[arg(long, value_name = "ROLES")]
    pub roles: Option<String>,
    /// Configuration file [default: bongsu.toml in this folder, if there is one].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// File that is written once requests are answered.
    #[arg(long, value_name = "PATH")]
    pub ready_file: Option<PathBuf>,
}

impl Serve {
    pub(super) fn sources(&self) -> Sources {
        Sources::of_process(self.config.clone())
            .flag("storage.data_dir", "--data", self.data.as_ref().map(|path| path.display().to_string()))
            .flag("server.listen", "--listen", self.listen.clone())
            .flag("server.roles", "--roles", self.roles.clone())
    }

    pub(super) fn run(self, no_color: bool) -> Result<ExitCode, CliError> {
        let (config, _) = Config::load(&self.sources())?;
        tracing_setup::for_server(&config.log, no_color);
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.enable_all().thread_name("bongsu").max_blocking_threads(BLOCKING_THREADS);
        if config.server.worker_threads > 0 {
            runtime.worker_threads(config.server.worker_threads);
        }
        let runtime = runtime.build().map_err(CliError::failure)?;
        let options = ServeOptions { ready_file: self.ready_file };
        runtime.block_on(crate::app::serve(config, options)).map_err(|error| match error {
            // It has statuses of its own.
            AppError::DataDir(error) => error.into(),
            error => describe(&error),
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// An error with its causes, each told once.
fn describe(error: &(dyn std::error::Error + 'static)) -> CliError {
    let mut message = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        next = cause.source();
    }
    CliError::failure(message)
}
