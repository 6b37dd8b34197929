//! The processes: simulators that live through everything, and the server that does not.

use anyhow::{Context, Result, bail};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

async fn wait_for_file(path: &Path, child: &mut Child, within: Duration) -> Result<Value> {
    let began = Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(path)
            && let Ok(json) = serde_json::from_str(&text)
        {
            return Ok(json);
        }
        if let Some(status) = child.try_wait()? {
            bail!("ended with {status} before it was ready");
        }
        if began.elapsed() > within {
            bail!("not ready within {within:?}");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The providers' simulators.
pub struct Simulators {
    child: Child,
    admin: String,
    /// Address of the webhook simulator.
    pub webhook: String,
    /// Its signing secret.
    pub secret: String,
    /// A server's configuration that points to them.
    pub config: PathBuf,
    client: reqwest::Client,
}

impl Simulators {
    pub async fn start(binary: &Path, state: &Path) -> Result<Self> {
        std::fs::create_dir_all(state)?;
        let ready = state.join("ready.json");
        let log = std::fs::File::create(state.join("output.log"))?;
        let mut child = Command::new(binary)
            .args(["simulate", "--state"])
            .arg(state)
            .arg("--ready-file")
            .arg(&ready)
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let addresses = wait_for_file(&ready, &mut child, Duration::from_secs(20)).await.context("the simulators")?;
        let address = |name: &str| addresses[name].as_str().unwrap_or_default().to_owned();
        let config = state.join("crash.toml");
        let mut text = std::fs::read_to_string(state.join("bongsu.toml"))?;
        // Retries within the test's time, and so many that no fault makes a dead letter.
        for channel in ["android_push", "ios_push", "email", "webhook"] {
            text.push_str(&format!("\n[delivery.retry.{channel}]\nfirst = \"100ms\"\nfactor = 1.5\nlongest = \"1s\"\nattempts = 200\nmax_age = \"1h\"\n"));
        }
        text.push_str("\n[log]\nlevel = \"warn\"\n");
        std::fs::write(&config, text)?;
        let secret = std::fs::read_to_string(state.join("webhook.secret"))?.trim().to_owned();
        Ok(Self { child, admin: address("admin"), webhook: address("webhook"), secret, config, client: reqwest::Client::new() })
    }

    async fn rules(&self, rules: &Value) -> Result<()> {
        let body = serde_json::to_vec(rules)?;
        let answer = self.client.post(format!("http://{}/_sim/rules", self.admin)).header("content-type", "application/json").body(body).send().await?;
        if !answer.status().is_success() {
            bail!("the simulators refuse the rules: {}", answer.text().await?);
        }
        Ok(())
    }

    /// Faults of the providers, beside those of the server.
    pub async fn disturb(&self) -> Result<()> {
        self.rules(&json!([
            { "provider": "fcm", "percent": 3, "action": "accept_then_drop" },
            { "provider": "fcm", "percent": 3, "action": { "error": { "status": 503, "reason": "UNAVAILABLE" } } },
            { "provider": "apns", "percent": 3, "action": "accept_then_drop" },
            { "provider": "webhook", "percent": 3, "action": "accept_then_drop" },
            { "provider": "webhook", "percent": 3, "action": { "error": { "status": 500, "reason": "broken" } } },
        ]))
        .await
    }

    /// No faults any more.
    pub async fn calm(&self) -> Result<()> {
        self.client.delete(format!("http://{}/_sim/rules", self.admin)).send().await?.error_for_status()?;
        Ok(())
    }

    /// Everything that arrived, into a file.
    pub async fn ledger(&self, path: &Path) -> Result<PathBuf> {
        let mut text = String::new();
        let mut after = 0;
        loop {
            let page = self.client.get(format!("http://{}/_sim/ledger?after={after}&limit=10000", self.admin)).send().await?.error_for_status()?.text().await?;
            let Some(last) = page.lines().last() else { break };
            after = serde_json::from_str::<Value>(last)?["seq"].as_u64().context("a ledger entry without seq")?;
            text.push_str(&page);
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
        std::fs::write(path, text)?;
        Ok(path.to_owned())
    }

    pub async fn stop(mut self) {
        // It has nothing to lose.
        let _ = self.child.kill().await;
    }
}

/// The server under test.
pub struct Server {
    binary: PathBuf,
    data: PathBuf,
    ready: PathBuf,
    output: PathBuf,
    config: PathBuf,
    /// Where it listens, the same after every start.
    pub address: String,
    child: Option<Child>,
}

impl Server {
    pub fn new(binary: &Path, folder: &Path, config: &Path) -> Result<Self> {
        // The system names a free port; it is taken again in a moment.
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        Ok(Self {
            binary: binary.to_owned(),
            data: folder.join("data"),
            ready: folder.join("ready.json"),
            output: folder.join("server.log"),
            config: config.to_owned(),
            address,
            child: None,
        })
    }

    pub fn log(&self) -> PathBuf {
        self.data.join("log.db")
    }

    pub fn admin_key(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.data.join("admin.key"))?.trim().to_owned())
    }

    fn spawn(&self, failpoint: Option<&str>) -> Result<Child> {
        let _ = std::fs::remove_file(&self.ready);
        let output = std::fs::OpenOptions::new().create(true).append(true).open(&self.output)?;
        let mut command = Command::new(&self.binary);
        command
            .arg("serve")
            .arg("--data")
            .arg(&self.data)
            .args(["--listen", &self.address])
            .arg("--config")
            .arg(&self.config)
            .arg("--ready-file")
            .arg(&self.ready);
        if let Some(failpoint) = failpoint {
            command.env("BONGSU_FAILPOINT", failpoint);
        }
        Ok(command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).kill_on_drop(true).spawn()?)
    }

    /// Starts it and waits until it answers.
    pub async fn start(&mut self, failpoint: Option<&str>) -> Result<()> {
        self.kill().await?;
        let mut child = self.spawn(failpoint)?;
        wait_for_file(&self.ready, &mut child, Duration::from_secs(30)).await.with_context(|| format!("the server; see {}", self.output.display()))?;
        self.child = Some(child);
        Ok(())
    }

    /// Starts it with a crash point armed; it may die before it is ready.
    pub async fn start_to_die(&mut self, failpoint: &str) -> Result<()> {
        self.kill().await?;
        self.child = Some(self.spawn(Some(failpoint))?);
        Ok(())
    }

    /// Whether it dies by itself in time.
    pub async fn dies_within(&mut self, within: Duration) -> bool {
        let Some(child) = &mut self.child else { return true };
        let died = tokio::time::timeout(within, child.wait()).await.is_ok();
        if died {
            self.child = None;
        }
        died
    }

    /// SIGKILL.
    pub async fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// SIGTERM, and it must end well.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let id = child.id().context("the server is gone")?;
        Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        let status = tokio::time::timeout(Duration::from_secs(40), child.wait()).await.context("the server does not stop")??;
        if !status.success() {
            bail!("the server stopped with {status}");
        }
        Ok(())
    }

    fn read(&self) -> Result<(i64, i64, i64)> {
        let connection = Connection::open_with_flags(self.log(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        Ok(connection.query_row(
            "SELECT (SELECT count(*) FROM pending_deliveries WHERE state < 3), (SELECT coalesce(max(position), 0) FROM checkpoints WHERE consumer = 'delivery'), (SELECT coalesce(max(position), 0) FROM events)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?)
    }

    /// Nothing is owed, as of the newest event.
    pub fn is_drained(&self) -> Result<bool> {
        let (owed, checkpoint, head) = self.read()?;
        Ok(owed == 0 && checkpoint == head)
    }

    /// For the message when it does not drain.
    pub fn owed(&self) -> Result<String> {
        let (owed, checkpoint, head) = self.read()?;
        Ok(format!("{owed} deliveries are owed as of {checkpoint} of {head}"))
    }
}
