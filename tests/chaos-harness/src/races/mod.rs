//! `--races opt-out`: sends and opt-outs of the same thing at the same time, hundreds at once, with nothing else
//! wrong. Nothing may be attempted above an opt-out in the log, nor arrive much later than
//! its answer: half a second, and what a call may take on a machine that is as busy as this makes it.
//!
//! In rounds over one log, each with people of its own, whose every switch is raced for once: so no race waits for
//! another to be over, and a round is judged by its own part of the log, which bounds what the checker holds in
//! memory. Turning switches on again was rejected: a race then has to rest until what comes too late has shown.

mod population;
mod racing;
mod rig;

use crate::cluster::Setting;
use crate::journal::{Journal, now};
use crate::judge::Records;
use crate::load::Shared;
use anyhow::{Context as _, Result};
use auditor::races::{Tally, tally};
use auditor::{Event, check};
use population::Population;
use racing::Course;
use rig::Rig;
use serde_json::json;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Races of one round at most: about 150 MB of a checker.
const ROUND: usize = 20_000;
const DRAIN_WITHIN: Duration = Duration::from_secs(120);

/// What to run.
#[derive(Debug)]
pub struct Races {
    /// The server's binary, the folder, replicas.
    pub setting: Setting,
    /// One process on its own files; else replicas over Postgres and Redis.
    pub embedded: bool,
    /// How many races.
    pub count: usize,
    /// Of the load.
    pub seed: u64,
    /// Longest time that a call takes to arrive which has begun.
    pub call_within: Duration,
}

/// What came of them.
#[derive(Debug, Default)]
pub struct Outcome {
    races: usize,
    tally: Tally,
    late: usize,
    accepted: usize,
    delivered: usize,
    events: usize,
    sent_after_opt_out: usize,
    racing: Duration,
    took: Duration,
    /// The invariants that were violated.
    pub violated: Vec<&'static str>,
    /// Violations, each with its invariant.
    pub violations: Vec<String>,
}

impl Outcome {
    fn violate(&mut self, invariant: &'static str, what: &str) {
        self.violated.push(invariant);
        self.violations.push(format!("{invariant}: {what}"));
    }

    fn rate(&self) -> f64 {
        (self.races as f64 / self.took.as_secs_f64().max(0.001)).round()
    }

    fn progress(&self) {
        let Tally { send_won, opt_out_won, caught_in_queue, .. } = self.tally;
        eprintln!(
            "{} races in {} s ({} a second): the send won {send_won}, the opt-out {opt_out_won}, {caught_in_queue} of these in the queue; {} sent after the answer",
            self.races,
            self.took.as_secs(),
            self.rate(),
            self.sent_after_opt_out
        );
    }
}

/// The most memory that this process has held, in MB; where the system does not tell, 0.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).and_then(|rest| rest.split_whitespace().next());
    peak.and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) / 1_024
}

