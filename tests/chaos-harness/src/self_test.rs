//! Tests the tester: each fault is planted in the server (`failpoints`, `BONGSU_PLANTED_FAULT`), run
//! shortly with the disturbance that provokes it, and must be found. One that is not found is the
//! violation here; so is anything that is found where nothing is planted.

use crate::cluster::{CALL_WITHIN, Setting};
use crate::kinds::Kind;
use crate::races::{self, Races};
use crate::run::{self, Plan};
use anyhow::Result;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
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
    /// Instead of a load: so many races of sends and opt-outs.
    races: usize,
    replicas: usize,
    seconds: u64,
    /// One of these must be violated.
    shows_as: &'static [&'static str],
}

impl Plant {
    /// What it is called: what comes after a comma only helps to see it.
    fn alias(&self) -> &'static str {
        self.name.split(',').next().unwrap_or_default()
    }
}

/// Those without a name for how they show must pass: nothing planted, and what is harmless by itself.
const PLANTS: &[Plant] = &[
    Plant {
        name: "nothing",
        what: "nothing",
        faults: &[Kind::KillReplica, Kind::CutCommit, Kind::DropAnswer],
        races: 0,
        replicas: 2,
        seconds: 12,
        shows_as: &[],
    },
    Plant { name: "calls-dawdle", what: "calls begin 0.7 s after their record: allowed", faults: &[], races: 0, replicas: 1, seconds: 10, shows_as: &[] },
    Plant { name: "timers-twice", what: "what is due is asked twice at once: allowed", faults: &[], races: 0, replicas: 2, seconds: 10, shows_as: &[] },
    Plant {
        name: "commit-assumed",
        what: "a COMMIT without an answer is taken as done, and acknowledged",
        faults: &[Kind::CutCommit],
        races: 0,
        replicas: 1,
        seconds: 12,
        shows_as: &["I1"],
    },
    Plant {
        name: "commit-unresolved",
        what: "whether a COMMIT without an answer took place is not looked up, as while the database is away: allowed",
        faults: &[Kind::CutCommit],
        races: 0,
        replicas: 1,
        seconds: 12,
        shows_as: &[],
    },
    Plant {
        name: "doubtful-forgotten,commit-unresolved",
        what: "attempts that were recorded without an answer are left to whoever comes by",
        faults: &[Kind::CutCommit],
        races: 0,
        replicas: 1,
        seconds: 12,
        shows_as: &["I1", "I13"],
    },
    Plant {
        name: "unknown-as-failed",
        what: "a call whose answer was lost is taken as not sent",
        faults: &[Kind::DropAnswer],
        races: 0,
        replicas: 1,
        seconds: 10,
        shows_as: &["I3"],
    },
    Plant {
        name: "opt-out-unexpected",
        what: "an attempt is recorded without expecting the subscription as it was",
        faults: &[Kind::PartitionReplica],
        races: 0,
        replicas: 2,
        seconds: 15,
        shows_as: &["I4"],
    },
    Plant {
        name: "opt-out-unheld,calls-dawdle",
        what: "an opt-out is answered while calls recorded before it have yet to begin",
        faults: &[],
        races: 0,
        replicas: 1,
        seconds: 12,
        shows_as: &["I4"],
    },
    Plant {
        name: "dedup-in-memory",
        what: "a key is known to the process that met it, and to no other",
        faults: &[Kind::KillReplica],
        races: 0,
        replicas: 2,
        seconds: 10,
        shows_as: &["I5"],
    },
    Plant {
        name: "checkpoint-first",
        what: "a checkpoint is committed before its rows, apart from them",
        faults: &[Kind::KillReplica],
        races: 0,
        replicas: 1,
        seconds: 15,
        shows_as: &["I1", "I7"],
    },
    Plant { name: "retries-early", what: "a retry begins before it is due", faults: &[Kind::Outage], races: 0, replicas: 1, seconds: 10, shows_as: &["I8"] },
    Plant {
        name: "no-recovery",
        what: "attempts of a process that died are left as they are",
        faults: &[Kind::KillReplica],
        races: 0,
        replicas: 1,
        seconds: 12,
        shows_as: &["I1", "I13"],
    },
    Plant {
        name: "batch-skipped",
        what: "a consumer goes on after a batch that its store refused",
        faults: &[Kind::KillPostgres, Kind::EndBackends],
        races: 0,
        replicas: 1,
        seconds: 15,
        shows_as: &["I1", "I7"],
    },
    Plant {
        name: "outcome-dropped",
        what: "an outcome that the log refused is not recorded later",
        faults: &[Kind::KillPostgres, Kind::EndBackends],
        races: 0,
        replicas: 1,
        seconds: 15,
        shows_as: &["I1", "I13"],
    },
    Plant {
        name: "fence-ignored",
        what: "a replica writes rows of a consumer that is another one's by now",
        faults: &[Kind::FreezeReplica],
        races: 0,
        replicas: 3,
        seconds: 20,
        shows_as: &["I1", "I7", "I13"],
    },
    Plant {
        name: "notify-only",
        what: "what others append is heard of, never looked for",
        faults: &[Kind::EndBackends],
        races: 0,
        replicas: 3,
        seconds: 12,
        shows_as: &["I1", "I13"],
    },
    Plant {
        name: "stale-streams",
        what: "what others appended is not read before a decision on the same streams",
        faults: &[Kind::FlushRedis],
        races: 0,
        replicas: 2,
        seconds: 12,
        shows_as: &["I1", "I3", "I4", "I5", "I13"],
    },
    Plant {
        name: "digest-unexpected",
        what: "an item is collected, or a window closed, without expecting the digest as it was",
        faults: &[],
        races: 0,
        replicas: 3,
        seconds: 15,
        shows_as: &["I16"],
    },
    Plant {
        name: "due-unexpected,timers-twice",
        what: "what is due is asked twice at once, and no stream is expected as it was",
        faults: &[],
        races: 0,
        replicas: 2,
        seconds: 12,
        shows_as: &["I1", "I14", "I17"],
    },
    Plant {
        name: "place-forgotten",
        what: "a place under a limit is not counted with the decision",
        faults: &[],
        races: 0,
        replicas: 1,
        seconds: 10,
        shows_as: &["I15"],
    },
    Plant {
        name: "release-undecided",
        what: "what waited is released without a look at the switches",
        faults: &[],
        races: 0,
        replicas: 2,
        seconds: 15,
        shows_as: &["I4"],
    },
    Plant { name: "step-unasked", what: "a later step is taken whatever happened", faults: &[], races: 0, replicas: 1, seconds: 12, shows_as: &["I18"] },
    Plant {
        name: "quiet-unasked",
        what: "what is queued is sent within quiet hours",
        faults: &[Kind::Outage],
        races: 0,
        replicas: 1,
        seconds: 15,
        shows_as: &["I19"],
    },
    Plant {
        name: "opt-out-unheld,calls-dawdle",
        what: "the same, in races of nothing but sends and opt-outs",
        faults: &[],
        races: 400,
        replicas: 2,
        seconds: 0,
        shows_as: &["I4"],
    },
    Plant {
        name: "opt-out-unexpected",
        what: "the same, in races of nothing but sends and opt-outs",
        faults: &[],
        races: 2_000,
        replicas: 2,
        seconds: 0,
        shows_as: &["I4"],
    },
];

