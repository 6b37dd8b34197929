//! `--races opt-out`: sends and opt-outs of the same people at the same time, as fast as they are answered,
//! with nothing else wrong. Nothing may be attempted above an opt-out in the log, nor arrive later than half a
//! second after its answer, which no call that had yet to begin may outlive.
//!
//! In rounds, each with a log of its own: the checker holds a whole log in memory, and a million races would
//! not fit.

use crate::cluster::{Cluster, Setting};
use crate::journal::{Journal, now};
use crate::judge::{Records, judge};
use crate::load::{RECIPIENTS, Shared, ask};
use crate::run::Plan;
use anyhow::{Context as _, Result};
use crash_harness::api::{CHANNELS, Item, recipient_id};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Races of one round at most.
const ROUND: usize = 2_500;
/// From the answer until they are opted in again: an arrival that comes too late has time to show.
const REST: Duration = Duration::from_millis(700);
const DRAIN_WITHIN: Duration = Duration::from_secs(120);

/// What to run.
#[derive(Debug)]
pub struct Races {
    /// The server's binary, the folder, replicas.
    pub setting: Setting,
    /// How many races.
    pub count: usize,
    /// Of the load.
    pub seed: u64,
    /// What is tested, for the record.
    pub commit: String,
}

/// What came of a round.
struct Round {
    races: usize,
    accepted: usize,
    /// Arrived: before the answer, or right behind it.
    sent: usize,
    events: usize,
    after: usize,
    violations: Vec<String>,
    took: Duration,
}

/// All rounds; the last line of output is a JSON object.
pub async fn run(races: &Races) -> Result<ExitCode> {
    let (mut done, mut accepted, mut sent, mut events, mut after, mut racing) = (0, 0, 0, 0, 0, Duration::ZERO);
    let mut violations = Vec::new();
    for number in 0_u64.. {
        if done >= races.count || !violations.is_empty() {
            break;
        }
        let root = races.setting.root.join(format!("round-{number}"));
        std::fs::create_dir_all(&root)?;
        let round = round(races, &root, number, ROUND.min(races.count - done)).await?;
        done += round.races;
        accepted += round.accepted;
        sent += round.sent;
        events += round.events;
        after += round.after;
        racing += round.took;
        violations.extend(round.violations);
        eprintln!("{done} races in {} s, {accepted} promised, {sent} delivered, {after} sent after the answer", racing.as_secs());
        if violations.is_empty() {
            std::fs::remove_dir_all(&root)?;
        }
    }
    violations.iter().for_each(|violation| eprintln!("{violation}"));
    let rate = done as f64 / racing.as_secs_f64().max(0.001);
    let summary = json!({
        "races": done, "accepted": accepted, "delivered": sent, "events": events, "sent_after_opt_out": after, "violations": violations,
        "races_per_second": rate.round(), "seconds": racing.as_secs(), "replicas": races.setting.replicas, "seed": races.seed, "commit": races.commit,
    });
    println!("{summary}");
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn round(races: &Races, root: &Path, number: u64, count: usize) -> Result<Round> {
    let mut random = StdRng::seed_from_u64(races.seed.wrapping_mul(1_000).wrapping_add(number));
    let setting = Setting { root: root.to_owned(), ..races.setting.clone() };
    let cluster = Cluster::start(&setting, &[], races.seed, &mut random).await?;
    let records = Records::new(root);
    std::fs::write(records.faults(), "")?;
    let shared = Shared::new(Journal::create(&records.journal())?, cluster.senders.clone(), DRAIN_WITHIN);
    let (start, left) = (Instant::now(), Arc::new(AtomicUsize::new(count)));
    let racers: Vec<_> = (0..RECIPIENTS)
        .flat_map(|recipient| CHANNELS.map(|channel| (recipient, channel)))
        .map(|(recipient, channel)| {
            let random = StdRng::seed_from_u64(random.random());
            tokio::spawn(Racer { shared: Arc::clone(&shared), random, recipient, channel, next: 0 }.race(Arc::clone(&left)))
        })
        .collect();
    let mut won = 0;
    for racer in racers {
        won += racer.await.context("a racer failed")??;
    }
    let took = start.elapsed();
    shared.stop.store(true, Ordering::Relaxed);
    // Where nothing slows a call down, it arrives as soon as it begins.
    let plan = Plan { seed: races.seed, time: took, kinds: None, clients: 0, drain_within: DRAIN_WITHIN, call_within: Duration::ZERO };
    let verdict = judge(&cluster, &shared, &records, &plan).await?;
    let violations = verdict.report.examples.iter().cloned().chain(verdict.more.iter().map(|(invariant, what)| format!("{invariant}: {what}"))).collect();
    cluster.stop().await?;
    let report = verdict.report;
    Ok(Round { races: won, accepted: report.accepted, sent: report.delivered, events: report.events, after: report.sent_after_opt_out, violations, took })
}

/// One channel of one person. Nobody else turns this switch; the person's others are turned meanwhile.
struct Racer {
    shared: Arc<Shared>,
    random: StdRng,
    recipient: usize,
    channel: &'static str,
    next: u64,
}

impl Racer {
    /// Until none is left; how many there were.
    async fn race(mut self, left: Arc<AtomicUsize>) -> Result<usize> {
        let mut won = 0;
        while left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            let (first, second, count) = (self.replica(), self.replica(), self.random.random_range(1..4));
            let items: Vec<Item> = (0..count).map(|_| self.item()).collect();
            let late = [self.item()];
            // About as long as a request takes to its provider: either may win.
            let apart = Duration::from_millis(self.random.random_range(0..250));
            let sending = ask(&self.shared, first, &items, true);
            let leaving = async {
                tokio::time::sleep(apart).await;
                self.turn(second, false).await
            };
            let (sent, ()) = tokio::try_join!(sending, leaving)?;
            drop(sent);
            self.note("left")?;
            // And one that is asked for when the answer is known.
            ask(&self.shared, first, &late, false).await?;
            won += 1;
            tokio::time::sleep(REST).await;
            self.note("joining")?;
            self.turn(second, true).await?;
            self.note("joined")?;
        }
        Ok(won)
    }

    fn replica(&mut self) -> usize {
        self.random.random_range(0..self.shared.replicas.len())
    }

    fn item(&mut self) -> Item {
        self.next += 1;
        Item::new(format!("{}-{}-{}", self.recipient, self.channel, self.next), self.recipient, &[self.channel], "NORMAL")
    }

    /// Until it is answered; what was not answered may still be on its way, and the same again is harmless.
    async fn turn(&self, replica: usize, on: bool) -> Result<()> {
        let mut tries = 0;
        loop {
            match self.shared.replicas[replica].subscribe(self.recipient, self.channel, on).await {
                Ok(()) => return Ok(()),
                Err(error) if tries >= 100 => return Err(error),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn note(&self, what: &str) -> Result<()> {
        let line: Value = json!({ "recipient": recipient_id(self.recipient), "channel": self.channel.to_lowercase(), "what": what, "at": now() });
        self.shared.journal.write(&[line])
    }
}
