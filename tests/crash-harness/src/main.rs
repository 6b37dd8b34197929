//! The crash test: the release binary under load, killed at random moments and at every crash
//! point, restarted, and at the end checked by the independent auditor.
//!
//! What a client was promised is in a journal that is synced before the promise counts. Every run
//! prints its seed; the same seed draws the same faults (the moments at which a killed process
//! stands are the machine's).

mod api;
mod load;
mod process;

use anyhow::{Context, Result, bail};
use auditor::{Inputs, check};
use clap::Parser;
use load::Load;
use process::{Server, Simulators};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Crash points of the failure model. C11 (a receipt that is not recorded) comes with receipts.
const POINTS: [&str; 10] = ["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10"];

/// Kills the server at random moments and at each crash point, and checks that nothing is lost.
#[derive(Parser)]
#[command(after_help = "Example:\n  tests/crash --kills 60 --seed 7")]
struct Arguments {
    /// How often it is killed.
    #[arg(long, default_value_t = 60)]
    kills: u32,
    /// Draws the faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The binary, built with the feature `failpoints`.
    #[arg(long, default_value = "target/release/bongsu")]
    binary: PathBuf,
    /// Where to leave the folder for looking at; a temporary one by default.
    #[arg(long)]
    keep: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    eprintln!("seed {0}; again: tests/crash --kills {1} --seed {0}", arguments.seed, arguments.kills);
    let temporary = tempfile::tempdir()?;
    let folder = arguments.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    let binary = arguments.binary.canonicalize().with_context(|| format!("{} is missing; tests/crash builds it", arguments.binary.display()))?;
    let mut random = StdRng::seed_from_u64(arguments.seed);

    let simulators = Simulators::start(&binary, &folder.join("simulators")).await?;
    let mut server = Server::new(&binary, &folder, &simulators.config)?;
    server.start(None).await?;
    let load = Arc::new(Load::prepare(&server, &simulators, &folder).await?);
    simulators.disturb().await?;
    let working = load.start(arguments.seed);

    let mut fired: BTreeMap<String, u32> = BTreeMap::new();
    for kill in 0..arguments.kills {
        // Every second kill is at a crash point, each in turn; the others are at random moments.
        let point = (kill % 2 == 0).then(|| POINTS[(kill as usize / 2) % POINTS.len()]);
        match point {
            Some(point) => {
                server.kill().await?;
                let passage = random.random_range(1..30_u32);
                server.start_to_die(&format!("{point}:{passage}")).await?;
                if server.dies_within(Duration::from_secs(8)).await {
                    *fired.entry(point.to_owned()).or_default() += 1;
                } else {
                    server.kill().await?;
                    *fired.entry("random".to_owned()).or_default() += 1;
                }
            }
            None => {
                tokio::time::sleep(Duration::from_millis(random.random_range(50..600))).await;
                server.kill().await?;
                *fired.entry("random".to_owned()).or_default() += 1;
            }
        }
        server.start(None).await.with_context(|| format!("after kill {} ({})", kill + 1, point.unwrap_or("random")))?;
        if (kill + 1) % 10 == 0 {
            eprintln!("{} kills, {} accepted", kill + 1, load.accepted());
        }
    }

    simulators.calm().await?;
    load.stop();
    working.await??;
    eprintln!("{} accepted; waiting until all is delivered", load.accepted());
    let began = Instant::now();
    while !server.is_drained()? {
        if began.elapsed() > Duration::from_secs(120) {
            bail!("not drained within two minutes: {}", server.owed()?);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    server.stop().await?;
    let ledger = simulators.ledger(&folder.join("ledger.ndjson")).await?;
    let inputs = Inputs::read(&server.log(), &load.journal, &ledger)?;
    let report = check(&inputs, true);
    for example in &report.examples {
        eprintln!("violation: {example}");
    }
    eprintln!("killed at: {fired:?}; C11 belongs to receipts, which this version does not have");
    for point in POINTS {
        if arguments.kills >= 60 && fired.get(point).copied().unwrap_or(0) == 0 {
            bail!("crash point {point} was never reached");
        }
    }
    println!(
        "{}",
        json!({
            "accepted": report.accepted,
            "delivered": report.delivered,
            "lost": report.lost,
            "repeated_unexplained": report.repeated_unexplained,
            "repeated_explained": report.repeated_explained,
            "kills": arguments.kills,
            "violations": report.violations,
            "by_point": fired,
            "seed": arguments.seed,
        })
    );
    simulators.stop().await;
    Ok(if report.violations == 0 && report.lost == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
