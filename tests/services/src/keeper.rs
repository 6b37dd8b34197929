//! One server's life, held by a `sh` of its own (`keeper.sh`) that starts it, ends it with this
//! process however that ends, and removes its folder. If the keeper itself is killed, the kernel
//! kills the server with it.
//!
//! Rejected: the server as a child of the test with a signal at its parent's death. That signal
//! comes with the end of the *thread* that started the child, and each test is a thread.

use crate::processes::{Seen, continue_tree, kill_tree, stop_tree};
use crate::tools::bare;
use crate::user::User;
use crate::wait::until;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// How much of a server's log an error tells.
const TOLD: usize = 3_000;

/// Holds one server and its folder.
#[derive(Debug)]
pub(crate) struct Keeper {
    folder: PathBuf,
    shell: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    server: Option<Seen>,
}

impl Keeper {
    /// A fresh folder that the user owns, and a keeper that will run `command` there. `end` is the
    /// signal (such as `QUIT`) that ends the server.
    pub(crate) fn new(kind: &str, user: User, end: &str, command: impl FnOnce(&Path) -> Vec<String>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix(&format!("bongsu-{kind}-")).tempdir()?;
        user.own(folder.path())?;
        let mut shell = Command::new("sh");
        bare(&mut shell).args(["-c", include_str!("keeper.sh"), "keeper"]).arg(folder.path()).arg(end);
        shell.args(user.prefix()).args(command(folder.path()));
        // In a group of its own, so that an interrupt from the keyboard leaves it to do its work;
        // with no hold on this process's output, whose readers wait for its end.
        let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0).spawn()?;
        let orders = shell.stdin.take().context("no way to tell the keeper")?;
        let answers = BufReader::new(shell.stdout.take().context("no way to hear the keeper")?);
        // From here on the folder is the keeper's to remove.
        Ok(Self { folder: folder.keep(), shell, orders: Some(orders), answers, server: None })
    }

    /// The server's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts the server and waits until it is `ready`, which is asked with its process id.
    pub(crate) fn start(&mut self, mut ready: impl FnMut(u32) -> Result<bool>) -> Result<()> {
        if self.server().is_some() {
            bail!("the server runs already");
        }
        self.orders.as_mut().context("the keeper was let go")?.write_all(b"start\n").context("the keeper has ended")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        let id = answer.trim().parse().with_context(|| format!("the keeper did not start the server: {answer:?}"))?;
        self.server = Seen::look(id);
        until("the server is ready", || {
            if self.server().is_none() {
                bail!("the server ended at its start: {}", self.log());
            }
            Ok(ready(id)?.then_some(()))
        })
        .with_context(|| format!("starting a server in {}", self.folder.display()))
    }

    /// The server, if it runs.
    pub(crate) fn server(&self) -> Option<Seen> {
        // A child of the keeper: nobody else's process that got its number.
        self.server.and_then(|server| Seen::look(server.id)).filter(|server| server.parent == self.shell.id())
    }

    fn running(&self) -> Result<Seen> {
        self.server().with_context(|| format!("the server does not run: {}", self.log()))
    }

    /// Kills the server with its descendants; nothing when it does not run.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.server().map_or(Ok(()), kill_tree)
    }

    /// Makes the server stand still.
    pub(crate) fn stop(&mut self) -> Result<()> {
        stop_tree(self.running()?).map(drop)
    }

    /// Lets it go on.
    pub(crate) fn cont(&mut self) -> Result<()> {
        continue_tree(self.running()?)
    }

    /// The end of what the server printed.
    pub(crate) fn log(&self) -> String {
        let bytes = std::fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(bytes.get(bytes.len().saturating_sub(TOLD)..).unwrap_or_default()).into_owned()
    }
}

impl Drop for Keeper {
    /// Ends the server and waits until nothing is left of it.
    fn drop(&mut self) {
        // One that stands still would be waited for.
        if let Some(server) = self.server() {
            let _ = continue_tree(server);
        }
        drop(self.orders.take());
        // Its own waits are shorter than this one.
        if until("the keeper has ended", || Ok(self.shell.try_wait()?)).is_err() {
            let _ = self.shell.kill();
            let _ = self.shell.wait();
        }
        // Still there only when the keeper was killed; the kernel then kills the server, if not yet.
        if self.folder.exists() {
            let _ = self.server.map_or(Ok(()), Seen::kill);
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
