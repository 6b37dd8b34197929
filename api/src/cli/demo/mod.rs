//! `bongsu demo`: everything at once, on this machine alone.
//!
//! The simulators run in this process and the server in one of its own, as users run it, so that
//! its trace and its administrator's key stay off stdout. Every story is told from the log and
//! held against what the simulators really received. Rejected: a server in process, whose end
//! could not be told from the demo's.

mod judgement;
mod next;
mod people;
mod place;
mod server;
mod stories;
mod telling;
#[cfg(test)]
mod tests;

use super::exit::CliError;
use super::output::Output;
use super::remote::Client;
use super::simulate::{settings, stopped};
use super::template;
use crate::app::data_dir::{admin_key, write_private};
use clap::Args;
use people::People;
use place::Place;
use server::Server;
use std::net::SocketAddr;
use std::path::PathBuf;
use telling::Telling;
use workers::simulators::{RunningSimulators, SimulatorsConfig, start};

/// Pauses short enough to watch; the usual ones are in docs/configuration.md.
const SHORT_RETRIES: &str = "\n[delivery.retry.android_push]\nfirst = \"500ms\"\nlongest = \"1s\"\n";

/// Shows everything at once: a server, imitated providers, and the story of a notification on
/// every channel.
///
/// One failure is tried again and one opt-out is honoured. Everything listens on this machine
/// only; nothing leaves it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu demo
  bongsu demo --exit
  bongsu demo --listen 127.0.0.1:9000 --data ./demo-data

The first Ctrl-C stops everything in order.

Next: open the explorer at the address that is printed, or paste one of the printed commands into
another terminal")]
pub struct Demo {
    /// Loopback address and port of the server [default: 127.0.0.1:8080, else any free port].
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Folder to work in and to keep [default: one that is removed at the end].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// End when the stories are told: 0 if each ended as it should, otherwise 1.
    #[arg(long)]
    pub exit: bool,
}

impl Demo {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        let listen = place::listen(self.listen)?;
        let place = Place::prepare(self.data.as_deref())?;
        out.note("Starting imitations of FCM, APNs, an SMTP server and a webhook receiver, and a server …");
        let config = SimulatorsConfig { state_dir: Some(place.simulators()), ..SimulatorsConfig::default() };
        let simulators = start(config).await.map_err(CliError::failure)?;
        let toml = settings::toml(&simulators, &place.simulators());
        write_private(&place.config(), &format!("{toml}{SHORT_RETRIES}"))?;
        let mut server = Server::start(&place, listen)?;
        let told = tokio::select! {
            told = self.with(&mut server, &simulators, &place, out) => told,
            asked = stopped() => match asked {
                Ok(()) if self.exit => Err(CliError::failure("stopped before every story was told")),
                asked => asked,
            },
        };
        let ended = server.stop().await;
        simulators.shutdown().await;
        told.and(ended)
    }

    async fn with(&self, server: &mut Server, simulators: &RunningSimulators, place: &Place, out: Output) -> Result<(), CliError> {
        let address = server.ready().await?;
        let base = format!("http://{address}");
        let administrator_key = admin_key(&place.data()).ok_or_else(|| CliError::failure("the data folder has no admin.key; use another one with --data"))?;
        let administrator = Client::new(&base, Some(&administrator_key))?;
        template::install(&administrator).await?;
        let people = People::register(&base, &administrator, simulators).await?;
        let told = Telling { administrator: &administrator, sender: &people.sender, simulators, out }.all().await?;
        let wrong: Vec<&str> = told.iter().filter(|told| told.problem.is_some()).map(|told| told.title).collect();
        if self.exit {
            return if wrong.is_empty() { Ok(()) } else { Err(CliError::failure(format!("did not end as it should: {}", wrong.join("; ")))) };
        }
        let id = told.last().and_then(|told| told.id.as_deref());
        let next =
            next::Next { base: &base, data: &place.data(), admin: simulators.admin, administrator_key: &administrator_key, sender_key: &people.sender_key, id };
        out.note(next.text());
        server.ended().await
    }
}
