//! The clients: they ask any replica, again and elsewhere where there is no answer, and never give up
//! on a key. Each also turns the switches of recipients that are its own, right behind requests for them.

use crate::journal::{Journal, now};
use crate::waits;
use anyhow::Result;
use crash_harness::api::{Answer, CHANNELS, Client, Item, PRIORITIES, recipient_id};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Recipients in all.
pub const RECIPIENTS: usize = 24;
/// Of these, those who get what waits.
const CROWDED: usize = 4;
/// Keys that a client remembers for repeats.
const REMEMBERED: usize = 64;
/// Pause before an unanswered request is repeated.
const AGAIN: Duration = Duration::from_millis(50);

/// What the clients share.
#[derive(Debug)]
pub struct Shared {
    /// Promises.
    pub journal: Journal,
    /// A client of each replica.
    pub replicas: Vec<Client>,
    /// No new requests from now on.
    pub stop: AtomicBool,
    /// Items that were refused or never answered: none should be.
    pub unanswered: AtomicUsize,
    /// After the faults ended everything must be answered within this.
    pub answered_within: Duration,
    /// Requests that had to be repeated.
    pub repeated: AtomicUsize,
    /// Some of the reasons.
    pub problems: Mutex<Vec<String>>,
}

impl Shared {
    /// With an empty journal.
    pub fn new(journal: Journal, replicas: Vec<Client>, answered_within: Duration) -> Arc<Self> {
        let (stop, unanswered, repeated) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { journal, replicas, stop, unanswered, answered_within, repeated, problems: Mutex::new(Vec::new()) })
    }

    /// Notes what should not have happened.
    pub async fn problem(&self, items: usize, what: String) {
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
    random: StdRng,
    number: usize,
    next: u64,
    past: VecDeque<Item>,
    prefix: String,
    off: Vec<(usize, Value)>,
    pause: (u64, u64),
    clients: usize,
}

impl Load {
    /// Number `number` of `clients` of the run with this seed.
    pub fn new(shared: Arc<Shared>, seed: u64, number: usize, clients: usize) -> Self {
        let random = StdRng::seed_from_u64(seed.wrapping_mul(1_000).wrapping_add(number as u64));
        let prefix = format!("s{seed}-c{number}");
        Self { shared, random, number, next: 0, past: VecDeque::new(), prefix, off: Vec::new(), pause: (10, 60), clients }
    }

