//! One run: start everything, load and disturb it, let it come to rest, judge.

use crate::cluster::{Cluster, Setting};
use crate::hands;
use crate::journal::Journal;
use crate::judge::{Records, Verdict, judge};
use crate::kinds::{Hand, Kind};
use crate::load::{Load, Shared};
use crate::nemesis::Nemesis;
use anyhow::{Context as _, Result};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A last stretch without faults, so that the way back to normal is part of the run.
const CALM: Duration = Duration::from_secs(2);

/// What a run does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Seed of load and nemesis.
    pub seed: u64,
    /// How long it is disturbed.
    pub time: Duration,
    /// With what; drawn from the seed where not given.
    pub kinds: Option<Vec<Kind>>,
    /// Concurrent clients.
    pub clients: usize,
    /// From the end of the load until nothing may be owed any more.
    pub drain_within: Duration,
    /// From the answer to an opt-out until a call that began before has arrived at the latest.
    pub call_within: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// What is wrong.
    pub verdict: Verdict,
    /// What was done, how often.
    pub faults: BTreeMap<&'static str, usize>,
    /// Kinds that could not be done here, and why.
    pub left_out: Vec<String>,
    /// Requests that a client had to repeat.
    pub repeated: usize,
    /// Replicas that ended by themselves and were started again.
    pub ended_by_themselves: usize,
    /// Commits whose connection was cut.
    pub cuts: usize,
}

impl Outcome {
    /// Violations, each with its invariant.
    pub fn violations(&self) -> Vec<String> {
        let more = self.verdict.more.iter().map(|(invariant, what)| format!("{invariant}: {what}"));
        self.verdict.report.examples.iter().cloned().chain(more).collect()
    }

    /// The invariants that were violated.
    pub fn violated(&self) -> Vec<&'static str> {
        let mut all: Vec<&'static str> = self.verdict.report.by_invariant.keys().copied().chain(self.verdict.more.iter().map(|more| more.0)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// For the last line.
    pub fn summary(&self) -> Value {
        let report = &self.verdict.report;
        json!({
            "accepted": report.accepted, "delivered": report.delivered, "lost": report.lost,
            "repeated_unexplained": report.repeated_unexplained, "repeated_explained": report.repeated_explained,
            "sent_after_opt_out": report.sent_after_opt_out, "faults": self.faults, "violations": self.violations(), "by_invariant": report.by_invariant,
            "left_out": self.left_out, "decided": report.decided, "events": report.events, "arrivals": self.verdict.arrivals, "latency_ms": report.latency,
            "drained_after_ms": self.verdict.drained.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            "requests_repeated": self.repeated, "ended_by_themselves": self.ended_by_themselves, "commits_cut": self.cuts,
        })
    }
}

/// Those that can be done, and what is said of the others.
fn possible(kinds: Vec<Kind>, cluster: &Cluster) -> (Vec<Kind>, Vec<String>) {
    let mut left_out = Vec::new();
    let kept = kinds.into_iter().filter(|kind| {
        let why = match kind.hand() {
            Hand::Redis if cluster.redis.is_none() => "this server knows no Redis",
            Hand::Clocks if cluster.clocks.is_empty() => "libfaketime is not installed (Debian: faketime)",
            Hand::Postgres if *kind == Kind::FullDisk && !cluster.postgres.has_disk() => "only root can give Postgres a disk of its own",
            _ => return true,
        };
        eprintln!("SKIPPED, {}: {why}", kind.name());
        left_out.push(kind.name().to_owned());
        false
    });
    (kept.collect(), left_out)
}

/// Runs a plan to its end.
pub async fn run(setting: &Setting, plan: &Plan) -> Result<Outcome> {
    let mut random = StdRng::seed_from_u64(plan.seed);
    let drawn = Kind::draw(&mut random);
    let kinds = plan.kinds.clone().unwrap_or(drawn);
    let mut cluster = Cluster::start(setting, &kinds, plan.seed, &mut random).await?;
    let (kinds, left_out) = possible(kinds, &cluster);
    eprintln!("disturbing with {}", kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "));
    cluster.simulators.rule(&hands::baseline()).await?;
    let records = Records::new(&setting.root);
    let shared = Shared::new(Journal::create(&records.journal())?, cluster.senders.clone(), plan.drain_within);
    let load = |number| tokio::spawn(Load::new(std::sync::Arc::clone(&shared), plan.seed, number, plan.clients).run());
    let clients: Vec<_> = (0..plan.clients).map(load).collect();

    let nemesis = Nemesis::new(&records.faults(), Instant::now() + plan.time)?;
    nemesis.rage(&mut cluster, &kinds, plan.seed).await?;
    // A hand that has nothing to do ends at once.
    tokio::time::sleep(nemesis.left()).await;
    cluster.simulators.behave().await?;
    for replica in &cluster.replicas {
        if let Err(error) = replica.ready_within(plan.drain_within).await {
            shared.problem(0, format!("{error:#}")).await;
        }
    }
    tokio::time::sleep(CALM).await;
    shared.stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.context("a client failed")??;
    }
    eprintln!("{} notifications promised; waiting until nothing is owed", shared.journal.promised());
    let verdict = judge(&cluster, &shared, &records, plan).await?;
    let outcome = Outcome {
        verdict,
        faults: nemesis.counts(),
        left_out,
        repeated: shared.repeated.load(Ordering::Relaxed),
        ended_by_themselves: cluster.replicas.iter().map(|replica| replica.ended_by_itself()).sum(),
        cuts: cluster.proxies.iter().map(|proxy| proxy.cuts()).sum(),
    };
    cluster.stop().await?;
    Ok(outcome)
}
