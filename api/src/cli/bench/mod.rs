//! `bongsu bench`: what one notification costs on this machine.
//!
//! Load generator, server and simulators are processes of their own, so that the server's share
//! of the processor can be told apart; what is reported is read from the operating system and
//! from the simulators' ledger, not from the server.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the machine's clock")]

mod backlog;
mod copies;
mod isolation;
mod load;
mod measure;
mod process;
mod rebuild;
mod stores;
mod target;
mod template;

use super::exit::CliError;
use super::output::Output;
use clap::{Args, ValueEnum};
use measure::Figures;
use process::Processes;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stores::Stores;
use target::{PushProvider, Target};

/// Pushes a second where channels are to be held apart, unless it is said: far below what one machine can.
const ISOLATION_RATE: u64 = 500;

/// How notifications are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// A hundred in one mutation.
    Lists,
    /// One mutation each.
    Single,
}

/// Measures what one notification costs on this machine.
///
/// Starts simulators and a server on a fresh data folder, sends pushes through FCM or APNs, with TLS and HTTP/2 or
/// without, checks that each arrived once, and prints the figures.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu bench --mode lists --notifications 100000
  bongsu bench --mode single --rate 2000 --json
  bongsu bench --provider apns --tls
  bongsu bench --notifications 10000 --isolation 20000 --rate 500
  bongsu bench --mode lists --stored 1000000 --runs 3
  bongsu bench --backlog 1000000 --rebuild
  bongsu bench --profile cluster --postgres postgres://me@localhost/postgres --redis redis://localhost --replicas 3
  bongsu bench --profile cluster --postgres postgres://me@localhost/postgres --stored 100000 --copies 99

Next: docs/performance.md says how to read the figures")]
pub struct Bench {
    /// How notifications are sent.
    #[arg(long, value_enum, default_value_t = Mode::Lists)]
    pub mode: Mode,
    /// Which profile.
    #[arg(long, default_value = "embedded", value_parser = ["embedded", "cluster"])]
    pub profile: String,
    /// Of the profile cluster: a Postgres on this machine, where a database is made and dropped.
    #[arg(long, value_name = "URL", required_if_eq("profile", "cluster"))]
    pub postgres: Option<String>,
    /// Of the profile cluster: a Redis on this machine, for the common queue.
    #[arg(long, value_name = "URL", requires = "postgres")]
    pub redis: Option<String>,
    /// Of the profile cluster: servers that share the load.
    #[arg(long, default_value_t = 1, requires = "postgres")]
    pub replicas: u64,
    /// Sends from a template in place of inline content; it has a mail of 100 KB too, so that the storage tells.
    #[arg(long)]
    pub template: bool,
    /// Notifications that are measured.
    #[arg(long, default_value_t = 100_000)]
    pub notifications: u64,
    /// How often it is measured, on the same growing store; the run with the median CPU is told.
    #[arg(long, default_value_t = 1)]
    pub runs: u64,
    /// Notifications a second; 0 for as many as it can.
    #[arg(long, default_value_t = 0)]
    pub rate: u64,
    /// Notifications that are there before it is measured.
    #[arg(long, default_value_t = 0)]
    pub stored: u64,
    /// Of the profile cluster: how often what is stored is copied inside Postgres (streams, events, commits, history), so that
    /// tables and indexes have the size of so many times more. The servers are stopped meanwhile, and warmed up
    /// afterwards with one notification to each recipient on each of them; 0 for only that.
    #[arg(long, requires = "postgres", requires = "stored")]
    pub copies: Option<u64>,
    /// Afterwards, notifications that pile up while the provider is down, to see what they hold.
    #[arg(long, default_value_t = 0)]
    pub backlog: u64,
    /// Who delivers the pushes.
    #[arg(long, value_enum, default_value_t = PushProvider::Fcm)]
    pub provider: PushProvider,
    /// To the provider over TLS and HTTP/2, as the real ones have it; else FCM over HTTP/1.1 and APNs over HTTP/2, in the
    /// clear.
    #[arg(long)]
    pub tls: bool,
    /// Afterwards, so many pushes beside webhooks and text messages at `--rate` (500 where that is 0): once with all
    /// providers well, once while the webhooks' receiver hangs and Twilio answers 429.
    #[arg(long, default_value_t = 0, value_name = "NOTIFICATIONS")]
    pub isolation: u64,
    /// Afterwards, build each read model anew.
    #[arg(long)]
    pub rebuild: bool,
    /// Recipients, one device each.
    #[arg(long, default_value_t = 10_000)]
    pub recipients: u64,
    /// Folder for data and output; a temporary one by default.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

impl Bench {
    pub(super) async fn run(self, out: Output) -> Result<(), CliError> {
        let temporary = tempfile::tempdir().map_err(CliError::failure)?;
        let folder = self.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
        let stores = match self.postgres.as_deref().filter(|_| self.profile == "cluster") {
            Some(postgres) => Stores::cluster(&folder, postgres, self.redis.as_deref()).await?,
            None => Stores::files(&folder),
        };
        let target = Target { provider: self.provider, tls: self.tls, beside: self.isolation > 0, template: self.template };
        let mut processes = Processes::start(&folder, stores, self.replicas, target).await?;
        let mut load = load::Load::prepare(&processes, self.recipients).await?;
        let mut stored = self.stored;
        if self.stored > 0 {
            eprintln!("storing {} notifications first", self.stored);
            load.store(0, self.stored).await?;
            processes.wait_delivered(self.stored).await?;
        }
        if let Some(copies) = self.copies {
            processes.copy(copies).await?;
            load = load.at(&processes);
            let warming = self.recipients * self.replicas.max(1);
            load.store(stored, warming).await?;
            stored += warming;
            processes.wait_delivered(stored).await?;
        }
        let mut runs = Vec::new();
        for run in 0..self.runs.max(1) {
            let run = self.measure(&processes, &load, stored + run * self.notifications).await?;
            eprintln!("{:.1} µs of CPU a notification, {:.1} of it the server's, {:.0} delivered a second", run.all_us, run.server_us, run.delivered_per_s);
            runs.push(run);
        }
        let measured = stored + self.runs.max(1) * self.notifications;
        runs.sort_by(|a, b| a.all_us.total_cmp(&b.all_us));
        let spread = (runs.first().map_or(0.0, |run| run.all_us), runs.last().map_or(0.0, |run| run.all_us));
        let mut figures = runs.swap_remove(runs.len() / 2);
        figures.runs = (self.runs.max(1), spread.0, spread.1);
        if self.backlog > 0 {
            figures.backlog = Some(backlog::measure(&processes, &load, measured, self.backlog).await?);
        }
        if self.isolation > 0 {
            let rate = if self.rate == 0 { ISOLATION_RATE } else { self.rate };
            figures.isolation = Some(isolation::measure(&processes, &load, measured + self.backlog, self.isolation, rate).await?);
        }
        if self.rebuild {
            figures.rebuilt = rebuild::measure(&load, &processes.admin_key()?).await?;
        }
        let (delivered, duplicates) = processes.counters().await?;
        processes.stop().await?;
        figures.print(out);
        let all = measured + self.backlog + 2 * self.isolation;
        if delivered != all || duplicates > 0 {
            return Err(CliError::failure(format!("{all} were to arrive once each; {delivered} arrived, {duplicates} of them again")));
        }
        Ok(())
    }

