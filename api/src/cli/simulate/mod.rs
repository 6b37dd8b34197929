//! `bongsu simulate`: the providers' imitations as a process of their own.

pub(super) mod settings;

use super::exit::CliError;
use super::output::Output;
use crate::app::data_dir::{create_private, write_private};
use clap::Args;
use serde::Serialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use workers::simulators::{RunningSimulators, SimulatorsConfig, start};

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
    fcm: SocketAddr,
    apns: SocketAddr,
    apns_cleartext: SocketAddr,
    smtp: SocketAddr,
    webhook: SocketAddr,
    twilio: SocketAddr,
    web_push: SocketAddr,
    slack: SocketAddr,
    vonage: SocketAddr,
    twilio_voice: SocketAddr,
    sendgrid: SocketAddr,
    mailgun: SocketAddr,
    kakao_talk: SocketAddr,
    admin: SocketAddr,
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
        let addresses = Addresses::of(&running, config);
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
    fn of(running: &RunningSimulators, config: PathBuf) -> Self {
        Self {
            fcm: running.fcm,
            apns: running.apns,
            apns_cleartext: running.apns_cleartext,
            smtp: running.smtp,
            webhook: running.webhook,
            twilio: running.twilio,
            web_push: running.web_push,
            slack: running.slack,
            vonage: running.vonage,
            twilio_voice: running.twilio_voice,
            sendgrid: running.sendgrid,
            mailgun: running.mailgun,
            kakao_talk: running.kakao_talk,
            admin: running.admin,
            config,
        }
    }

    fn print(&self, out: Output) -> Result<(), CliError> {
        let rows = [
            ("fcm", format!("http://{}", self.fcm)),
            ("apns", format!("https://{}", self.apns)),
            ("smtp", format!("smtp://{}", self.smtp)),
            ("webhook", format!("http://{}/any/path", self.webhook)),
            ("twilio", format!("http://{}", self.twilio)),
            ("web_push", format!("http://{}/push/any", self.web_push)),
            ("slack", format!("http://{}/services/T0/B0/any", self.slack)),
            ("vonage", format!("http://{}", self.vonage)),
            ("twilio_voice", format!("http://{}", self.twilio_voice)),
            ("sendgrid", format!("http://{}", self.sendgrid)),
            ("mailgun", format!("http://{}", self.mailgun)),
            ("kakao_talk", format!("http://{}", self.kakao_talk)),
            ("admin", format!("http://{}/_sim/ledger", self.admin)),
        ]
        .map(|(name, address)| vec![name.to_owned(), address]);
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
