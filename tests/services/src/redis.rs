//! A private Redis that keeps nothing on disk: what it held is gone when it restarts.

use crate::keeper::Keeper;
use crate::user::User;
use crate::{ports, secret, tools};
use anyhow::{Context, Result, bail};
use std::fmt::Write as _;
use std::sync::OnceLock;

/// How it differs from what Redis does by itself.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Lines for `redis.conf`.
    pub lines: Vec<String>,
}

impl Settings {
    /// With one more line.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }
}

/// What a server is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Holds data.
    Server,
    /// Watches others; has no password, as clients ask it before they know any.
    Sentinel,
}

/// A running Redis with its folder; dropped, both are gone.
#[derive(Debug)]
pub struct Redis {
    keeper: Keeper,
    role: Role,
    port: u16,
    password: String,
}

impl Redis {
    /// Makes one and waits until it answers.
    ///
    /// # Errors
    /// When Redis is not installed or does not start; its log is told.
    pub fn start(settings: &Settings) -> Result<Self> {
        Self::with_password(Role::Server, &secret::password()?, settings)
    }

    /// Servers that work together have one password.
    pub(crate) fn with_password(role: Role, password: &str, settings: &Settings) -> Result<Self> {
        let program = tools::on_path("redis-server").context("Redis is not installed; tests/services/install does that")?;
        let user = User::without_rights()?;
        let mut keeper = Keeper::new("redis", user, "KILL", |folder| {
            let mut command = vec![program.display().to_string(), folder.join("redis.conf").display().to_string()];
            command.extend((role == Role::Sentinel).then(|| "--sentinel".to_owned()));
            command
        })?;
        for _ in 0..ports::ATTEMPTS {
            let port = ports::free()?;
            let mut text = format!("port {port}\nbind 127.0.0.1\ndir {}\n", keeper.folder().display());
            if role == Role::Server {
                let _ = writeln!(text, "save \"\"\nappendonly no\nrequirepass {password}\nmasterauth {password}");
            }
            settings.lines.iter().for_each(|line| text.extend([line, "\n"]));
            let file = keeper.folder().join("redis.conf");
            std::fs::write(&file, text)?;
            // A sentinel writes down there what it learns.
            user.own(&file)?;
            match launch(&mut keeper, role, port, password) {
                // Somebody was quicker with the port.
                Err(_) if keeper.server().is_none() && keeper.log().contains("Address already in use") => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(Self { keeper, role, port, password: password.to_owned() }),
            }
        }
        bail!("no port stayed free long enough: {}", keeper.log());
    }

    /// The one that all tests of this process share; its end is this process's. They share its keys
    /// as well: tests part them by prefix, and none may flush.
    ///
    /// # Errors
    /// When it did not start: the same error for all.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<Redis, String>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| Self::start(&Settings::default()).map_err(|error| format!("{error:#}")));
        shared.as_ref().map_err(|error| anyhow::anyhow!("the shared Redis: {error}"))
    }

    /// Its URL, with the password; a sentinel has none.
    #[must_use]
    pub fn url(&self) -> String {
        match self.role {
            Role::Server => format!("redis://:{}@127.0.0.1:{}", self.password, self.port),
            Role::Sentinel => format!("redis://127.0.0.1:{}", self.port),
        }
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The password.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Runs a command with `redis-cli`; gives what that prints.
    ///
    /// # Errors
    /// What Redis refuses with.
    pub fn ask(&self, command: &[&str]) -> Result<String> {
        ask(self.role, self.port, &self.password, command)
    }

    /// The end of what the server printed.
    #[must_use]
    pub fn log(&self) -> String {
        self.keeper.log()
    }

    /// Removes everything that it holds.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn flushall(&mut self) -> Result<()> {
        self.ask(&["FLUSHALL"]).map(drop)
    }

    /// Bounds its memory from now on, in bytes; 0 lifts that. Beyond it refuses writes, unless a line
    /// of the settings gave it another policy.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn maxmemory(&mut self, bytes: u64) -> Result<()> {
        self.ask(&["CONFIG", "SET", "maxmemory", &bytes.to_string()]).map(drop)
    }

    /// Kills it.
    ///
    /// # Errors
    /// When the process may not be killed.
    pub fn kill(&mut self) -> Result<()> {
        self.keeper.kill()
    }

    /// Makes it stand still: connections stay open and nothing answers.
    ///
    /// # Errors
    /// When it does not run.
    pub fn stop(&mut self) -> Result<()> {
        self.keeper.stop()
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn cont(&mut self) -> Result<()> {
        self.keeper.cont()
    }

    /// Starts it again, empty, on the same port, and waits until it answers; kills it before if it
    /// still runs. A node of a cluster and a sentinel still know the others.
    ///
    /// # Errors
    /// When it does not start; its log is told.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        launch(&mut self.keeper, self.role, self.port, &self.password)
    }
}

fn launch(keeper: &mut Keeper, role: Role, port: u16, password: &str) -> Result<()> {
    // The answer must be that of our process, not of one that was quicker with the port.
    keeper
        .start(|id| Ok(ask(role, port, password, &["INFO", "server"]).is_ok_and(|info| info.lines().any(|line| line.trim_end() == format!("process_id:{id}")))))
}

fn ask(role: Role, port: u16, password: &str, command: &[&str]) -> Result<String> {
    let port = port.to_string();
    // -e: an error of Redis is one of the command.
    let arguments: Vec<&str> = ["-h", "127.0.0.1", "-p", &port, "-e"].into_iter().chain(command.iter().copied()).collect();
    let login = [("REDISCLI_AUTH", password)];
    let printed = tools::run("redis-cli", &arguments, if role == Role::Server { &login } else { &[] })?;
    Ok(printed.trim_end().to_owned())
}
