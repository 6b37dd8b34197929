//! A further server on the same stores.

use crate::app::App;
use crate::client::Client;
use crate::process::Process;
use anyhow::{Context, Result};
use std::path::PathBuf;

/// A replica beside the scenario's own server; killed when it is dropped.
#[derive(Debug)]
pub struct Replica {
    /// A client of it, with the administrator's key.
    pub admin: Client,
    /// Its process.
    pub process: Process,
    log: PathBuf,
}

impl Replica {
    /// A client of it, with the credential of another one.
    #[must_use]
    pub fn client(&self, of: &Client) -> Client {
        self.admin.with(of.credential())
    }

    /// What it printed so far.
    pub fn printed(&self) -> Result<String> {
        Ok(std::fs::read_to_string(&self.log)?)
    }

    /// Kills it as a power cut would.
    pub async fn kill(mut self) -> Result<()> {
        self.process.signal("KILL").await?;
        self.process.ended().await.map(drop)
    }
}

impl App {
    /// Starts a further server with a data folder of its own; `arguments` and `environment` come on top
    /// of what the scenario's own server has.
    pub async fn replica(&self, name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Replica> {
        let data = self.root().join(name);
        std::fs::create_dir_all(&data)?;
        std::fs::copy(self.data().join("master.key"), data.join("master.key"))?;
        let (ready, log) = (self.root().join(format!("{name}.ready")), self.root().join(format!("{name}.log")));
        let _ = std::fs::remove_file(&ready);
        let (folder, config, ready_file) = (data.display().to_string(), self.config().display().to_string(), ready.display().to_string());
        let mut all = vec!["serve", "--data", &folder, "--listen", "127.0.0.1:0", "--config", &config, "--ready-file", &ready_file];
        all.extend(arguments);
        let mut variables = self.variables();
        variables.extend(environment);
        let mut process = Process::start(&all, self.root(), &variables, &log)?;
        let told: serde_json::Value = serde_json::from_str(&process.ready(&ready).await?)?;
        let listen = told["listen"].as_str().with_context(|| format!("the ready file names no address: {told}"))?;
        Ok(Replica { admin: Client::new(&format!("http://{listen}"), self.admin.credential())?, process, log })
    }
}