/// How long what is owed may take where a fault is planted: what is stuck stays so.
const STUCK_AFTER: Duration = Duration::from_secs(12);
/// And where none is: on a machine that is busy with the run beside it.
const DRAIN_WITHIN: Duration = Duration::from_secs(60);
const CLIENTS: usize = 8;

/// What to test, and how.
#[derive(Debug, Clone)]
pub struct SelfTest {
    /// The server's binary.
    pub binary: PathBuf,
    /// Only these; all where empty.
    pub only: Vec<String>,
    /// So many at once.
    pub at_once: usize,
    /// Seed of each run.
    pub seed: u64,
    /// No more replicas than this.
    pub replicas: usize,
    /// For the record.
    pub commit: String,
}

/// What was found.
struct Found {
    violations: Vec<String>,
    violated: Vec<&'static str>,
}

async fn one(test: &SelfTest, plant: Plant, seed: u64) -> Result<Found> {
    let folder = tempfile::Builder::new().prefix("bongsu-chaos-").tempdir()?;
    let setting = Setting {
        binary: test.binary.clone(),
        root: folder.path().to_owned(),
        replicas: plant.replicas.min(test.replicas),
        planted: Some(plant.name.to_owned()),
        direct: plant.races > 0,
    };
    if plant.races > 0 {
        let outcome = races::race(&Races { setting, embedded: false, count: plant.races, seed, call_within: Duration::ZERO }).await?;
        return Ok(Found { violations: outcome.violations, violated: outcome.violated });
    }
    // Where nothing slows a call down, it arrives as soon as it begins.
    let call_within = if plant.name.contains("calls-dawdle") { Duration::ZERO } else { CALL_WITHIN };
    let drain_within = if plant.shows_as.is_empty() { DRAIN_WITHIN } else { STUCK_AFTER };
    let plan = Plan { seed, time: Duration::from_secs(plant.seconds), kinds: Some(plant.faults.to_vec()), clients: CLIENTS, drain_within, call_within };
    let outcome = run::run(&setting, &plan).await?;
    Ok(Found { violations: outcome.violations(), violated: outcome.violated() })
}