/// All rounds; the last line of output is a JSON object.
pub async fn run(races: &Races, commit: &str) -> Result<ExitCode> {
    let outcome = race(races).await?;
    outcome.violations.iter().for_each(|violation| eprintln!("{violation}"));
    let Tally { send_won, opt_out_won, caught_in_queue, attempted_after, latest, .. } = outcome.tally;
    let summary = json!({
        "races": outcome.races, "send_won": send_won, "opt_out_won": opt_out_won, "caught_in_queue": caught_in_queue,
        "sent_after_opt_out": outcome.sent_after_opt_out, "attempted_after_opt_out": attempted_after, "latest_arrival_ms": latest, "asked_after_the_answer": outcome.late,
        "accepted": outcome.accepted, "delivered": outcome.delivered, "events": outcome.events, "violations": outcome.violations,
        "races_per_second": outcome.rate(), "seconds": outcome.took.as_secs(), "seconds_racing": outcome.racing.as_secs(),
        "profile": if races.embedded { "embedded" } else { "cluster" }, "replicas": if races.embedded { 1 } else { races.setting.replicas },
        "most_memory_mb": most_memory(), "seed": races.seed, "commit": commit,
    });
    println!("{summary}");
    Ok(if outcome.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Races until there were enough, or something is wrong.
pub async fn race(races: &Races) -> Result<Outcome> {
    let rig = Rig::start(&races.setting, races.embedded, races.seed).await?;
    population::define(&rig).await?;
    population::warm_up(&rig, DRAIN_WITHIN).await?;
    let none = Records::new(&races.setting.root);
    for path in [none.journal(), none.ledger(), none.faults()] {
        std::fs::write(path, "")?;
    }
    // What a round rests on, and makes not itself: categories, and notifications that are over.
    let before = rig.log.read(0, &none).await?.events;
    let arrived = rig.simulators.write_ledger_after(&none.ledger(), 0).await?.1;
    let mut judge = Judge { after: before.last().map_or(0, |event| event.position), before, arrived };
    let (mut outcome, start) = (Outcome::default(), Instant::now());
    for number in 0_u64.. {
        if outcome.races >= races.count || !outcome.violations.is_empty() {
            break;
        }
        round(races, &rig, number, &mut judge, &mut outcome).await?;
        outcome.took = start.elapsed();
        outcome.progress();
    }
    for line in rig.panics() {
        outcome.violate("panic", &line);
    }
    rig.stop().await?;
    Ok(outcome)
}

/// How far the records have been judged.
struct Judge {
    before: Vec<Event>,
    after: u64,
    arrived: u64,
}

async fn round(races: &Races, rig: &Rig, number: u64, judge: &mut Judge, outcome: &mut Outcome) -> Result<()> {
    let root = races.setting.root.join(format!("round-{number}"));
    std::fs::create_dir_all(&root)?;
    let records = Records::new(&root);
    std::fs::write(records.faults(), "")?;
    let count = ROUND.min(races.count - outcome.races);
    let population = Population::new(number, count);
    population.create(rig).await?;

    let shared = Shared::new(Journal::create(&records.journal())?, rig.senders.clone(), DRAIN_WITHIN);
    let start = Instant::now();
    let raced = Course::new(std::sync::Arc::clone(&shared), races.seed.wrapping_mul(1_000).wrapping_add(number)).run(population.switches(count)).await?;
    outcome.racing += start.elapsed();
    shared.stop.store(true, Ordering::Relaxed);

    if let Err(stuck) = rig.log.drained(DRAIN_WITHIN).await {
        outcome.violate("I13", &stuck);
    }
    let problems = shared.problems.lock().await.clone();
    problems.iter().for_each(|problem| outcome.violate("I13", problem));
    judge.arrived = rig.simulators.write_ledger_after(&records.ledger(), judge.arrived).await?.1;
    let mut inputs = rig.log.read(judge.after, &records).await?;
    inputs.before = std::mem::take(&mut judge.before);
    inputs.all_answered = shared.unanswered.load(Ordering::Relaxed) == 0;
    inputs.now = now();
    inputs.call_within = i64::try_from(races.call_within.as_millis()).unwrap_or(i64::MAX);
    judge.after = inputs.events.last().map_or(judge.after, |event| event.position);
    let report = check(&inputs, true);
    let tally = tally(&inputs, &raced.races);
    judge.before = std::mem::take(&mut inputs.before);

    outcome.violated.extend(report.by_invariant.keys());
    outcome.violations.extend(report.examples);
    if tally.attempted_after > 0 {
        outcome.violate("I4", &format!("{} attempts stand above the opt-out that forbids them", tally.attempted_after));
    }
    if tally.unknown > 0 {
        outcome.violate("I1", &format!("of {} races the log does not know both sides", tally.unknown));
    }
    outcome.races += raced.races.len();
    outcome.late += raced.late;
    outcome.accepted += report.accepted;
    outcome.delivered += report.delivered;
    outcome.events += report.events;
    outcome.sent_after_opt_out += report.sent_after_opt_out;
    outcome.tally = outcome.tally.and(tally);
    if outcome.violations.is_empty() {
        std::fs::remove_dir_all(&root).context("the records of a round that is clean")?;
    }
    Ok(())
}
