//! A process under test: started, asked to stop, killed; its output in files.

use crate::binary;
use crate::wait::{PATIENCE, until};
use anyhow::{Context, Result, bail};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use tokio::process::{Child, Command};

/// A running process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

fn append(path: &Path) -> Result<File> {
    Ok(OpenOptions::new().create(true).append(true).open(path)?)
}

/// A command line of the binary with no configuration from this test's environment.
fn command(arguments: &[&str], folder: &Path, environment: &[(&str, &str)]) -> Result<Command> {
    let mut command = Command::new(binary::path()?);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BONGSU_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).envs(environment.iter().copied()).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}

/// Runs a command of the binary to its end.
pub async fn run(arguments: &[&str], folder: &Path, environment: &[(&str, &str)]) -> Result<Output> {
    let output = command(arguments, folder, environment)?.output();
    tokio::time::timeout(PATIENCE * 2, output).await.with_context(|| format!("bongsu {} did not end", arguments.join(" ")))?.map_err(Into::into)
}

impl Process {
    /// Starts it; what it prints goes to the file `log`.
    pub fn start(arguments: &[&str], folder: &Path, environment: &[(&str, &str)], log: &Path) -> Result<Self> {
        let child = command(arguments, folder, environment)?.stdout(append(log)?).stderr(append(log)?).spawn()?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// Waits for the file that the process writes once it is ready, and gives its content.
    pub async fn ready(&mut self, file: &Path) -> Result<String> {
        until("the process is ready", async || {
            if let Some(status) = self.child.try_wait()? {
                bail!("the process ended: {status}\n{}", self.printed()?);
            }
            // An empty file is one that is being written.
            Ok(std::fs::read_to_string(file).ok().filter(|text| !text.trim().is_empty()))
        })
        .await
    }

    /// Its process id.
    pub fn id(&self) -> Result<u32> {
        self.child.id().context("the process has ended")
    }

    /// Everything it printed so far, in all its lives.
    pub fn printed(&self) -> Result<String> {
        Ok(std::fs::read_to_string(&self.log)?)
    }

    /// Sends a signal by its name, such as `TERM`.
    pub async fn signal(&self, name: &str) -> Result<()> {
        let status = Command::new("kill").args([format!("-{name}"), self.id()?.to_string()]).status().await?;
        if !status.success() {
            bail!("could not send {name}");
        }
        Ok(())
    }

    /// Lets it write no file beyond so many bytes (`unlimited` lifts that): for its files the disk
    /// is full, as far as the process can tell. Needs no privileges and no file system of its own.
    pub async fn limit_file_size(&self, bytes: &str) -> Result<()> {
        // With the colon only the soft limit is set, which may be raised again.
        let status = Command::new("prlimit").args(["--pid", &self.id()?.to_string(), &format!("--fsize={bytes}:")]).status().await;
        if !status.context("running prlimit (util-linux)")?.success() {
            bail!("could not limit the size of files");
        }
        Ok(())
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.context("the process did not end")?.map_err(Into::into)
    }
}

/// A program that is none of ours; it ends with this.
#[derive(Debug)]
pub struct Guarded {
    _child: Child,
}

impl Guarded {
    /// Starts it, with more in its environment; what it prints goes to the file `log`.
    ///
    /// # Errors
    /// It is not there, or cannot be started.
    pub fn start(program: &str, arguments: &[&str], environment: &[(&str, &str)], log: &Path) -> Result<Self> {
        let child = Command::new(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(append(log)?)
            .stderr(append(log)?)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { _child: child })
    }
}
