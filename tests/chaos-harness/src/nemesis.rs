//! The nemesis: hands that disturb at the same time, each its own part of the system, by one seed.
//!
//! Every fault is made good before its hand goes on; when all have ended nothing is disturbed any
//! more. What was done is journalled, synced, with its times.

use crate::cluster::Cluster;
use crate::hands;
use crate::journal::{Journal, now};
use crate::kinds::{Hand, Kind};
use anyhow::Result;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Pause between two faults of one hand, in ms.
const PAUSE: std::ops::Range<u64> = 300..3_000;

/// What was done, and until when more may be.
#[derive(Debug)]
pub struct Nemesis {
    journal: Journal,
    done: Mutex<BTreeMap<&'static str, usize>>,
    until: Instant,
}

/// One hand at work: its kinds and its chance.
#[derive(Debug)]
pub struct Work<'a> {
    nemesis: &'a Nemesis,
    kinds: Vec<Kind>,
    /// The hand's own chance.
    pub random: StdRng,
}

impl Nemesis {
    /// Works until that moment.
    pub fn new(journal: &Path, until: Instant) -> Result<Self> {
        Ok(Self { journal: Journal::create(journal)?, done: Mutex::default(), until })
    }

    /// Disturbs with these kinds until the time is over.
    pub async fn rage(&self, cluster: &mut Cluster, kinds: &[Kind], seed: u64) -> Result<()> {
        let work = |hand: Hand| Work {
            nemesis: self,
            kinds: kinds.iter().copied().filter(|kind| kind.hand() == hand).collect(),
            random: StdRng::seed_from_u64(seed.wrapping_mul(31).wrapping_add(hand as u64)),
        };
        tokio::try_join!(
            hands::replicas(work(Hand::Replicas), &cluster.replicas),
            hands::postgres(work(Hand::Postgres), &mut cluster.postgres, &cluster.url, &cluster.proxies),
            hands::redis(work(Hand::Redis), cluster.redis.as_mut()),
            hands::providers(work(Hand::Providers), &cluster.simulators),
            hands::clocks(work(Hand::Clocks), &cluster.clocks),
        )
        .map(drop)
    }

    /// How long it would still disturb.
    pub fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// How often each kind was done.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Work<'_> {
    /// The next kind, after a pause; none when the time is over or there is nothing to do.
    pub async fn next(&mut self) -> Option<Kind> {
        if self.kinds.is_empty() {
            return None;
        }
        let pause = Duration::from_millis(self.random.random_range(PAUSE));
        tokio::time::sleep(pause).await;
        (Instant::now() < self.nemesis.until).then(|| self.kinds[self.random.random_range(0..self.kinds.len())])
    }

    /// For so long, drawn in ms, but not past the end.
    pub async fn last(&mut self, milliseconds: std::ops::Range<u64>) {
        let drawn = Duration::from_millis(self.random.random_range(milliseconds));
        tokio::time::sleep(drawn.min(self.nemesis.until.saturating_duration_since(Instant::now()))).await;
    }

    /// Notes that a fault was there from `from` until now.
    pub fn note(&self, kind: Kind, from: i64, what: &str) -> Result<()> {
        *self.nemesis.done.lock().unwrap_or_else(PoisonError::into_inner).entry(kind.name()).or_default() += 1;
        self.nemesis.journal.write(&[json!({ "fault": kind.name(), "from": from, "to": now(), "what": what })])
    }
}
