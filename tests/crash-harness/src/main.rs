//! `crash-harness`: loads a server, crashes it many times, and asks the checker what it broke.
//!
//! The server is the released binary with crash points built in, as a process; simulators are
//! another, so that the record of what arrived outlives every crash.

#![allow(clippy::disallowed_methods, reason = "a program of its own that waits for real processes: the machine's clock is what it measures")]

use anyhow::{Context, Result};
use clap::Parser;
use crash_harness::crashes::Crashes;
use crash_harness::journal::Journal;
use crash_harness::load::{Load, RECIPIENTS, Shared};
use crash_harness::server::{Paths, Server};
use crash_harness::simulators::Simulators;
use crash_harness::{api, quiet, server};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// From so many kills on, each crash point must have fired: each was armed four times.
const ALL_POINTS: usize = 60;

/// Crashes a server under load and checks that nothing is lost and nothing repeated without
/// reason. The last line of output is a JSON object; status 1 on any violation.
#[derive(Debug, Parser)]
#[command(after_help = "Example:\n  crash-harness --kills 60 --seed 1")]
struct Arguments {
    /// How often the server dies.
    #[arg(long, default_value_t = 60)]
    kills: usize,
    /// Seed of the load and of the moments of death.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Concurrent clients. Fewer leave the server no backlog, and with it no races about it.
    #[arg(long, default_value_t = 10)]
    clients: usize,
    /// The server's binary [default: bongsu beside this one].
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Keep everything in this new folder; by default it is kept only on a violation.
    #[arg(long)]
    keep: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    eprintln!("seed {0}; the same again: tests/crash --kills {1} --seed {0}", arguments.seed, arguments.kills);
    let mut folder = tempfile::Builder::new().prefix("bongsu-crash-").tempdir()?;
    let root = match &arguments.keep {
        Some(keep) => {
            std::fs::create_dir_all(keep)?;
            keep.canonicalize()?
        }
        None => folder.path().to_owned(),
    };
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => server::default_binary()?,
    };
    let paths = Paths { binary: binary.canonicalize().with_context(|| format!("{} is not built", binary.display()))?, root };
    let outcome = run(&arguments, &paths).await;
    let good = matches!(&outcome, Ok(summary) if summary["violations"] == 0 && summary["lost"] == 0);
    if !good {
        folder.disable_cleanup(true);
        eprintln!("everything is kept in {}", paths.root.display());
    }
    println!("{}", outcome?);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The whole run; gives the summary.
async fn run(arguments: &Arguments, paths: &Paths) -> Result<Value> {
    let start = Instant::now();
    let (simulating, addresses) = server::start_simulators(paths, arguments.seed).await?;
    let simulators = Simulators::new(&addresses)?;
    let mut server = Server::new(paths.clone())?;
    let sender = prepare(&mut server, &simulators, &addresses.webhook).await?;
    simulators.misbehave(true).await?;

    let shared = Shared::new(Journal::create(&paths.journal())?);
    let clients: Vec<_> = (0..arguments.clients).map(|number| tokio::spawn(Load::new(shared.clone(), sender.clone(), arguments.seed, number).run())).collect();
    let mut random = StdRng::seed_from_u64(arguments.seed);
    let crashes = Crashes::inflict(&mut server, arguments.kills, &mut random).await?;

    simulators.behave().await?;
    server.spawn(None)?;
    server.wait_ready().await?;
    // A last stretch without faults, so that the way back to normal is part of the run.
    server.run_for(Duration::from_secs(1)).await?;
    shared.stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.context("a client failed")??;
    }
    eprintln!("{} notifications promised; waiting until nothing is owed", shared.journal.promised());
    let drained = quiet::wait(&server.log()).await;
    server.stop().await?;
    let arrivals = simulators.write_ledger(&paths.ledger()).await?;
    server::stop(simulating).await?;

    let inputs = auditor::Inputs::read(&server.log(), &paths.journal(), &paths.ledger())?;
    let report = auditor::check(&inputs, true);
    let problems = shared.problems.lock().await.clone();
    let unanswered = shared.unanswered.load(Ordering::Relaxed);
    for example in report.examples.iter().chain(&problems) {
        eprintln!("{example}");
    }
    let missed = if arguments.kills >= ALL_POINTS { crashes.missed() } else { Vec::new() };
    if !missed.is_empty() {
        eprintln!("crash points that were never reached: {missed:?}");
    }
    let stuck = drained.as_ref().err().map(ToString::to_string);
    if let Some(stuck) = &stuck {
        eprintln!("{stuck}");
    }
    Ok(json!({
        "accepted": report.accepted, "delivered": report.delivered, "lost": report.lost,
        "repeated_unexplained": report.repeated_unexplained, "kills": crashes.kills,
        "violations": report.violations + unanswered + usize::from(stuck.is_some()) + missed.len(),
        "repeated_explained": report.repeated_explained, "by_invariant": report.by_invariant, "unanswered": unanswered,
        "arrivals": arrivals, "events": report.events, "crashes": crashes.summary(),
        "drained_after_ms": drained.ok().map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        "seconds": start.elapsed().as_secs(), "seed": arguments.seed,
    }))
}

/// First start, sender and recipients; the server is down afterwards, as every crash begins.
async fn prepare(server: &mut Server, simulators: &Simulators, webhook: &str) -> Result<api::Client> {
    server.spawn(None)?;
    server.wait_ready().await?;
    let administrator = api::Client::new(&server.base(), &api::admin_key(&server.data())?)?;
    let sender = administrator.create_sender("load").await?;
    let secret = simulators.webhook_secret().await?;
    for number in 0..RECIPIENTS {
        administrator.create_recipient(number, webhook, &secret).await?;
    }
    server.kill().await?;
    Ok(sender)
}
