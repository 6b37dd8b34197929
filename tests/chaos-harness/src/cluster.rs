//! Everything that is under test, as processes: replicas behind their proxies, one Postgres, one
//! Redis, the providers.

use crate::clocks::{self, Clock};
use crate::kinds::Kind;
use crate::load::RECIPIENTS;
use crate::proxy::Proxy;
use crate::replica::Replica;
use crate::waits;
use anyhow::{Context as _, Result, bail};
use crash_harness::api::{self, Addresses, Client};
use crash_harness::server::{self, Paths};
use crash_harness::simulators::Simulators;
use rand::RngExt as _;
use rand::rngs::StdRng;
use services::{Postgres, Redis, postgres, redis};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::process::Child;

/// Longest provider call that the replicas are allowed.
pub const CALL_WITHIN: Duration = Duration::from_secs(3);
/// Longest wait of a client for one answer: shorter than a replica stands still.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
/// Below the ports that the kernel gives to outgoing connections, and above those of `services`.
const PORTS: std::ops::Range<u16> = 22_100..32_000;
const SENDER: &str = "load";

/// What a run is made of.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The server's binary.
    pub binary: PathBuf,
    /// The folder of this run.
    pub root: PathBuf,
    /// How many replicas.
    pub replicas: usize,
    /// Fault planted in the server.
    pub planted: Option<String>,
}

/// See the module.
pub struct Cluster {
    /// The replicas.
    pub replicas: Vec<Arc<Replica>>,
    /// Each replica's way to Postgres.
    pub proxies: Arc<Vec<Proxy>>,
    /// Each replica's clock, where clocks can be wrong.
    pub clocks: Vec<Clock>,
    /// The log's database.
    pub postgres: Postgres,
    /// The queue, where the server knows one.
    pub redis: Option<Redis>,
    /// The providers.
    pub simulators: Simulators,
    /// The database's URL, past the proxies.
    pub url: String,
    /// A client of each replica, with a sender's key.
    pub senders: Vec<Client>,
    /// A client of each replica, with the administrator's key.
    pub administrators: Vec<Client>,
    watches: Vec<tokio::task::JoinHandle<Result<()>>>,
    simulating: Child,
}

/// Whether the server can be told of a Redis.
fn knows_redis(binary: &Path) -> Result<bool> {
    let told = Command::new(binary).args(["config", "reference"]).output()?;
    Ok(String::from_utf8_lossy(&told.stdout).contains("[redis]"))
}

/// How large Postgres' own disk is, where it is to be filled and that can be done: in memory, so not larger than
/// the longest run needs.
fn disk(kinds: &[Kind]) -> Option<u64> {
    (kinds.contains(&Kind::FullDisk) && services::disk::possible()).then_some(3_072)
}

/// Not by the seed: runs of one seed work beside each other.
fn free_port() -> Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..200 {
        let step = std::process::id().wrapping_mul(97).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + u16::try_from(step % u32::from(PORTS.end - PORTS.start))?;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port between {} and {} is free", PORTS.start, PORTS.end)
}

/// Retries short enough for a test, and calls that end before anybody loses patience.
fn configure(root: &Path) -> Result<()> {
    Ok(std::fs::write(root.join("bongsu.toml"), api::config(&root.join("simulators"))?)?)
}

impl Cluster {
    /// Starts everything; gives it once each replica serves and there are recipients. Of the kinds of
    /// faults only clock shifts must be known beforehand.
    pub async fn start(setting: &Setting, kinds: &[Kind], seed: u64, random: &mut StdRng) -> Result<Self> {
        let paths = Paths { binary: setting.binary.clone(), root: setting.root.clone() };
        let (simulating, addresses) = server::start_simulators(&paths, seed).await?;
        let simulators = Simulators::new(&addresses)?;
        configure(&setting.root)?;
        let postgres = Postgres::start(postgres::Settings { disk: disk(kinds), ..postgres::Settings::default().option("max_connections", "300") })?;
        let url = postgres.database()?;
        let redis = if knows_redis(&setting.binary)? { Some(Redis::start(&redis::Settings::default())?) } else { None };
        let library = clocks::library().filter(|_| kinds.contains(&Kind::ShiftClock));
        let (mut replicas, mut proxies, mut clocks) = (Vec::new(), Vec::new(), Vec::new());
        let master: String = (0..32).map(|_| format!("{:02x}", random.random::<u8>())).collect();
        for number in 0..setting.replicas {
            let proxy = Proxy::to(postgres.port()).await?;
            let mut environment = vec![
                ("BONGSU_STORAGE__PROFILE".to_owned(), "cluster".to_owned()),
                ("BONGSU_POSTGRES__URL".to_owned(), proxy.url(&url, postgres.port())),
                ("BONGSU_MASTER_KEY".to_owned(), master.clone()),
            ];
            if let Some(redis) = &redis {
                environment.push(("BONGSU_REDIS__URL".to_owned(), redis.url()));
                // One replica alone would keep its queue to itself, several keep what is young: then little would
                // disturb the one in Redis.
                if setting.replicas == 1 || seed.is_multiple_of(2) {
                    environment.push(("BONGSU_REDIS__QUEUE".to_owned(), "always".to_owned()));
                }
            }
            environment.extend(setting.planted.clone().map(|planted| ("BONGSU_PLANTED_FAULT".to_owned(), planted)));
            for provider in ["FCM", "APNS", "SMTP", "WEBHOOK"] {
                environment.push((format!("BONGSU_PROVIDERS__{provider}__TIMEOUT"), format!("{}s", CALL_WITHIN.as_secs())));
            }
            if let Some(library) = &library {
                let (clock, variables) = Clock::new(&setting.root, number, library)?;
                clocks.push(clock);
                environment.extend(variables);
            }
            replicas.push(Replica::new(number, &setting.binary, &setting.root, free_port()?, environment));
            proxies.push(proxy);
        }
        let mut cluster = Self {
            watches: replicas.iter().map(|replica| tokio::spawn(Arc::clone(replica).watch())).collect(),
            proxies: Arc::new(proxies),
            senders: Vec::new(),
            administrators: Vec::new(),
            replicas,
            clocks,
            postgres,
            redis,
            simulators,
            url,
            simulating,
        };
        cluster.prepare(&addresses).await?;
        Ok(cluster)
    }

    /// The first replica makes the tables and the administrator's key; then the others.
    async fn prepare(&mut self, addresses: &Addresses) -> Result<()> {
        let first = self.replicas.first().context("no replica was asked for")?;
        first.start().await?;
        first.ready().await?;
        let administrator = Client::new(&first.base(), &api::admin_key(&first.data())?)?;
        for replica in self.replicas.iter().skip(1) {
            replica.start().await?;
        }
        let sender = administrator.create_sender(SENDER).await?;
        waits::define(&administrator).await?;
        let secret = self.simulators.webhook_secret().await?;
        for number in 0..RECIPIENTS {
            administrator.create_recipient(number, &addresses.webhook, &secret).await?;
        }
        for replica in &self.replicas {
            replica.ready().await?;
            self.senders.push(sender.at(&replica.base(), ANSWER_WITHIN)?);
            self.administrators.push(administrator.at(&replica.base(), Duration::from_secs(60))?);
        }
        Ok(())
    }

    /// Ends replicas and providers; Postgres goes when this is dropped.
    pub async fn stop(self) -> Result<()> {
        for watch in &self.watches {
            watch.abort();
        }
        for replica in &self.replicas {
            replica.kill().await?;
        }
        server::stop(self.simulating).await.map(drop)
    }
}
