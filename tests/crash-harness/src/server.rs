//! The processes under test: started, killed, stopped, and how they ended.

use crate::api::{self, Client};
use anyhow::{Context, Result, bail};
use std::fs::{File, OpenOptions};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// Longest wait for a process to be ready or to stop. A start recovers and may wait for a disk.
const PATIENCE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(10);
const SIGABRT: i32 = 6;

/// Where everything is.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The binary.
    pub binary: PathBuf,
    /// The folder of this run.
    pub root: PathBuf,
}

impl Paths {
    /// The server's data folder.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// The clients' journal.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal.ndjson")
    }

    /// What arrived at the providers.
    pub fn ledger(&self) -> PathBuf {
        self.root.join("ledger.ndjson")
    }

    fn append(&self, name: &str) -> Result<File> {
        Ok(OpenOptions::new().create(true).append(true).open(self.root.join(name))?)
    }

    fn command(&self, arguments: &[String], log: &str) -> Result<Command> {
        let mut command = Command::new(&self.binary);
        command.args(arguments).current_dir(&self.root).stdin(Stdio::null()).stdout(self.append(log)?).stderr(self.append(log)?).kill_on_drop(true);
        Ok(command)
    }
}

/// Starts the simulators; gives their addresses once they answer.
pub async fn start_simulators(paths: &Paths, seed: u64) -> Result<(Child, api::Addresses)> {
    let (state, ready) = (paths.root.join("simulators"), paths.root.join("simulators.json"));
    let mut child = paths.command(&api::simulate_arguments(&state, &ready, seed), "simulators.log")?.spawn()?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        // Half a file is not JSON yet.
        if let Ok(text) = std::fs::read_to_string(&ready)
            && let Ok(addresses) = api::Addresses::read(&text)
        {
            return Ok((child, addresses));
        }
        if let Some(status) = child.try_wait()? {
            bail!("the simulators ended: {status}; see simulators.log");
        }
        if Instant::now() > deadline {
            bail!("the simulators are not ready; see simulators.log");
        }
        tokio::time::sleep(GLANCE).await;
    }
}

/// Asks a process to stop, and waits.
pub async fn stop(mut child: Child) -> Result<ExitStatus> {
    let id = child.id().context("the process has ended before it was asked to")?;
    Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
    tokio::time::timeout(PATIENCE, child.wait()).await.context("the process did not stop when asked to")?.map_err(Into::into)
}

/// A server process that can be started again and again on the same data and port.
#[derive(Debug)]
pub struct Server {
    paths: Paths,
    listen: String,
    child: Option<Child>,
    environment: Vec<(String, String)>,
}

/// How a process was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It runs.
    Running,
    /// It aborted, as a crash point does.
    Aborted,
}

impl Server {
    /// Not started yet; a free port is chosen and kept.
    pub fn new(paths: Paths) -> Result<Self> {
        std::fs::write(paths.root.join("bongsu.toml"), api::config(&paths.root.join("simulators"))?)?;
        let listen = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        Ok(Self { paths, listen, child: None, environment: Vec::new() })
    }

    /// The same with more in its environment at every start.
    pub fn with_environment(mut self, environment: Vec<(String, String)>) -> Self {
        self.environment = environment;
        self
    }

    /// The base of its URLs.
    pub fn base(&self) -> String {
        format!("http://{}", self.listen)
    }

    fn ready_file(&self) -> PathBuf {
        self.paths.root.join("server.ready")
    }

    /// Starts it, with a crash point such as `C7:3` armed or none. Does not wait.
    pub fn spawn(&mut self, failpoint: Option<&str>) -> Result<()> {
        let _ = std::fs::remove_file(self.ready_file());
        let arguments = api::serve_arguments(&self.paths.data(), &self.listen, &self.paths.root.join("bongsu.toml"), &self.ready_file());
        let mut command = self.paths.command(&arguments, "server.log")?;
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        match failpoint {
            Some(failpoint) => command.env(api::FAILPOINT_VARIABLE, failpoint),
            None => command.env_remove(api::FAILPOINT_VARIABLE),
        };
        self.child = Some(command.spawn()?);
        Ok(())
    }

    /// Whether it runs or aborted. Any other end is an error: nobody asked for it.
    pub fn look(&mut self) -> Result<Ended> {
        let child = self.child.as_mut().context("no server was started")?;
        match child.try_wait()? {
            None => Ok(Ended::Running),
            Some(status) if status.signal() == Some(SIGABRT) => Ok(Ended::Aborted),
            Some(status) => bail!("the server ended by itself: {status}; see server.log"),
        }
    }

    /// Waits until it serves, or has reached its crash point before that.
    pub async fn wait_ready(&mut self) -> Result<Ended> {
        let client = Client::new(&self.base(), "")?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.look()? == Ended::Aborted {
                return Ok(Ended::Aborted);
            }
            if self.ready_file().exists() && client.is_ready().await {
                return Ok(Ended::Running);
            }
            if Instant::now() > deadline {
                bail!("the server is not ready; see server.log");
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Lets it run for a while; returns early when it aborts.
    pub async fn run_for(&mut self, time: Duration) -> Result<Ended> {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            if self.look()? == Ended::Aborted {
                return Ok(Ended::Aborted);
            }
            tokio::time::sleep(GLANCE).await;
        }
        self.look()
    }

    /// Kills it without warning. True if it had aborted just before.
    pub async fn kill(&mut self) -> Result<bool> {
        let mut child = self.child.take().context("no server was started")?;
        child.start_kill().ok();
        Ok(child.wait().await?.signal() == Some(SIGABRT))
    }

    /// Stops it as an operator does; a status other than success is an error.
    pub async fn stop(&mut self) -> Result<()> {
        let status = stop(self.child.take().context("no server was started")?).await?;
        if !status.success() {
            bail!("the server was asked to stop and ended with {status}");
        }
        Ok(())
    }

    /// The log's file.
    pub fn log(&self) -> PathBuf {
        api::log_file(&self.paths.data())
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.paths.data()
    }
}

/// The binary that `cargo build --release` makes, beside the harness's own.
pub fn default_binary() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().unwrap_or(Path::new("."));
    Ok(folder.join("bongsu"))
}