/// How to see one by itself.
fn again(plant: &Plant, seed: u64) -> String {
    format!("tests/chaos --self-test --only {} --seed {seed}", plant.alias())
}

/// One that was run.
struct Done {
    plant: Plant,
    outcome: Result<Found>,
    seed: u64,
    took: Duration,
}

/// Plants each.
async fn run_all(test: &SelfTest) -> Result<Vec<Done>> {
    let turns = Arc::new(Semaphore::new(test.at_once.max(1)));
    let wanted = |plant: &&Plant| test.only.is_empty() || test.only.iter().any(|name| name == plant.alias());
    let running: Vec<_> = PLANTS
        .iter()
        .filter(wanted)
        .map(|plant| {
            let (turns, test, plant) = (Arc::clone(&turns), test.clone(), *plant);
            tokio::spawn(async move {
                let _turn = turns.acquire().await;
                let start = Instant::now();
                let (mut seed, mut outcome) = (test.seed, one(&test, plant, test.seed).await);
                // Real processes: in a short run what provokes it may have missed its moment.
                if !plant.shows_as.is_empty() && !judged(&plant, &outcome).0 {
                    eprintln!("{} was not seen with seed {seed}; once more with the next one", plant.alias());
                    seed += 1;
                    outcome = one(&test, plant, seed).await;
                }
                Done { plant, outcome, seed, took: start.elapsed() }
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
fn judged(plant: &Plant, outcome: &Result<Found>) -> (bool, String) {
    match outcome {
        Err(error) => (false, format!("the harness failed: {error:#}")),
        Ok(Found { violations, .. }) if plant.shows_as.is_empty() => {
            (violations.is_empty(), if violations.is_empty() { "nothing found".to_owned() } else { violations.join("; ") })
        }
        Ok(Found { violated, .. }) => {
            let caught: BTreeSet<&str> = violated.iter().copied().filter(|invariant| plant.shows_as.contains(invariant)).collect();
            let told: Vec<&str> = caught.iter().copied().collect();
            (!caught.is_empty(), if caught.is_empty() { format!("NOT CAUGHT; violated: {violated:?}") } else { told.join(", ") })
        }
    }
}

/// The whole self-test.
pub async fn run(test: &SelfTest) -> Result<ExitCode> {
    let (seed, commit) = (test.seed, &test.commit);
    eprintln!("seed {seed}; the same again: tests/chaos --self-test --seed {seed}");
    let done = run_all(test).await?;
    let (mut missed, mut rows) = (Vec::new(), Vec::new());
    eprintln!("\n{:<24} | {:<20} | {:>4} | {:<60} | the same again", "planted", "caught by", "s", "what");
    for Done { plant, outcome, seed, took } in &done {
        let (good, told) = judged(plant, outcome);
        let name = plant.alias();
        eprintln!("{name:<24} | {told:<20} | {:>4} | {:<60} | {}", took.as_secs(), plant.what, again(plant, *seed));
        if !good {
            missed.push(format!("{name}: {told}"));
        }
        let example = outcome.as_ref().ok().and_then(|found| found.violations.first());
        rows.push(json!({ "planted": name, "caught": good, "by": told, "example": example, "seconds": took.as_secs() }));
    }
    println!("{}", json!({ "self_test": rows, "violations": missed, "seed": seed, "commit": commit }));
    Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
