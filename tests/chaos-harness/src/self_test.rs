//! Tests the tester: each fault is planted in the server (`failpoints`, `BONGSU_PLANTED_FAULT`), run
//! shortly with the disturbance that provokes it, and must be found. One that is not found is the
//! violation here; so is anything that is found where nothing is planted.

use crate::cluster::Setting;
use crate::kinds::Kind;
use crate::run::{self, Outcome, Plan};
use anyhow::Result;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// A fault and how it shows.
#[derive(Debug, Clone, Copy)]
struct Plant {
    name: &'static str,
    what: &'static str,
    faults: &'static [Kind],
    replicas: usize,
    seconds: u64,
    /// One of these must be violated.
    shows_as: &'static [&'static str],
}

/// Nothing planted comes first: it must pass.
const PLANTS: &[Plant] = &[
    Plant { name: "", what: "nothing", faults: &[Kind::KillReplica, Kind::CutCommit, Kind::DropAnswer], replicas: 2, seconds: 12, shows_as: &[] },
];

/// How long everything owed may take where it is known to be short.
const DRAIN_WITHIN: Duration = Duration::from_secs(20);
const CLIENTS: usize = 8;

async fn one(binary: &Path, plant: Plant, seed: u64) -> Result<Outcome> {
    let folder = tempfile::Builder::new().prefix("bongsu-chaos-").tempdir()?;
    let planted = (!plant.name.is_empty()).then(|| plant.name.to_owned());
    let setting = Setting { binary: binary.to_owned(), root: folder.path().to_owned(), replicas: plant.replicas, planted };
    let plan = Plan { seed, time: Duration::from_secs(plant.seconds), kinds: Some(plant.faults.to_vec()), clients: CLIENTS, drain_within: DRAIN_WITHIN };
    run::run(&setting, &plan).await
}

/// How to see one by itself.
fn again(plant: &Plant, seed: u64) -> String {
    let name = if plant.name.is_empty() { "nothing" } else { plant.name };
    format!("tests/chaos --self-test --only {name} --seed {seed}")
}

/// Plants each; prints a table and a summary.
async fn run_all(binary: &Path, only: &[String], at_once: usize, seed: u64) -> Result<Vec<(Plant, Result<Outcome>, Duration)>> {
    let turns = Arc::new(Semaphore::new(at_once.max(1)));
    let wanted = |plant: &&Plant| only.is_empty() || only.iter().any(|name| name == plant.name || (name == "nothing" && plant.name.is_empty()));
    let running: Vec<_> = PLANTS
        .iter()
        .filter(wanted)
        .map(|plant| {
            let (turns, binary, plant) = (Arc::clone(&turns), binary.to_owned(), *plant);
            tokio::spawn(async move {
                let _turn = turns.acquire().await;
                let start = Instant::now();
                let outcome = one(&binary, plant, seed).await;
                (plant, outcome, start.elapsed())
            })
        })
        .collect();
    let mut done = Vec::with_capacity(running.len());
    for run in running {
        done.push(run.await?);
    }
    Ok(done)
}

/// Whether it went as it must, and what is said of it.
fn judged(plant: &Plant, outcome: &Result<Outcome>) -> (bool, String) {
    match outcome {
        Err(error) => (false, format!("the harness failed: {error:#}")),
        Ok(outcome) if plant.name.is_empty() => {
            let violations = outcome.violations();
            (violations.is_empty(), if violations.is_empty() { "nothing found".to_owned() } else { violations.join("; ") })
        }
        Ok(outcome) => {
            let caught: Vec<&str> = outcome.violated().into_iter().filter(|invariant| plant.shows_as.contains(invariant)).collect();
            (!caught.is_empty(), if caught.is_empty() { format!("NOT CAUGHT; violated: {:?}", outcome.violated()) } else { caught.join(", ") })
        }
    }
}

/// The whole self-test.
pub async fn run(binary: &Path, only: &[String], at_once: usize, seed: u64, commit: &str) -> Result<ExitCode> {
    eprintln!("seed {seed}; the same again: tests/chaos --self-test --seed {seed}");
    let done = run_all(binary, only, at_once, seed).await?;
    let (mut missed, mut rows) = (Vec::new(), Vec::new());
    eprintln!("\n{:<24} | {:<20} | {:>4} | {:<60} | the same again", "planted", "caught by", "s", "what");
    for (plant, outcome, took) in &done {
        let (good, told) = judged(plant, outcome);
        let name = if plant.name.is_empty() { "nothing" } else { plant.name };
        eprintln!("{name:<24} | {told:<20} | {:>4} | {:<60} | {}", took.as_secs(), plant.what, again(plant, seed));
        if !good {
            missed.push(format!("{name}: {told}"));
        }
        let violations = outcome.as_ref().map_or_else(|_| Vec::new(), Outcome::violations);
        rows.push(json!({ "planted": name, "caught": good, "by": told, "example": violations.first(), "seconds": took.as_secs() }));
    }
    println!("{}", json!({ "self_test": rows, "violations": missed, "seed": seed, "commit": commit }));
    Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