    /// Goes on until the flag is set; what is unanswered then is asked until it is answered.
    pub async fn run(mut self) -> Result<()> {
        while !self.shared.stop.load(Ordering::Relaxed) {
            match self.random.random_range(0..100) {
                0..24 => self.one().await?,
                24..34 => self.list().await?,
                34..48 => self.repeat().await?,
                48..54 => self.cancelled().await?,
                54..72 => self.waiting().await?,
                72..77 => self.undisturbed().await?,
                77..80 => self.scheduled().await?,
                80..92 => self.leave().await?,
                _ => self.join().await?,
            }
            let pause = self.random.random_range(self.pause.0..self.pause.1);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        Ok(())
    }

    fn item_for(&mut self, recipient: usize, channels: &[&str]) -> (usize, Item) {
        self.next += 1;
        let priority = PRIORITIES[self.random.random_range(0..PRIORITIES.len())];
        let item = Item::new(format!("{}-{}", self.prefix, self.next), recipient, channels, priority);
        self.past.push_back(item.clone());
        if self.past.len() > REMEMBERED {
            self.past.pop_front();
        }
        (self.replica(), item)
    }

    fn item(&mut self) -> (usize, Item) {
        let first = self.random.random_range(0..CHANNELS.len());
        let count = [1, 1, 2, CHANNELS.len()][self.random.random_range(0..4)];
        let channels: Vec<&str> = CHANNELS.iter().cycle().skip(first).take(count).copied().collect();
        let recipient = self.random.random_range(0..RECIPIENTS);
        self.item_for(recipient, &channels)
    }

    fn replica(&mut self) -> usize {
        self.random.random_range(0..self.shared.replicas.len())
    }

    async fn one(&mut self) -> Result<()> {
        let (replica, item) = self.item();
        ask(&self.shared, replica, &[item], false).await.map(drop)
    }

    async fn list(&mut self) -> Result<()> {
        let count = self.random.random_range(2..12);
        let items: Vec<Item> = (0..count).map(|_| self.item().1).collect();
        let replica = self.replica();
        ask(&self.shared, replica, &items, true).await.map(drop)
    }

    /// One key, at once at several replicas; or a key of before, at any.
    async fn repeat(&mut self) -> Result<()> {
        let fresh = self.random.random_bool(0.5) || self.past.is_empty();
        let item = if fresh { self.item().1 } else { self.past[self.random.random_range(0..self.past.len())].clone() };
        let (replica, items) = (self.replica(), [item]);
        if fresh {
            let asked = |step: usize, list: bool| ask(&self.shared, replica + step, &items, list);
            let (one, two, three) = tokio::join!(asked(0, false), asked(1, true), asked(2, false));
            one.and(two).and(three).map(drop)
        } else {
            ask(&self.shared, replica, &items, false).await.map(drop)
        }
    }

    /// Sends and takes back at once; whether it is still in time is the server's decision.
    async fn cancelled(&mut self) -> Result<()> {
        let (replica, item) = self.item();
        for id in ask(&self.shared, replica, &[item], false).await? {
            let other = self.replica();
            let _ = self.shared.replicas[other].cancel(&id).await;
        }
        Ok(())
    }

    fn fresh_key(&mut self) -> String {
        self.next += 1;
        format!("{}-{}", self.prefix, self.next)
    }

    /// Sends a few that do not go out at once; takes some back, and shows some to their recipients.
    async fn waiting(&mut self) -> Result<()> {
        // Few, so that limits are met and windows hold more than one.
        let recipient = self.random.random_range(0..CROWDED);
        let count = self.random.random_range(1..6);
        let mut category = waits::category(&mut self.random);
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            if self.random.random_bool(0.3) {
                category = waits::category(&mut self.random);
            }
            let key = self.fresh_key();
            items.push(waits::item(&mut self.random, category, key, recipient, now()));
        }
        self.past.extend(items.iter().cloned());
        while self.past.len() > REMEMBERED {
            self.past.pop_front();
        }
        let replica = self.replica();
        for id in ask(&self.shared, replica, &items, true).await? {
            let other = self.replica();
            match self.random.random_range(0..10) {
                0..3 => drop(self.shared.replicas[other].cancel(&id).await),
                3..4 => drop(self.shared.replicas[other].seen(recipient, &id).await),
                _ => {}
            }
        }
        Ok(())
    }

    /// Somebody is not to be disturbed for some seconds. Whether it was answered does not matter: the log tells.
    async fn undisturbed(&mut self) -> Result<()> {
        let (recipient, replica) = (self.random.random_range(0..RECIPIENTS), self.replica());
        let until = waits::after(now(), self.random.random_range(1_000..4_000));
        let _ = self.shared.replicas[replica].do_not_disturb(recipient, &until).await;
        Ok(())
    }

    /// Something at a moment soon.
    async fn scheduled(&mut self) -> Result<()> {
        let (recipient, replica) = (self.random.random_range(0..RECIPIENTS), self.replica());
        let (key, at) = (self.fresh_key(), waits::after(now(), self.random.random_range(1_000..4_000)));
        let _ = self.shared.replicas[replica].schedule(recipient, &key, &at).await;
        Ok(())
    }