    /// Sends one run's notifications, beginning with number `from`, and waits until they arrived.
    async fn measure(&self, processes: &Processes, load: &Arc<load::Load>, from: u64) -> Result<Figures, CliError> {
        let stored_bytes = processes.settle().await?;
        let before = processes.cpu()?;
        let own = measure::own_cpu()?;
        let began = Instant::now();
        let sent = load.send(self.mode, from, self.notifications, self.rate).await?;
        let accepted_in = began.elapsed();
        processes.wait_delivered(from + self.notifications).await?;
        let took = began.elapsed();
        let after = processes.cpu()?;
        let own = measure::own_cpu()?.saturating_sub(own);
        let per_item = |of: fn(&process::Cpu) -> Duration| measure::per_item(of(&after).saturating_sub(of(&before)), self.notifications);
        let (server_us, postgres_us, redis_us) = (per_item(|cpu| cpu.server), per_item(|cpu| cpu.postgres), per_item(|cpu| cpu.redis));
        let arrivals = processes.arrivals(from).await?;
        let history = load.history().await?;
        let rss = processes.rss()?;
        let bytes = processes.settle().await?.saturating_sub(stored_bytes);
        Ok(Figures {
            mode: if self.mode == Mode::Lists { "lists" } else { "single" },
            notifications: self.notifications,
            stored: from + self.stored * self.copies.unwrap_or(0),
            rate: self.rate,
            runs: (1, 0.0, 0.0),
            seconds: took.as_secs_f64(),
            accepted_per_s: per_second(self.notifications, accepted_in),
            delivered_per_s: per_second(self.notifications, took),
            profile: self.profile.clone(),
            replicas: self.replicas.max(1),
            all_us: server_us + postgres_us + redis_us,
            server_us,
            postgres_us,
            redis_us,
            simulators_us: per_item(|cpu| cpu.simulators),
            load_us: measure::per_item(own, self.notifications),
            latency: measure::latency(&sent, &arrivals),
            history,
            rss_mb: rss.0,
            rss_peak_mb: rss.1,
            bytes_per_notification: bytes / self.notifications.max(1),
            backlog: None,
            isolation: None,
            provider: target_words(processes.target),
            rebuilt: Vec::new(),
        })
    }
}

fn target_words(target: Target) -> String {
    format!("{}, {}", target.name(), if target.tls { "TLS" } else { "no TLS" })
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64().max(1e-9)
}
