//! What is raced on: replicas over Postgres and Redis, or one process on its own files.

use crate::cluster::{Cluster, Setting};
use crate::judge::{self, Records};
use anyhow::{Context as _, Result};
use auditor::{Inputs, postgres};
use crash_harness::api::{self, Client};
use crash_harness::quiet;
use crash_harness::server::{self, Ended, Paths, Server};
use crash_harness::simulators::Simulators;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use std::path::PathBuf;
use std::time::Duration;
use tokio::process::Child;

/// See the module.
pub struct Rig {
    /// A client of each replica, with a sender's key.
    pub senders: Vec<Client>,
    /// A client of each replica, with the administrator's key.
    pub administrators: Vec<Client>,
    /// The providers.
    pub simulators: Simulators,
    /// The webhook receiver's address.
    pub webhook: String,
    /// Where the log is.
    pub log: Log,
    printed: Vec<PathBuf>,
    kept: Kept,
}

enum Kept {
    Several(Box<Cluster>),
    One { server: Box<Server>, simulating: Child },
}

/// Where the log is.
pub enum Log {
    /// In the database of this URL.
    Postgres(String),
    /// In this file.
    File(PathBuf),
}

impl Log {
    /// Returns once nothing is owed; else what is.
    pub async fn drained(&self, within: Duration) -> Result<(), String> {
        match self {
            Self::Postgres(url) => judge::drained(url, within).await.map(drop),
            Self::File(path) => quiet::wait(path).await.map(drop).map_err(|error| format!("{error:#}")),
        }
    }

    /// What it has after a position, with the other records.
    pub async fn read(&self, after: u64, records: &Records) -> Result<Inputs> {
        match self {
            Self::Postgres(url) => postgres::read_after(url, after, &records.journal(), &records.ledger(), &records.faults()).await,
            Self::File(path) => Inputs::read_after(path, after, &records.journal(), &records.ledger()),
        }
    }
}

impl Rig {
    /// Starts everything; gives it once each replica serves.
    pub async fn start(setting: &Setting, embedded: bool, seed: u64) -> Result<Self> {
        if embedded { Self::one(setting, seed).await } else { Self::several(setting, seed).await }
    }

    async fn several(setting: &Setting, seed: u64) -> Result<Self> {
        let cluster = Cluster::start(setting, &[], seed, &mut StdRng::seed_from_u64(seed)).await?;
        Ok(Self {
            senders: cluster.senders.clone(),
            administrators: cluster.administrators.clone(),
            simulators: cluster.simulators.clone(),
            webhook: cluster.webhook.clone(),
            log: Log::Postgres(cluster.url.clone()),
            printed: cluster.replicas.iter().map(|replica| replica.log()).collect(),
            kept: Kept::Several(Box::new(cluster)),
        })
    }

    async fn one(setting: &Setting, seed: u64) -> Result<Self> {
        let paths = Paths { binary: setting.binary.clone(), root: setting.root.clone() };
        let (simulating, addresses) = server::start_simulators(&paths, seed).await?;
        let planted = setting.planted.clone().map(|planted| ("BONGSU_PLANTED_FAULT".to_owned(), planted));
        let mut server = Server::new(paths)?.with_environment(planted.into_iter().collect());
        server.spawn(None)?;
        anyhow::ensure!(server.wait_ready().await? == Ended::Running, "the server ended while it started");
        let administrator = Client::new(&server.base(), &api::admin_key(&server.data())?)?;
        let sender = administrator.create_sender("load").await?;
        Ok(Self {
            senders: vec![sender],
            administrators: vec![administrator],
            simulators: Simulators::new(&addresses)?,
            webhook: addresses.webhook,
            log: Log::File(server.log()),
            printed: vec![setting.root.join("server.log")],
            kept: Kept::One { server: Box::new(server), simulating },
        })
    }

    /// What the replicas printed of panics.
    pub fn panics(&self) -> Vec<String> {
        let texts = self.printed.iter().map(|path| std::fs::read_to_string(path).unwrap_or_default());
        texts.flat_map(|text| text.lines().filter(|line| line.contains("panicked at")).map(ToOwned::to_owned).collect::<Vec<_>>()).collect()
    }

    /// Ends everything.
    pub async fn stop(self) -> Result<()> {
        match self.kept {
            Kept::Several(cluster) => cluster.stop().await,
            Kept::One { mut server, simulating } => {
                server.stop().await.context("stopping the server")?;
                server::stop(simulating).await.map(drop)
            }
        }
    }
}
