//! After the faults: waits until nothing is owed, makes the read models anew, collects the records and
//! asks the checker.

use crate::cluster::Cluster;
use crate::journal::now;
use crate::load::Shared;
use crate::run::Plan;
use anyhow::{Context as _, Result};
use auditor::views::Views;
use auditor::{Inputs, Report, check, postgres};
use crash_harness::simulators::Simulators;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const GLANCE: Duration = Duration::from_millis(200);
/// Longest wait for the read models and for single replicas, once nothing is owed.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(10);

/// What the load asks for comes due within this, in ms: it is waited for too.
const AHEAD: i64 = 30_000;

/// Where the records are.
#[derive(Debug, Clone)]
pub struct Records {
    root: PathBuf,
}

impl Records {
    /// In the folder of a run.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// What the clients were promised.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal.ndjson")
    }

    /// What was disturbed.
    pub fn faults(&self) -> PathBuf {
        self.root.join("faults.ndjson")
    }

    /// What arrived.
    pub fn ledger(&self) -> PathBuf {
        self.root.join("ledger.ndjson")
    }

    /// What was still owed in the end, where anything was.
    pub fn owed(&self) -> PathBuf {
        self.root.join("owed.ndjson")
    }
}

/// What is found wrong, apart from what the checker finds.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What the checker says.
    pub report: Report,
    /// More violations: the invariant, and what happened.
    pub more: Vec<(&'static str, String)>,
    /// From the end of the load until nothing was owed.
    pub drained: Option<Duration>,
    /// Everything that arrived.
    pub arrivals: usize,
}

/// I13: returns once nothing is owed and the table says so of the whole log.
async fn drained(url: &str, within: Duration) -> Result<Duration, String> {
    let start = Instant::now();
    let mut told = "the database did not answer".to_owned();
    while start.elapsed() < within {
        if let Ok(mut connection) = postgres::connect(url).await
            && let Ok(owed) = postgres::owed(&mut connection, now() + AHEAD).await
        {
            if owed.is_nothing() {
                return Ok(start.elapsed());
            }
            told = format!(
                "{} deliveries and {} timers are still owed, as of {} and {} of {} events",
                owed.deliveries, owed.timers, owed.checkpoint, owed.timers_checkpoint, owed.head
            );
        }
        tokio::time::sleep(GLANCE).await;
    }
    Err(format!("after {} s {told}", within.as_secs()))
}

/// Waits until every read model has read the whole log.
async fn followed(url: &str) -> Result<Views, String> {
    let start = Instant::now();
    loop {
        let head = async { anyhow::Ok(postgres::owed(&mut postgres::connect(url).await?, 0).await?.head) }.await.map_err(|error| error.to_string())?;
        let views = Views::read(url).await.map_err(|error| format!("{error:#}"))?;
        let behind: Vec<String> = views.0.iter().filter(|(_, view)| view.position != head).map(|(name, _)| name.clone()).collect();
        if behind.is_empty() {
            return Ok(views);
        }
        if start.elapsed() > FOLLOWED_WITHIN {
            return Err(format!("read models are behind the log, which ends at {head}: {}", behind.join(", ")));
        }
        tokio::time::sleep(GLANCE).await;
    }
}

/// I13: every replica has read the whole log, and shares the queue again where there is one.
async fn caught_up(cluster: &Cluster) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    for (number, administrator) in cluster.administrators.iter().enumerate() {
        let start = Instant::now();
        loop {
            let head = async { anyhow::Ok(postgres::owed(&mut postgres::connect(&cluster.url).await?, 0).await?.head) }.await.ok();
            let told = match administrator.status().await {
                Ok((events, shared)) if Some(events) == head && shared != Some(false) => break,
                Ok((events, shared)) => format!("has read {events} of {head:?} events; uses the shared queue: {shared:?}"),
                Err(error) => format!("does not say how far it is: {error:#}"),
            };
            if start.elapsed() > FOLLOWED_WITHIN {
                wrong.push(("I13", format!("replica {number} {told}")));
                break;
            }
            tokio::time::sleep(GLANCE).await;
        }
    }
    wrong
}

/// I7: the read models made anew hold the same rows, and nothing arrives by it.
async fn replayed(cluster: &Cluster, simulators: &Simulators, ledger: &Path) -> Result<Vec<(&'static str, String)>> {
    let mut wrong = Vec::new();
    let before = match followed(&cluster.url).await {
        Ok(views) => views,
        Err(behind) => return Ok(vec![("I13", behind)]),
    };
    let arrived = simulators.write_ledger(ledger).await?;
    for name in before.0.keys() {
        let administrator = cluster.administrators.first().context("no replica")?;
        if let Err(error) = administrator.rebuild(name).await {
            wrong.push(("I7", format!("{name} was not rebuilt: {error:#}")));
        }
    }
    match followed(&cluster.url).await {
        Ok(after) => wrong.extend(before.differences(&after).into_iter().map(|difference| ("I7", difference))),
        Err(behind) => wrong.push(("I13", behind)),
    }
    let since = simulators.write_ledger(ledger).await? - arrived;
    if since > 0 {
        wrong.push(("I7", format!("{since} requests arrived at providers while read models were made anew")));
    }
    Ok(wrong)
}

/// Judges a run whose faults and load have ended.
pub async fn judge(cluster: &Cluster, shared: &Shared, records: &Records, plan: &Plan) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    match drained(&cluster.url, plan.drain_within).await {
        Ok(time) => verdict.drained = Some(time),
        Err(stuck) => {
            verdict.more.push(("I13", stuck));
            let owed = postgres::owed_in_full(&mut postgres::connect(&cluster.url).await?).await?;
            std::fs::write(records.owed(), owed.join("\n"))?;
        }
    }
    // Rows of what is still going on are not to be compared.
    if verdict.drained.is_some() {
        verdict.more.extend(caught_up(cluster).await);
        verdict.more.extend(replayed(cluster, &cluster.simulators, &records.ledger()).await?);
    }
    verdict.arrivals = cluster.simulators.write_ledger(&records.ledger()).await?;
    let unanswered = shared.unanswered.load(std::sync::atomic::Ordering::Relaxed);
    let problems = shared.problems.lock().await.clone();
    verdict.more.extend(problems.into_iter().map(|problem| ("I13", problem)));
    for replica in &cluster.replicas {
        let log = std::fs::read_to_string(replica.log()).unwrap_or_default();
        verdict.more.extend(log.lines().filter(|line| line.contains("panicked at")).map(|line| ("panic", format!("replica {}: {line}", replica.number()))));
    }
    let mut inputs: Inputs = postgres::read(&cluster.url, &records.journal(), &records.ledger(), &records.faults()).await?;
    inputs.all_answered = unanswered == 0;
    inputs.now = now();
    inputs.call_within = i64::try_from(plan.call_within.as_millis()).unwrap_or(i64::MAX);
    verdict.report = check(&inputs, true);
    Ok(verdict)
}
