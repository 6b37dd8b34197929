//! The races of a round. Several start together: one replica is asked to send a list, while another one is told,
//! by a request for each, that none of it is wanted.

use super::population::Switch;
use crate::journal::now;
use crate::load::{Shared, ask};
use anyhow::{Context as _, Result, bail};
use auditor::races::Race;
use crash_harness::api::Item;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Races that start together.
const TOGETHER: usize = 8;
/// Of these: those in which something is asked for when the answer is known.
const LATE: usize = 2;
/// So many times that many at once.
const AT_ONCE: usize = 24;
const AGAIN: Duration = Duration::from_millis(50);

/// What was raced.
#[derive(Default)]
pub struct Raced {
    /// Each notification and what was chosen against it.
    pub races: Vec<Race>,
    /// Sends that were asked for when the opt-out was answered.
    pub late: usize,
}

/// See the module.
pub struct Course {
    shared: Arc<Shared>,
    seed: u64,
    /// How long a list takes to be answered, in µs, smoothed: an opt-out that starts up to twice that later meets
    /// its send before, at and after the provider, however fast the machine is.
    answered_in: AtomicU64,
}

impl Course {
    /// Of the replicas that these clients ask.
    pub fn new(shared: Arc<Shared>, seed: u64) -> Self {
        Self { shared, seed, answered_in: AtomicU64::new(20_000) }
    }

    /// Races for all these switches.
    pub async fn run(self, switches: Vec<Switch>) -> Result<Raced> {
        let (course, left) = (Arc::new(self), Arc::new(Mutex::new(switches.into_iter())));
        let lanes = (0..AT_ONCE).map(|lane| {
            let (course, left) = (Arc::clone(&course), Arc::clone(&left));
            let mut random = StdRng::seed_from_u64(course.seed.wrapping_mul(1_000).wrapping_add(lane as u64));
            tokio::spawn(async move {
                let mut raced = Raced::default();
                loop {
                    let some: Vec<Switch> = left.lock().unwrap_or_else(PoisonError::into_inner).by_ref().take(TOGETHER).collect();
                    if some.is_empty() {
                        return anyhow::Ok(raced);
                    }
                    course.together(&mut random, &some, &mut raced).await?;
                }
            })
        });
        let mut raced = Raced::default();
        for lane in lanes.collect::<Vec<_>>() {
            let more = lane.await.context("a racer failed")??;
            raced.races.extend(more.races);
            raced.late += more.late;
        }
        Ok(raced)
    }

    async fn together(&self, random: &mut StdRng, switches: &[Switch], raced: &mut Raced) -> Result<()> {
        let replicas = self.shared.replicas.len();
        let first = random.random_range(0..replicas);
        // Another one, where there is one.
        let second = if replicas > 1 { first + random.random_range(1..replicas) } else { first } % replicas;
        let spread = 2 * self.answered_in.load(Ordering::Relaxed);
        let leaving: Vec<_> = switches
            .iter()
            .map(|switch| {
                let (switch, shared, apart) = (*switch, Arc::clone(&self.shared), Duration::from_micros(random.random_range(0..=spread)));
                tokio::spawn(async move {
                    tokio::time::sleep(apart).await;
                    turn_off(&shared, second, &switch).await?;
                    anyhow::Ok(now())
                })
            })
            .collect();
        let items: Vec<Item> = switches.iter().map(|switch| switch.item("now")).collect();
        let ids = self.send(first, &items).await?;
        if ids.len() != items.len() {
            bail!("of {} sends {} were answered", items.len(), ids.len());
        }
        let mut notes: Vec<Value> = Vec::with_capacity(switches.len());
        for ((notification, switch), left) in ids.into_iter().zip(switches).zip(leaving) {
            let answered = left.await??;
            notes.push(switch.left(answered));
            raced.races.push(Race { notification, scope: switch.logged(), answered });
        }
        self.shared.journal.write(&notes)?;
        let late: Vec<Item> = switches.iter().take(LATE).map(|switch| switch.item("late")).collect();
        raced.late += ask(&self.shared, random.random_range(0..replicas), &late, true).await?.len();
        Ok(())
    }

    async fn send(&self, replica: usize, items: &[Item]) -> Result<Vec<String>> {
        let start = Instant::now();
        let ids = ask(&self.shared, replica, items, true).await?;
        let (took, known) = (u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX), self.answered_in.load(Ordering::Relaxed));
        self.answered_in.store((known / 8 * 7).saturating_add(took / 8), Ordering::Relaxed);
        Ok(ids)
    }
}

/// Until it is answered; what was not answered may still be on its way, and the same again is harmless.
async fn turn_off(shared: &Shared, replica: usize, switch: &Switch) -> Result<()> {
    for _ in 0..100 {
        if shared.replicas[replica].switch(switch.recipient, &switch.scope(), false).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(AGAIN).await;
    }
    shared.replicas[replica].switch(switch.recipient, &switch.scope(), false).await
}
