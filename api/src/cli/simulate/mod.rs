//! `bongsu simulate`: the providers' imitations as a process of their own.

pub(super) mod settings;

use super::exit::CliError;
use super::output::Output;
use crate::app::data_dir::{create_private, write_private};
use clap::Args;
use serde::Serialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use workers::simulators::{Places, SimulatorsConfig, start};

/// Runs imitations of the providers on this machine: FCM, APNs, an SMTP server, a webhook receiver, Twilio
/// (messages and calls), Vonage, Slack, SendGrid, Mailgun, KakaoTalk AlimTalk and the push service of browsers.
///
/// They check requests as the real ones do, misbehave on demand and record what arrived. Their
/// folder holds bongsu.toml, a configuration that points a server to them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu simulate
  bongsu simulate --state /tmp/simulators --ready-file /tmp/simulators.json

Next: bongsu serve --config ./bongsu-simulators/bongsu.toml in another terminal; what arrived is at
the admin address under /_sim/ledger")]
pub struct Simulate {
    /// Folder for test keys, addresses, the record of what arrived, and bongsu.toml.
    #[arg(long, value_name = "DIR", default_value = "./bongsu-simulators")]
    pub state: PathBuf,
    /// File that the addresses are written to, as JSON, once all answer.
    #[arg(long, value_name = "PATH")]
    pub ready_file: Option<PathBuf>,
    /// Seed of random misbehaviour.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// The object of the ready file.
#[derive(Debug, Serialize)]
struct Addresses {
    #[serde(flatten)]
    at: Places<SocketAddr>,
    config: PathBuf,
}

impl Simulate {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        create_private(&self.state)?;
        let state = self.state.canonicalize().map_err(CliError::failure)?;
        let running =
            start(SimulatorsConfig { state_dir: Some(state.clone()), seed: self.seed, ..SimulatorsConfig::default() }).await.map_err(CliError::failure)?;
        let config = state.join("bongsu.toml");
        write_private(&config, settings::toml(&running, &state).trim_end())?;
        let addresses = Addresses { at: running.at, config };
        let text = serde_json::to_string_pretty(&addresses).map_err(CliError::failure)?;
        if let Some(path) = &self.ready_file {
            write_private(path, &text)?;
        }
        if out.json {
            out.line(text)?;
        } else {
            addresses.print(out)?;
        }
        stopped().await?;
        running.shutdown().await;
        Ok(())
    }
}

impl Addresses {
    fn print(&self, out: Output) -> Result<(), CliError> {
        let rows: Vec<Vec<String>> = self
            .at
            .named()
            .into_iter()
            .filter(|(name, _)| *name != "apns_cleartext")
            .map(|(name, at)| {
                let address = match name {
                    "apns" => format!("https://{at}"),
                    "smtp" => format!("smtp://{at}"),
                    "webhook" => format!("http://{at}/any/path"),
                    "web_push" => format!("http://{at}/push/any"),
                    "slack" => format!("http://{at}/services/T0/B0/any"),
                    "admin" => format!("http://{at}/_sim/ledger"),
                    _ => format!("http://{at}"),
                };
                vec![name.to_owned(), address]
            })
            .collect();
        out.table(&["simulator", "address"], &rows)?;
        out.note(format_args!("\nNext, in another terminal: bongsu serve --config {}\nCtrl-C ends the simulators.", self.config.display()));
        Ok(())
    }
}

/// Waits for Ctrl-C, or for the operating system's request to end.
pub(super) async fn stopped() -> Result<(), CliError> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(CliError::failure)?;
        tokio::select! {
            ended = tokio::signal::ctrl_c() => ended.map_err(CliError::failure),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(CliError::failure)
}
