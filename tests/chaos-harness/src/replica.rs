//! One replica's process: started, killed, stopped, let stand still; started again where it ends by
//! itself, as whatever runs it in production would.

use anyhow::{Context as _, Result, bail};
use crash_harness::api::{self, Client};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

/// Longest wait for a start or a stop.
const PATIENCE: Duration = Duration::from_secs(45);
const GLANCE: Duration = Duration::from_millis(50);
/// Pause before one that ended by itself is started again.
const AGAIN: Duration = Duration::from_millis(500);

/// See the module.
#[derive(Debug)]
pub struct Replica {
    number: usize,
    binary: PathBuf,
    root: PathBuf,
    listen: String,
    environment: Vec<(String, String)>,
    life: Mutex<Life>,
    ended: AtomicUsize,
}

#[derive(Debug, Default)]
struct Life {
    child: Option<Child>,
    /// Somebody has taken it down and will start it again.
    down: bool,
}

impl Replica {
    /// Not started yet.
    pub fn new(number: usize, binary: &Path, root: &Path, port: u16, environment: Vec<(String, String)>) -> Arc<Self> {
        let listen = format!("127.0.0.1:{port}");
        let life = Mutex::new(Life { child: None, down: true });
        Arc::new(Self { number, binary: binary.to_owned(), root: root.to_owned(), listen, environment, life, ended: AtomicUsize::new(0) })
    }

    /// Its number, from 0.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The base of its URLs.
    pub fn base(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.root.join(format!("data-{}", self.number))
    }

    /// What it prints.
    pub fn log(&self) -> PathBuf {
        self.root.join(format!("replica-{}.log", self.number))
    }

    /// How often it ended without being asked to.
    pub fn ended_by_itself(&self) -> usize {
        self.ended.load(Ordering::Relaxed)
    }

    fn launch(&self) -> Result<Child> {
        let ready = self.root.join(format!("replica-{}.ready", self.number));
        let log = || OpenOptions::new().create(true).append(true).open(self.log());
        let mut command = Command::new(&self.binary);
        command.args(api::serve_arguments(&self.data(), &self.listen, &self.root.join("bongsu.toml"), &ready)).current_dir(&self.root);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log()?).stderr(log()?).kill_on_drop(true);
        command.spawn().context("starting a replica")
    }

    /// Starts it; does not wait.
    pub async fn start(&self) -> Result<()> {
        let mut life = self.life.lock().await;
        life.child = Some(self.launch()?);
        life.down = false;
        Ok(())
    }

    /// Starts it again and again as long as it is not down on purpose. Never ends.
    pub async fn watch(self: Arc<Self>) -> Result<()> {
        loop {
            tokio::time::sleep(GLANCE).await;
            let mut life = self.life.lock().await;
            let Some(child) = life.child.as_mut() else { continue };
            let Some(status) = child.try_wait()? else { continue };
            life.child = None;
            if life.down {
                continue;
            }
            self.ended.fetch_add(1, Ordering::Relaxed);
            eprintln!("replica {} ended by itself: {status}; it is started again", self.number);
            tokio::time::sleep(AGAIN).await;
            life.child = Some(self.launch()?);
        }
    }

    /// Waits until it serves.
    pub async fn ready(&self) -> Result<()> {
        self.ready_within(PATIENCE).await
    }

    /// Waits so long until it serves.
    pub async fn ready_within(&self, within: Duration) -> Result<()> {
        let client = Client::new(&self.base(), "")?;
        let deadline = Instant::now() + within;
        while !client.is_ready().await {
            if Instant::now() > deadline {
                bail!("replica {} is not ready after {within:?}; see {}", self.number, self.log().display());
            }
            tokio::time::sleep(GLANCE).await;
        }
        Ok(())
    }

    /// Waits until it serves, or too long: something else may be down, and the others must have their turn.
    pub async fn settled(&self) {
        let _ = self.ready_within(Duration::from_secs(8)).await;
    }

    async fn signal(&self, signal: Signal) -> Result<()> {
        if let Some(id) = self.life.lock().await.child.as_ref().and_then(Child::id) {
            let id = i32::try_from(id).ok().and_then(Pid::from_raw).context("not the id of a process")?;
            kill_process(id, signal).context("signalling a replica")?;
        }
        Ok(())
    }

    /// Kills it without warning.
    pub async fn kill(&self) -> Result<()> {
        let mut life = self.life.lock().await;
        life.down = true;
        if let Some(mut child) = life.child.take() {
            child.start_kill().ok();
            child.wait().await?;
        }
        Ok(())
    }

    /// Lets it stand still.
    pub async fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP).await
    }

    /// Lets it go on.
    pub async fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT).await
    }

    /// Asks it to stop; false where it had to be killed.
    pub async fn stop(&self) -> Result<bool> {
        self.life.lock().await.down = true;
        self.signal(Signal::TERM).await?;
        let mut life = self.life.lock().await;
        let Some(mut child) = life.child.take() else { return Ok(true) };
        if tokio::time::timeout(PATIENCE, child.wait()).await.is_ok() {
            return Ok(true);
        }
        child.start_kill().ok();
        child.wait().await?;
        Ok(false)
    }
}
