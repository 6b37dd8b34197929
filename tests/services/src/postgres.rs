//! A private Postgres: as in production unless told otherwise, to be killed and restarted at will.
//!
//! `postgres` itself is started, not `pg_ctl`: the process is then ours to hold. A cached folder in
//! place of `initdb` was rejected: it would have to be kept right between versions, users and
//! processes, to save less than two seconds.

use crate::disk::Disk;
use crate::keeper::Keeper;
use crate::user::User;
use crate::{ports, processes, secret, tools};
use anyhow::{Context, Result, bail};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where Debian keeps its versions.
const DEBIAN: &str = "/usr/lib/postgresql";
/// From this version on, the files can be synced all at once when it starts after a crash.
const SYNCS_AT_ONCE: u32 = 14;
/// For all tests of one process at once, each with its pool.
const SHARED_CONNECTIONS: &str = "400";

/// How it differs from what Postgres does by itself.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether a commit waits for the disk, as in production. Without, only the loss of the machine
    /// would be noticed, which no test can bring about: off is for speed.
    pub durable: bool,
    /// Lines for `postgresql.conf`: name and value.
    pub options: Vec<(String, String)>,
    /// A disk of its own of so many mebibytes, where [`disk::possible`](crate::disk::possible).
    pub disk: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { durable: true, options: Vec::new(), disk: None }
    }
}

impl Settings {
    /// With one more option.
    #[must_use]
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.options.push((name.to_owned(), value.to_owned()));
        self
    }

    fn lines(&self, version: u32, port: u16, folder: &Path) -> String {
        let socket = folder.display().to_string();
        let port = port.to_string();
        let waits = if self.durable { "on" } else { "off" };
        // Shared memory in files, because a killed server leaves it, and files go with the folder.
        let ours = [("listen_addresses", "127.0.0.1"), ("port", &port), ("unix_socket_directories", &socket), ("dynamic_shared_memory_type", "mmap")];
        let durability = ["fsync", "synchronous_commit", "full_page_writes"].map(|name| (name, waits));
        // One by one they take seconds, at each restart of a nemesis; nothing is synced less.
        let recovery = (version >= SYNCS_AT_ONCE).then_some(("recovery_init_sync_method", "syncfs"));
        let theirs = self.options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        ours.into_iter().chain(durability).chain(recovery).chain(theirs).fold(String::new(), |mut text, (name, value)| {
            let _ = writeln!(text, "{name} = '{}'", value.replace('\'', "''"));
            text
        })
    }
}

/// A running Postgres with its folder; dropped, both are gone.
#[derive(Debug)]
pub struct Postgres {
    keeper: Keeper,
    disk: Option<Disk>,
    programs: PathBuf,
    port: u16,
    password: String,
    databases: AtomicU32,
}

/// The folder of the programs: as told, else Debian's newest, else where `postgres` is found.
fn programs() -> Result<PathBuf> {
    if let Some(told) = std::env::var_os("BONGSU_TEST_POSTGRES_BIN") {
        return Ok(told.into());
    }
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let installed = versions.filter(|version| Path::new(DEBIAN).join(version.to_string()).join("bin/postgres").is_file());
    if let Some(newest) = installed.max() {
        return Ok(Path::new(DEBIAN).join(newest.to_string()).join("bin"));
    }
    let found = tools::on_path("postgres").and_then(|file| Some(file.parent()?.to_owned()));
    found.context("Postgres is not installed; tests/services/install does that, BONGSU_TEST_POSTGRES_BIN names the folder of another")
}

impl Postgres {
    /// Makes one and waits until it accepts connections.
    ///
    /// # Errors
    /// When Postgres is not installed or does not start; its log is told.
    pub fn start(settings: Settings) -> Result<Self> {
        let programs = programs()?;
        let user = User::without_rights()?;
        let password = secret::password()?;
        let server = programs.join("postgres").display().to_string();
        // QUIT: it ends at once, but takes its shared memory along.
        let keeper = Keeper::new("postgres", user, "QUIT", |folder| vec![server, "-D".to_owned(), folder.join("data").display().to_string()])?;
        let secret = keeper.folder().join("password");
        std::fs::write(&secret, &password)?;
        user.own(&secret)?;
        let place = keeper.folder().join("data");
        let disk =
            settings.disk.map(|mebibytes| std::fs::create_dir(&place).map_err(Into::into).and_then(|()| Disk::at(&place, mebibytes, user))).transpose()?;
        let mut initdb = user.prefix();
        initdb.push(programs.join("initdb").display().to_string());
        initdb.extend(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"].map(str::to_owned));
        initdb.push(format!("--pwfile={}", secret.display()));
        initdb.push(format!("--pgdata={}", place.display()));
        tools::run("setpriv", initdb.get(1..).unwrap_or_default(), &[])?;
        let mut postgres = Self { keeper, disk, programs, port: 0, password, databases: AtomicU32::new(0) };
        postgres.first_start(&settings)?;
        Ok(postgres)
    }

    fn first_start(&mut self, settings: &Settings) -> Result<()> {
        let file = self.keeper.folder().join("data/postgresql.conf");
        let theirs = std::fs::read_to_string(&file)?;
        let version = std::fs::read_to_string(self.keeper.folder().join("data/PG_VERSION"))?.trim().parse().context("not a version of Postgres 10 or newer")?;
        for _ in 0..ports::ATTEMPTS {
            self.port = ports::free()?;
            std::fs::write(&file, format!("{theirs}\n{}", settings.lines(version, self.port, self.keeper.folder())))?;
            match self.launch() {
                // Somebody was quicker with the port.
                Err(_) if self.keeper.server().is_none() && self.keeper.log().contains("Address already in use") => {}
                other => return other,
            }
        }
        bail!("no port stayed free long enough: {}", self.keeper.log());
    }

    fn launch(&mut self) -> Result<()> {
        let file = self.keeper.folder().join("data/postmaster.pid");
        // What `pg_ctl` looks at: the first line is the process, the eighth its state.
        self.keeper.start(|id| {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let mut lines = text.lines();
            Ok(lines.next() == Some(id.to_string().as_str()) && lines.nth(6).is_some_and(|state| state.trim() == "ready"))
        })
    }

    /// The one that all tests of this process share; its end is this process's.
    ///
    /// # Errors
    /// When it did not start: the same error for all.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<Postgres, String>> = OnceLock::new();
        let shared =
            SHARED.get_or_init(|| Self::start(Settings::default().option("max_connections", SHARED_CONNECTIONS)).map_err(|error| format!("{error:#}")));
        shared.as_ref().map_err(|error| anyhow::anyhow!("the shared Postgres: {error}"))
    }