    /// Sends some to a recipient of its own, and opts them out at another replica at once.
    async fn leave(&mut self) -> Result<()> {
        let own = RECIPIENTS / self.clients.max(1);
        let recipient = self.number + self.clients * self.random.random_range(0..own.max(1));
        let channel = CHANNELS[self.random.random_range(0..CHANNELS.len())];
        let (scope, field, value) = match self.random.random_range(0..8) {
            0..5 => (json!({ "scope": "CHANNEL", "channel": channel }), "category", "general"),
            5 => (json!({ "scope": "CATEGORY", "category": waits::NEWS }), "category", waits::NEWS),
            6 => (json!({ "scope": "CATEGORY_CHANNEL", "category": waits::OFFERS, "channel": channel }), "category", waits::OFFERS),
            _ => (json!({ "scope": "TOPIC", "topic": waits::TOPIC }), "topic", waits::TOPIC),
        };
        let switch = (recipient, scope);
        if recipient >= RECIPIENTS || self.off.contains(&switch) {
            return Ok(());
        }
        let count = self.random.random_range(1..6);
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            let mut item = self.item_for(recipient, &[channel]).1;
            item.input[field] = json!(value);
            // Some wait until they are unwanted.
            if self.random.random_bool(0.3) {
                item.input["sendAt"] = json!(waits::after(now(), self.random.random_range(100..1_500)));
            }
            // A repeat of the same key is the same request.
            if let Some(remembered) = self.past.back_mut() {
                *remembered = item.clone();
            }
            items.push(item);
        }
        let replica = self.replica();
        ask(&self.shared, replica, &items, true).await?;
        if self.turned(&switch, false, 30).await?.is_some() {
            self.note(&switch, "left")?;
            self.off.push(switch);
        }
        Ok(())
    }

    /// Opts in again what it has opted out.
    async fn join(&mut self) -> Result<()> {
        if self.off.is_empty() {
            return Ok(());
        }
        let index = self.random.random_range(0..self.off.len());
        let switch = self.off.swap_remove(index);
        // Before it is asked: from now on it may happen.
        self.note(&switch, "joining")?;
        if self.turned(&switch, true, 30).await? == Some(0) {
            self.note(&switch, "joined")?;
        }
        Ok(())
    }

    /// Turns a switch until that is answered; how many requests were not. None where it gave up.
    async fn turned(&mut self, (recipient, scope): &(usize, Value), on: bool, tries: usize) -> Result<Option<usize>> {
        for failed in 0..tries {
            let replica = self.replica();
            if self.shared.replicas[replica].switch(*recipient, scope, on).await.is_ok() {
                return Ok(Some(failed));
            }
            tokio::time::sleep(AGAIN).await;
        }
        Ok(None)
    }

    fn note(&self, (recipient, scope): &(usize, Value), what: &str) -> Result<()> {
        let channel = scope["channel"].as_str().unwrap_or_default().to_lowercase();
        let line = json!({
            "recipient": recipient_id(*recipient), "channel": channel, "category": scope["category"].as_str().unwrap_or_default(),
            "topic": scope["topic"].as_str().unwrap_or_default(), "what": what, "at": now(),
        });
        self.shared.journal.write(&[line])
    }
}

/// Asks with the same keys, each time another replica, until all are answered; gives the ids.
pub async fn ask(shared: &Shared, first: usize, items: &[Item], list: bool) -> Result<Vec<String>> {
    let mut deadline = None;
    for step in 0.. {
        let client = &shared.replicas[(first + step) % shared.replicas.len()];
        let answers = match items {
            [item] if !list => client.send(item).await.map(|answer| vec![answer]),
            items => client.send_list(items).await,
        };
        // Many at once with one key may all be told to ask again; that is an answer that costs nothing.
        let again = answers.as_ref().is_ok_and(|answers| answers.iter().any(|answer| matches!(answer, Answer::Refused(reason) if is_passing(reason))));
        match answers {
            Ok(answers) if !again => return settle(shared, items, answers).await,
            failed => {
                shared.repeated.fetch_add(1, Ordering::Relaxed);
                let stopping = shared.stop.load(Ordering::Relaxed);
                if stopping && Instant::now() > *deadline.get_or_insert_with(|| Instant::now() + shared.answered_within) {
                    let reason = failed.err().map_or_else(|| "contended".to_owned(), |error| format!("{error:#}"));
                    shared.problem(items.len(), format!("{} was never answered: {reason}", items[0].key)).await;
                    return Ok(Vec::new());
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
    Ok(Vec::new())
}

/// Refusals that say nothing of the request.
fn is_passing(reason: &str) -> bool {
    ["CONTENDED", "UNAVAILABLE", "OVERLOADED", "TOO_BUSY"].iter().any(|code| reason.starts_with(code))
}

async fn settle(shared: &Shared, items: &[Item], answers: Vec<Answer>) -> Result<Vec<String>> {
    let acked = now();
    let (mut promises, mut ids) = (Vec::<Value>::new(), Vec::new());
    for (item, answer) in items.iter().zip(&answers) {
        match answer {
            Answer::Accepted { id, position } => {
                promises.push(json!({ "key": item.key, "id": id, "position": position, "recipient": item.input["recipient"], "acked": acked }));
                ids.push(id.clone());
            }
            Answer::Refused(reason) => shared.problem(1, format!("{} was refused: {reason}", item.key)).await,
        }
    }
    shared.journal.write(&promises)?;
    Ok(ids)
}
