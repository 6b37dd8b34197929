//! The clients: they send, repeat, cancel and switch channels, and never give up on a key.

use crate::api::{Answer, CHANNELS, Client, Item, PRIORITIES};
use crate::journal::Journal;
use anyhow::Result;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Recipients in all.
pub const RECIPIENTS: usize = 20;
/// Keys that a client remembers for repeats.
const REMEMBERED: usize = 64;
/// Pause before an unanswered request is repeated.
const AGAIN: Duration = Duration::from_millis(50);
/// After the faults ended everything must be answered within this.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// What the clients share.
#[derive(Debug)]
pub struct Shared {
    /// Promises.
    pub journal: Journal,
    /// No new requests from now on.
    pub stop: AtomicBool,
    /// Items that were refused or never answered: none should be.
    pub unanswered: AtomicUsize,
    /// Some of the reasons.
    pub problems: Mutex<Vec<String>>,
}

impl Shared {
    /// With an empty journal.
    pub fn new(journal: Journal) -> Arc<Self> {
        Arc::new(Self { journal, stop: AtomicBool::new(false), unanswered: AtomicUsize::new(0), problems: Mutex::new(Vec::new()) })
    }

    async fn problem(&self, items: usize, what: String) {
        self.unanswered.fetch_add(items, Ordering::Relaxed);
        let mut problems = self.problems.lock().await;
        if problems.len() < 20 {
            problems.push(what);
        }
    }
}

/// One client.
pub struct Load {
    shared: Arc<Shared>,
    client: Client,
    random: StdRng,
    number: usize,
    next: u64,
    past: VecDeque<Item>,
    prefix: String,
}

impl Load {
    /// Number `number` of the run with this seed.
    pub fn new(shared: Arc<Shared>, client: Client, seed: u64, number: usize) -> Self {
        let random = StdRng::seed_from_u64(seed.wrapping_mul(1_000).wrapping_add(number as u64));
        Self { shared, client, random, number, next: 0, past: VecDeque::new(), prefix: format!("s{seed}-c{number}") }
    }

    /// Goes on until the flag is set; what is unanswered then is asked until it is answered.
    pub async fn run(mut self) -> Result<()> {
        while !self.shared.stop.load(Ordering::Relaxed) {
            match self.random.random_range(0..100) {
                0..55 => self.one().await?,
                55..70 => self.list().await?,
                70..78 => self.repeat().await?,
                78..88 => self.cancelled().await?,
                _ => self.switch().await,
            }
            let pause = self.random.random_range(10..50);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        Ok(())
    }

    fn item(&mut self) -> Item {
        self.next += 1;
        let key = format!("{}-{}", self.prefix, self.next);
        let first = self.random.random_range(0..CHANNELS.len());
        let count = [1, 1, 2, CHANNELS.len()][self.random.random_range(0..4)];
        let channels: Vec<&str> = CHANNELS.iter().cycle().skip(first).take(count).copied().collect();
        let priority = PRIORITIES[self.random.random_range(0..PRIORITIES.len())];
        let item = Item::new(key, self.random.random_range(0..RECIPIENTS), &channels, priority);
        self.past.push_back(item.clone());
        if self.past.len() > REMEMBERED {
            self.past.pop_front();
        }
        item
    }

    async fn one(&mut self) -> Result<()> {
        let item = self.item();
        ask(&self.shared, &self.client, &[item], false).await.map(drop)
    }

    async fn list(&mut self) -> Result<()> {
        let count = self.random.random_range(2..12);
        let items: Vec<Item> = (0..count).map(|_| self.item()).collect();
        ask(&self.shared, &self.client, &items, true).await.map(drop)
    }

    /// The same key again, half of the time twice at once.
    async fn repeat(&mut self) -> Result<()> {
        let fresh = self.random.random_bool(0.5);
        let item = if fresh || self.past.is_empty() { self.item() } else { self.past[self.random.random_range(0..self.past.len())].clone() };
        let items = [item];
        if fresh {
            let (first, second) = tokio::join!(ask(&self.shared, &self.client, &items, false), ask(&self.shared, &self.client, &items, true));
            first.and(second).map(drop)
        } else {
            ask(&self.shared, &self.client, &items, false).await.map(drop)
        }
    }

    /// Sends and takes back at once; whether it is still in time is the server's decision.
    async fn cancelled(&mut self) -> Result<()> {
        let item = self.item();
        for id in ask(&self.shared, &self.client, &[item], false).await? {
            let _ = self.client.cancel(&id).await;
        }
        Ok(())
    }

    /// Switches a channel of a recipient that only this client switches; unanswered switches are
    /// left as they are: both outcomes are allowed.
    async fn switch(&mut self) {
        let recipient = self.number % RECIPIENTS;
        let channel = CHANNELS[self.random.random_range(0..CHANNELS.len())];
        let subscribed = self.random.random_bool(0.5);
        let _ = self.client.subscribe(recipient, channel, subscribed).await;
    }
}

/// Asks with the same keys until all are answered; gives the ids.
async fn ask(shared: &Shared, client: &Client, items: &[Item], list: bool) -> Result<Vec<String>> {
    let mut deadline = None;
    loop {
        let answers = match items {
            [item] if !list => client.send(item).await.map(|answer| vec![answer]),
            items => client.send_list(items).await,
        };
        match answers {
            Ok(answers) => return settle(shared, items, answers).await,
            Err(error) => {
                let stopping = shared.stop.load(Ordering::Relaxed);
                if stopping && Instant::now() > *deadline.get_or_insert_with(|| Instant::now() + ANSWERED_WITHIN) {
                    shared.problem(items.len(), format!("{} was never answered: {error:#}", items[0].key)).await;
                    return Ok(Vec::new());
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

async fn settle(shared: &Shared, items: &[Item], answers: Vec<Answer>) -> Result<Vec<String>> {
    let mut promises = Vec::with_capacity(items.len());
    for (item, answer) in items.iter().zip(&answers) {
        match answer {
            Answer::Accepted { id, position } => promises.push((item.key.as_str(), id.as_str(), position.as_str())),
            Answer::Refused(reason) => shared.problem(1, format!("{} was refused: {reason}", item.key)).await,
        }
    }
    shared.journal.promise(&promises)?;
    Ok(promises.into_iter().map(|promise| promise.1.to_owned()).collect())
}