    /// A new, empty database; gives its URL.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn database(&self) -> Result<String> {
        self.database_like("template0")
    }

    /// A new database that is a copy of another one, say of one with all tables made; nobody may be
    /// connected to that one. Gives its URL.
    ///
    /// # Errors
    /// When there is no such database, or somebody is connected to it.
    pub fn database_like(&self, template: &str) -> Result<String> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed) + 1);
        self.database_named(&name, template)
    }

    /// As [`Self::database_like`], with a name of the test's choice.
    ///
    /// # Errors
    /// When there is one of that name, and as there.
    pub fn database_named(&self, name: &str, template: &str) -> Result<String> {
        self.sql(&self.url("postgres"), &format!("CREATE DATABASE \"{name}\" TEMPLATE \"{template}\""))?;
        Ok(self.url(name))
    }

    /// The URL of a database of this server, for its superuser.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the Unix socket.
    #[must_use]
    pub fn socket_folder(&self) -> &Path {
        self.keeper.folder()
    }

    /// Runs SQL with `psql` against a URL; gives the rows as lines, their columns parted by `|`.
    ///
    /// # Errors
    /// What `psql` says.
    pub fn sql(&self, url: &str, text: &str) -> Result<String> {
        let psql = self.programs.join("psql");
        let arguments = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--dbname", url, "--command", text];
        Ok(tools::run(psql, &arguments, &[])?.trim_end().to_owned())
    }

    /// The end of what the server printed.
    #[must_use]
    pub fn log(&self) -> String {
        self.keeper.log()
    }

    /// Kills all its processes at once, as the loss of the machine would (but for its disk's cache).
    ///
    /// # Errors
    /// When the processes may not be killed.
    pub fn kill(&mut self) -> Result<()> {
        self.keeper.kill()
    }

    /// Leaves no room on its disk, which must be its own. It refuses what it would have to write, or ends.
    ///
    /// # Errors
    /// When its disk is everybody's.
    pub fn fill_disk(&self) -> Result<()> {
        self.disk.as_ref().context("it has no disk of its own")?.fill()
    }

    /// Gives the room back, and starts it again where it has ended.
    ///
    /// # Errors
    /// When its disk was not full, or it does not start.
    pub fn free_disk(&mut self) -> Result<()> {
        self.disk.as_ref().context("it has no disk of its own")?.free()?;
        if self.keeper.server().is_none() { self.launch() } else { Ok(()) }
    }

    /// Whether it has a disk of its own.
    #[must_use]
    pub const fn has_disk(&self) -> bool {
        self.disk.is_some()
    }

    /// Makes all its processes stand still: connections stay open and nothing answers.
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

    /// Starts it again on the same data and port, and waits until it accepts; kills it before if it
    /// still runs.
    ///
    /// # Errors
    /// When it does not start; its log is told.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        self.launch()
    }

    /// Kills the `n`th process that serves a client, counted round and round; false when there is
    /// none. Postgres then ends all connections and recovers, as it does when one of its processes
    /// crashes or the kernel is short of memory.
    ///
    /// # Errors
    /// When the server does not run.
    pub fn kill_backend(&mut self, n: usize) -> Result<bool> {
        let server = self.keeper.server().context("the server does not run")?;
        // A title such as "postgres: user database 127.0.0.1(4711) idle".
        let serves = |id: u32| {
            std::fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|title| {
                let title = String::from_utf8_lossy(&title);
                title.contains(" 127.0.0.1(") || title.contains(" [local] ")
            })
        };
        let backends: Vec<_> = processes::descendants(server.id)?.into_iter().filter(|one| serves(one.id)).collect();
        match n.checked_rem(backends.len()).and_then(|n| backends.get(n)) {
            Some(backend) => backend.kill().map(|()| true),
            None => Ok(false),
        }
    }
}
