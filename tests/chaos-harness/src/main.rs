//! `chaos-harness`: several replicas over one Postgres and one Redis, loaded by clients, disturbed by
//! a nemesis, and judged by a checker that shares no code with them.
//!
//! One seed draws the load, the kinds of faults, their moments and their targets. The moments of real
//! processes are not repeated exactly: a seed repeats the plan, not each interleaving.

#![allow(clippy::disallowed_methods, reason = "a program of its own that waits for real processes: the machine's clock is what it measures")]

mod clocks;
mod cluster;
mod hands;
mod journal;
mod judge;
mod kinds;
mod load;
mod nemesis;
mod proxy;
mod races;
mod replica;
mod run;
mod self_test;
mod waits;

use anyhow::{Context as _, Result, anyhow};
use clap::Parser;
use cluster::{CALL_WITHIN, Setting};
use crash_harness::server;
use kinds::Kind;
use races::Races;
use run::{Plan, run};
use self_test::SelfTest;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// I13.
const DRAIN_WITHIN: Duration = Duration::from_secs(60);

/// Disturbs a cluster under load and checks what is left of its promises. The last line of output is a
/// JSON object; status 1 on any violation.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  chaos-harness --minutes 2 --seed 1 --replicas 3\n  chaos-harness --minutes 1 --faults kill_replica,cut_commit\n  chaos-harness --races opt-out --count 3000\n  chaos-harness --races opt-out --count 3000 --profile embedded\n  chaos-harness --self-test"
)]
struct Arguments {
    /// How long it is disturbed, in minutes; parts are allowed.
    #[arg(long, default_value_t = 2.0)]
    minutes: f64,
    /// Seed of the load and of the nemesis.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Replicas of the server; with --self-test no run has more.
    #[arg(long, default_value_t = 3)]
    replicas: usize,
    /// Concurrent clients.
    #[arg(long, default_value_t = 10)]
    clients: usize,
    /// Kinds of faults, parted by commas [default: drawn from the seed].
    #[arg(long, value_delimiter = ',')]
    faults: Vec<String>,
    /// Plant faults in the server and demand that each is found.
    #[arg(long)]
    self_test: bool,
    /// Nothing but races of this kind, undisturbed: `opt-out`.
    #[arg(long, value_parser = ["opt-out"], conflicts_with = "self_test")]
    races: Option<String>,
    /// With --races: so many.
    #[arg(long, default_value_t = 3_000, requires = "races")]
    count: usize,
    /// With --races: on replicas over Postgres and Redis, or on one process with its own files.
    #[arg(long, value_parser = ["cluster", "embedded"], default_value = "cluster")]
    profile: String,
    /// With --races: how long a call that has begun may take to arrive; half a second is allowed beside it.
    #[arg(long, default_value_t = 500, requires = "races")]
    call_within_ms: u64,
    /// With --self-test: only these, parted by commas.
    #[arg(long, value_delimiter = ',', requires = "self_test")]
    only: Vec<String>,
    /// With --self-test: so many at once.
    #[arg(long, default_value_t = 3, requires = "self_test")]
    at_once: usize,
    /// The server's binary, built with `failpoints` [default: bongsu beside this one].
    #[arg(long, env = "BONGSU_BIN")]
    binary: Option<PathBuf>,
    /// What is tested, for the record.
    #[arg(long, env = "BONGSU_TEST_COMMIT", default_value = "unknown")]
    commit: String,
    /// Keep everything in this new folder; by default it is kept only on a violation.
    #[arg(long)]
    keep: Option<PathBuf>,
}

impl Arguments {
    fn kinds(&self) -> Result<Option<Vec<Kind>>> {
        let named = |name: &String| Kind::named(name).ok_or_else(|| anyhow!("there is no fault {name}; there are {}", Kind::ALL.map(Kind::name).join(", ")));
        let kinds: Vec<Kind> = self.faults.iter().map(named).collect::<Result<_>>()?;
        Ok((!kinds.is_empty()).then_some(kinds))
    }

    fn again(&self) -> String {
        let faults = if self.faults.is_empty() { String::new() } else { format!(" --faults {}", self.faults.join(",")) };
        format!("tests/chaos --minutes {} --seed {} --replicas {}{faults}", self.minutes, self.seed, self.replicas)
    }
}

#[tokio::main(worker_threads = 4)]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => server::default_binary()?,
    };
    let binary = binary.canonicalize().with_context(|| format!("{} is not built", binary.display()))?;
    if arguments.self_test {
        let Arguments { only, at_once, seed, replicas, commit, .. } = arguments;
        return self_test::run(&SelfTest { binary, only, at_once, seed, replicas, commit }).await;
    }
    if arguments.races.is_none() {
        eprintln!("seed {}; the same again: {}", arguments.seed, arguments.again());
    }
    let mut folder = tempfile::Builder::new().prefix("bongsu-chaos-").tempdir()?;
    let root = match &arguments.keep {
        Some(keep) => {
            std::fs::create_dir_all(keep)?;
            keep.canonicalize()?
        }
        None => folder.path().to_owned(),
    };
    let setting =
        Setting { binary, root, replicas: arguments.replicas.max(1), planted: std::env::var("BONGSU_PLANTED_FAULT").ok(), direct: arguments.races.is_some() };
    let time = Duration::try_from_secs_f64(arguments.minutes * 60.0).context("--minutes")?;
    if arguments.races.is_some() {
        let Arguments { count, seed, commit, .. } = arguments;
        let races = Races { setting, embedded: arguments.profile == "embedded", count, seed, call_within: Duration::from_millis(arguments.call_within_ms) };
        let outcome = races::run(&races, &commit).await;
        if !matches!(outcome, Ok(ExitCode::SUCCESS)) {
            folder.disable_cleanup(true);
            let profile = if races.embedded { " --profile embedded" } else { "" };
            eprintln!(
                "FAILED; the same again: tests/chaos --races opt-out --count {count} --seed {seed}{profile}; everything is kept in {}",
                races.setting.root.display()
            );
        }
        return outcome;
    }
    let plan = Plan { seed: arguments.seed, time, kinds: arguments.kinds()?, clients: arguments.clients, drain_within: DRAIN_WITHIN, call_within: CALL_WITHIN };
    let outcome = run(&setting, &plan).await;
    let violations = outcome.as_ref().map_or_else(|error| vec![format!("harness: {error:#}")], |outcome| outcome.violations());
    if !violations.is_empty() {
        folder.disable_cleanup(true);
        violations.iter().for_each(|violation| eprintln!("{violation}"));
        eprintln!("FAILED with seed {}; the same again: {}; everything is kept in {}", arguments.seed, arguments.again(), setting.root.display());
    }
    let mut summary = outcome.map_or_else(|error| json!({ "violations": [format!("harness: {error:#}")] }), |outcome| outcome.summary());
    summary["seed"] = json!(arguments.seed);
    summary["commit"] = json!(arguments.commit);
    summary["minutes"] = json!(arguments.minutes);
    summary["replicas"] = json!(arguments.replicas);
    println!("{summary}");
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
