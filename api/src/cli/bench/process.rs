//! Simulators and server as processes of their own, and what the operating system says of them.

use super::super::exit::CliError;
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// CPU time so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cpu {
    pub server: Duration,
    pub simulators: Duration,
}

/// See the module.
pub(super) struct Processes {
    simulators: Child,
    server: Child,
    folder: PathBuf,
    admin: String,
    pub address: String,
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

impl Processes {
    pub(super) async fn start(folder: &Path) -> Result<Self, CliError> {
        std::fs::create_dir_all(folder).map_err(failure)?;
        let binary = std::env::current_exe().map_err(failure)?;
        let spawn = |arguments: &[&std::ffi::OsStr], log: &str| -> Result<Child, CliError> {
            let output = std::fs::File::create(folder.join(log)).map_err(failure)?;
            Command::new(&binary)
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(output.try_clone().map_err(failure)?)
                .stderr(output)
                .kill_on_drop(true)
                .spawn()
                .map_err(failure)
        };
        let (state, first, second) = (folder.join("simulators"), folder.join("simulators.json"), folder.join("server.json"));
        let mut simulators = spawn(&["simulate".as_ref(), "--state".as_ref(), state.as_ref(), "--ready-file".as_ref(), first.as_ref()], "simulators.log")?;
        let addresses = ready(&first, &mut simulators).await?;
        let config = folder.join("bench.toml");
        let fcm = addresses["fcm"].as_str().unwrap_or_default();
        let text = format!(
            "[providers.fcm]\nservice_account_file = {:?}\nendpoint = \"http://{fcm}\"\n\n[limits]\nkey_requests = 0\n\n[log]\nlevel = \"warn\"\n",
            state.join("fcm.json")
        );
        std::fs::write(&config, text).map_err(failure)?;
        let data = folder.join("data");
        let arguments: [&std::ffi::OsStr; 9] = [
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
        let mut server = spawn(&arguments, "server.log")?;
        let listen = ready(&second, &mut server).await?;
        Ok(Self {
            simulators,
            server,
            folder: folder.to_owned(),
            admin: addresses["admin"].as_str().unwrap_or_default().to_owned(),
            address: listen["listen"].as_str().unwrap_or_default().to_owned(),
            client: reqwest::Client::builder().no_proxy().pool_max_idle_per_host(256).build().map_err(failure)?,
        })
    }

    pub(super) fn admin_key(&self) -> Result<String, CliError> {
        std::fs::read_to_string(self.folder.join("data/admin.key")).map(|key| key.trim().to_owned()).map_err(failure)
    }

    async fn simulators(&self, path: &str) -> Result<String, CliError> {
        self.client.get(format!("http://{}/_sim/{path}", self.admin)).send().await.map_err(failure)?.text().await.map_err(failure)
    }

    /// Takes the provider down, or lets it work again.
    pub(super) async fn provider_is_down(&self, down: bool) -> Result<(), CliError> {
        let url = format!("http://{}/_sim/rules", self.admin);
        let request = if down { self.client.post(url).json(&serde_json::json!({ "provider": "fcm", "action": "outage" })) } else { self.client.delete(url) };
        request.send().await.and_then(reqwest::Response::error_for_status).map(drop).map_err(failure)
    }

    /// Deliveries and repeats so far.
    pub(super) async fn counters(&self) -> Result<(u64, u64), CliError> {
        let counters: Value = serde_json::from_str(&self.simulators("counters").await?).map_err(failure)?;
        let of = |name: &str| counters["fcm"][name].as_u64().or_else(|| counters["providers"]["fcm"][name].as_u64()).unwrap_or(0);
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
        Ok(Cpu { server: Self::cpu_of(&self.server)?, simulators: Self::cpu_of(&self.simulators)? })
    }

    /// Resident memory of the server now and at its highest, in MB.
    pub(super) fn rss(&self) -> Result<(u64, u64), CliError> {
        let id = self.server.id().ok_or_else(|| failure("the server has ended"))?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).map_err(failure)?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024;
        Ok((field("VmRSS:"), field("VmHWM:")))
    }

    /// Lets the consumers catch up, and says how many bytes the databases have (pages in use by
    /// their files; journals come and go).
    pub(super) async fn settle(&self) -> Result<u64, CliError> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mut bytes = 0;
        let data = self.folder.join("data");
        for folder in [data.clone(), data.join("views")] {
            for entry in std::fs::read_dir(folder).map_err(failure)?.flatten() {
                if entry.path().extension().is_some_and(|extension| extension == "db") {
                    let connection = rusqlite::Connection::open_with_flags(entry.path(), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failure)?;
                    let pages: u64 = connection
                        .query_row("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()", [], |row| row.get::<_, i64>(0))
                        .map_err(failure)?
                        .unsigned_abs();
                    bytes += pages;
                }
            }
        }
        Ok(bytes)
    }

    pub(super) async fn stop(&mut self) -> Result<(), CliError> {
        if let Some(id) = self.server.id() {
            Command::new("kill").args(["-TERM", &id.to_string()]).status().await.map_err(failure)?;
            let ended = tokio::time::timeout(Duration::from_secs(30), self.server.wait()).await;
            if !matches!(ended, Ok(Ok(status)) if status.success()) {
                return Err(failure("the server did not stop in order"));
            }
        }
        self.simulators.kill().await.map_err(failure)
    }
}
