//! The client: sends, repeats what was not answered with the same key, cancels, opts out.

use crate::api::{Api, Promise};
use crate::process::{Server, Simulators};
use anyhow::Result;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

const RECIPIENTS: usize = 20;
const CLIENTS: u64 = 4;

/// See the module.
pub struct Load {
    api: Api,
    /// Answers, synced before they count.
    pub journal: PathBuf,
    file: Mutex<File>,
    stopping: AtomicBool,
    accepted: AtomicUsize,
}

fn recipient(n: usize) -> String {
    format!("person-{n}")
}

impl Load {
    /// Sets up sender, key and recipients.
    pub async fn prepare(server: &Server, simulators: &Simulators, folder: &Path) -> Result<Self> {
        let administrator = Api::new(&server.address, &server.admin_key()?)?;
        administrator.register_sender("crash").await?;
        let api = Api::new(&server.address, &administrator.sender_key("crash").await?)?;
        for n in 0..RECIPIENTS {
            let id = recipient(n);
            api.recipient(&id, &format!("person{n}@example.com"), &format!("http://{}/hook/{n}", simulators.webhook), &simulators.secret).await?;
            api.device(&id, "ANDROID_PUSH", &format!("good-token-{n}")).await?;
            api.device(&id, "IOS_PUSH", &format!("{n:064x}").replace('0', "b")).await?;
        }
        let journal = folder.join("journal.ndjson");
        let file = File::create(&journal)?;
        Ok(Self { api, journal, file: Mutex::new(file), stopping: AtomicBool::new(false), accepted: AtomicUsize::new(0) })
    }

    /// Notifications promised so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// No new ones; what is unanswered is asked for until it is answered.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn promised(&self, promises: &[(String, Promise)]) -> Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, (id, position)) in promises {
            writeln!(file, "{}", json!({ "key": key, "id": id, "position": position }))?;
        }
        file.sync_data()?;
        self.accepted.fetch_add(promises.len(), Ordering::Relaxed);
        Ok(())
    }

    /// Starts the clients.
    pub fn start(self: &Arc<Self>, seed: u64) -> JoinHandle<Result<()>> {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let load = Arc::clone(self);
                tokio::spawn(async move { load.client(client, StdRng::seed_from_u64(seed ^ (client << 32))).await })
            })
            .collect();
        tokio::spawn(async move {
            for client in clients {
                client.await??;
            }
            Ok(())
        })
    }

    async fn client(&self, client: u64, mut random: StdRng) -> Result<()> {
        let mut round = 0_u64;
        while !self.stopping.load(Ordering::Relaxed) {
            round += 1;
            let count = if random.random_bool(0.5) { 1 } else { random.random_range(2..20) };
            let keys: Vec<(String, String)> = (0..count).map(|n| (format!("c{client}-r{round}-{n}"), recipient(random.random_range(0..RECIPIENTS)))).collect();
            let mut promises = self.until_answered(&keys).await?;
            if random.random_bool(0.1) {
                // A client that did not believe its answer asks again: the same id and position.
                promises = self.until_answered(&keys).await?;
            }
            if random.random_bool(0.1)
                && let Some((_, (id, _))) = promises.first()
            {
                // May come too late, and may fail with the server: both are fine.
                let _ = self.api.cancel(id).await;
            }
            if random.random_bool(0.05) {
                let who = recipient(random.random_range(0..RECIPIENTS));
                let channel = ["EMAIL", "WEBHOOK", "ANDROID_PUSH", "IOS_PUSH"][random.random_range(0..4_usize)];
                let _ = self.api.subscribe(&who, channel, random.random_bool(0.5)).await;
            }
            tokio::time::sleep(Duration::from_millis(random.random_range(1..25))).await;
        }
        Ok(())
    }

    /// Asks with the same keys until it is answered, as a good client does.
    async fn until_answered(&self, keys: &[(String, String)]) -> Result<Vec<(String, Promise)>> {
        loop {
            let answer = match keys {
                [(key, who)] => self.api.send(Api::item(key, who)).await.map(|promise| vec![promise]),
                _ => self.api.send_list(keys.iter().map(|(key, who)| Api::item(key, who)).collect()).await,
            };
            if let Ok(promises) = answer {
                let promises: Vec<(String, Promise)> = keys.iter().map(|(key, _)| key.clone()).zip(promises).collect();
                self.promised(&promises)?;
                return Ok(promises);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
