//! Simulators and server as processes of their own, and what the operating system says of them.

use super::super::exit::CliError;
use super::stores::Stores;
use super::target::Target;
use serde_json::Value;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// CPU time so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cpu {
    pub server: Duration,
    pub simulators: Duration,
    pub postgres: Duration,
    pub redis: Duration,
}

/// See the module.
pub(super) struct Processes {
    simulators: Child,
    servers: Vec<Child>,
    stores: Stores,
    folder: PathBuf,
    replicas: u64,
    admin: String,
    webhook: String,
    /// Who is measured.
    pub target: Target,
    /// Where the servers listen.
    pub addresses: Vec<String>,
    pub client: reqwest::Client,
}

fn failure(error: impl std::fmt::Display) -> CliError {
    CliError::failure(error.to_string())
}

async fn ready(path: &Path, child: &mut Child) -> Result<Value, CliError> {
    let began = Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(path)
            && let Ok(json) = serde_json::from_str(&text)
        {
            return Ok(json);
        }
        if child.try_wait().map_err(failure)?.is_some() || began.elapsed() > Duration::from_secs(60) {
            return Err(failure(format!("a process did not start; its output is beside {}", path.display())));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn spawn(folder: &Path, stores: &Stores, arguments: &[&OsStr], log: &str) -> Result<Child, CliError> {
    let output = std::fs::File::create(folder.join(log)).map_err(failure)?;
    Command::new(std::env::current_exe().map_err(failure)?)
        .args(arguments)
        .envs(stores.variables().iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(output.try_clone().map_err(failure)?)
        .stderr(output)
        .kill_on_drop(true)
        .spawn()
        .map_err(failure)
}

impl Processes {
    pub(super) async fn start(folder: &Path, stores: Stores, replicas: u64, target: Target) -> Result<Self, CliError> {
        std::fs::create_dir_all(folder).map_err(failure)?;
        let (state, first) = (folder.join("simulators"), folder.join("simulators.json"));
        let arguments = ["simulate".as_ref(), "--state".as_ref(), state.as_ref(), "--ready-file".as_ref(), first.as_ref()];
        let mut simulators = spawn(folder, &stores, &arguments, "simulators.log")?;
        let addresses = ready(&first, &mut simulators).await?;
        let config = folder.join("bench.toml");
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(256).build().map_err(failure)?;
        let admin = addresses["admin"].as_str().unwrap_or_default().to_owned();
        let credentials = client.get(format!("http://{admin}/_sim/credentials")).send().await.map_err(failure)?.json().await.map_err(failure)?;
        std::fs::write(&config, target.config(&addresses, &credentials, &state)?).map_err(failure)?;
        let mut processes = Self {
            simulators,
            servers: Vec::new(),
            stores,
            folder: folder.to_owned(),
            replicas: replicas.max(1),
            admin,
            webhook: addresses["webhook"].as_str().unwrap_or_default().to_owned(),
            target,
            addresses: Vec::new(),
            client,
        };
        processes.serve().await?;
        Ok(processes)
    }

    /// Starts the servers.
    async fn serve(&mut self) -> Result<(), CliError> {
        let folder = &self.folder;
        let config = folder.join("bench.toml");
        for number in 1..=self.replicas {
            let (data, second) = (folder.join(format!("data-{number}")), folder.join(format!("server-{number}.json")));
            // From before a restart.
            drop(std::fs::remove_file(&second));
            if number > 1 {
                std::fs::create_dir_all(&data).map_err(failure)?;
                std::fs::copy(folder.join("data-1/master.key"), data.join("master.key")).map_err(failure)?;
            }
            let arguments: [&OsStr; 9] = [
                "serve".as_ref(),
                "--data".as_ref(),
                data.as_ref(),
                "--listen".as_ref(),
                "127.0.0.1:0".as_ref(),
                "--config".as_ref(),
                config.as_ref(),
                "--ready-file".as_ref(),
                second.as_ref(),
            ];
            let mut server = spawn(folder, &self.stores, &arguments, &format!("server-{number}.log"))?;
            let listen = ready(&second, &mut server).await?;
            self.addresses.push(listen["listen"].as_str().unwrap_or_default().to_owned());
            self.servers.push(server);
        }
        Ok(())
    }

    /// Stops the servers, copies what they have stored so many times, and starts them again.
    pub(super) async fn copy(&mut self, copies: u64) -> Result<(), CliError> {
        // The consumers come to rest: where they stand is moved on behind the copies.
        self.settle().await?;
        self.halt().await?;
        self.stores.copy(copies).await?;
        self.serve().await
    }

    pub(super) fn admin_key(&self) -> Result<String, CliError> {
        std::fs::read_to_string(self.folder.join("data-1/admin.key")).map(|key| key.trim().to_owned()).map_err(failure)
    }

    async fn simulators(&self, path: &str) -> Result<String, CliError> {
        self.client.get(format!("http://{}/_sim/{path}", self.admin)).send().await.map_err(failure)?.text().await.map_err(failure)
    }

    /// The receiver of webhooks, and what signs them.
    pub(super) async fn webhook(&self) -> Result<(String, String), CliError> {
        let credentials: Value = serde_json::from_str(&self.simulators("credentials").await?).map_err(failure)?;
        Ok((format!("http://{}/hooks", self.webhook), credentials["webhook_secret"].as_str().unwrap_or_default().to_owned()))
    }

    /// Makes a provider misbehave.
    pub(super) async fn rule(&self, provider: &str, action: &Value) -> Result<(), CliError> {
        let request = self.client.post(format!("http://{}/_sim/rules", self.admin)).json(&serde_json::json!({ "provider": provider, "action": action }));
        request.send().await.and_then(reqwest::Response::error_for_status).map(drop).map_err(failure)
    }

    /// Everybody works again.
    pub(super) async fn behave(&self) -> Result<(), CliError> {
        let request = self.client.delete(format!("http://{}/_sim/rules", self.admin));
        request.send().await.and_then(reqwest::Response::error_for_status).map(drop).map_err(failure)
    }

    /// Takes the provider down, or lets it work again.
    pub(super) async fn provider_is_down(&self, down: bool) -> Result<(), CliError> {
        if down { self.rule(self.target.name(), &Value::from("outage")).await } else { self.behave().await }
    }

    /// The newest entry of the ledger.
    pub(super) async fn last_entry(&self) -> Result<u64, CliError> {
        let counters: Value = serde_json::from_str(&self.simulators("counters").await?).map_err(failure)?;
        Ok(counters["last_seq"].as_u64().unwrap_or(0))
    }

    /// Deliveries and repeats so far.
    pub(super) async fn counters(&self) -> Result<(u64, u64), CliError> {
        let counters: Value = serde_json::from_str(&self.simulators("counters").await?).map_err(failure)?;
        let of = |name: &str| counters[self.target.name()][name].as_u64().unwrap_or(0);
        Ok((of("delivered"), of("duplicates")))
    }

    /// Waits until so many have arrived; gives up when nothing arrives for a minute.
    pub(super) async fn wait_delivered(&self, count: u64) -> Result<(), CliError> {
        let (mut last, mut moved) = (0, Instant::now());
        loop {
            let (delivered, _) = self.counters().await?;
            if delivered >= count {
                return Ok(());
            }
            if delivered > last {
                (last, moved) = (delivered, Instant::now());
            }
            if moved.elapsed() > Duration::from_secs(60) {
                return Err(failure(format!("{delivered} of {count} arrived, and nothing more for a minute")));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// When each notification arrived (ms since the epoch), of the newest ones.
    pub(super) async fn arrivals(&self, after: u64) -> Result<HashMap<String, i64>, CliError> {
        let mut arrivals = HashMap::new();
        for line in self.simulators(&format!("ledger?after={after}&limit=200000")).await?.lines() {
            let entry: Value = serde_json::from_str(line).map_err(failure)?;
            let at = entry["at"].as_str().and_then(|at| chrono::DateTime::parse_from_rfc3339(at).ok());
            if entry["delivered"] != true {
                continue;
            }
            if let (Some(id), Some(at)) = (entry["notification"].as_str(), at) {
                arrivals.insert(id.to_owned(), at.timestamp_millis());
            }
        }
        Ok(arrivals)
    }

    fn cpu_of(child: &Child) -> Result<Duration, CliError> {
        super::measure::cpu_of(child.id().ok_or_else(|| failure("a process has ended"))?)
    }

    pub(super) fn cpu(&self) -> Result<Cpu, CliError> {
        let server = self.servers.iter().map(Self::cpu_of).sum::<Result<_, _>>()?;
        let (postgres, redis) = self.stores.cpu()?;
        Ok(Cpu { server, simulators: Self::cpu_of(&self.simulators)?, postgres, redis })
    }

    /// Resident memory of the first server now and at its highest, in MB.
    pub(super) fn rss(&self) -> Result<(u64, u64), CliError> {
        let id = self.servers.first().and_then(Child::id).ok_or_else(|| failure("the server has ended"))?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).map_err(failure)?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024;
        Ok((field("VmRSS:"), field("VmHWM:")))
    }

    /// Lets the consumers catch up, and says how many bytes the data have.
    pub(super) async fn settle(&self) -> Result<u64, CliError> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.stores.bytes().await
    }

    async fn halt(&mut self) -> Result<(), CliError> {
        self.addresses.clear();
        for mut server in self.servers.drain(..) {
            if let Some(id) = server.id() {
                Command::new("kill").args(["-TERM", &id.to_string()]).status().await.map_err(failure)?;
                let ended = tokio::time::timeout(Duration::from_secs(30), server.wait()).await;
                if !matches!(ended, Ok(Ok(status)) if status.success()) {
                    return Err(failure("the server did not stop in order"));
                }
            }
        }
        Ok(())
    }

    pub(super) async fn stop(&mut self) -> Result<(), CliError> {
        self.halt().await?;
        self.simulators.kill().await.map_err(failure)?;
        self.stores.remove().await
    }
}
