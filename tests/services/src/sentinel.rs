//! A private Redis with a replica, watched by sentinels that replace a lost master.

use crate::redis::{Redis, Role, Settings};
use crate::{secret, wait};
use anyhow::{Context, Result};

/// What the sentinels call the master.
pub const MASTER: &str = "bongsu";

/// Running servers and their sentinels; dropped, they are gone.
#[derive(Debug)]
pub struct Sentinel {
    /// The first master and its replica; which of them is the master is the sentinels' to say.
    pub servers: Vec<Redis>,
    /// Those who watch.
    pub sentinels: Vec<Redis>,
}

impl Sentinel {
    /// Makes a master, a replica and so many sentinels, most of whom must agree to replace the
    /// master; waits until all know each other.
    ///
    /// # Errors
    /// When Redis is not installed or one of them does not start; its log is told.
    pub fn start(sentinels: usize) -> Result<Self> {
        let password = secret::password()?;
        // No waiting for more replicas that could be served along.
        let at_once = Settings::default().line("repl-diskless-sync-delay 0");
        let master = Redis::with_password(Role::Server, &password, &at_once)?;
        let follow = at_once.line(&format!("replicaof 127.0.0.1 {}", master.port()));
        let replica = Redis::with_password(Role::Server, &password, &follow)?;
        let most = sentinels / 2 + 1;
        let watch = Settings::default()
            .line(&format!("sentinel monitor {MASTER} 127.0.0.1 {} {most}", master.port()))
            .line(&format!("sentinel auth-pass {MASTER} {password}"))
            .line(&format!("sentinel down-after-milliseconds {MASTER} 1000"))
            .line(&format!("sentinel failover-timeout {MASTER} 5000"));
        wait::until("the replica follows", || Ok(replica.ask(&["INFO", "replication"])?.contains("master_link_status:up").then_some(())))?;
        let watchers = (0..sentinels).map(|_| Redis::with_password(Role::Sentinel, &password, &watch)).collect::<Result<Vec<_>>>()?;
        let group = Self { servers: vec![master, replica], sentinels: watchers };
        let known = format!("slaves=1,sentinels={sentinels}");
        group.sentinels.iter().try_for_each(|sentinel| {
            wait::until("the sentinels know each other and the replica", || Ok(sentinel.ask(&["INFO", "sentinel"])?.contains(&known).then_some(())))
        })?;
        Ok(group)
    }

    /// The sentinels' URLs; they have no password.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.sentinels.iter().map(Redis::url).collect()
    }

    /// The servers' password.
    #[must_use]
    pub fn password(&self) -> &str {
        self.servers.first().map_or("", Redis::password)
    }

    /// The port of the master, as the first sentinel that answers has it.
    ///
    /// # Errors
    /// When none answers.
    pub fn master_port(&self) -> Result<u16> {
        let answer = self.sentinels.iter().find_map(|sentinel| sentinel.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER]).ok());
        let answer = answer.context("no sentinel answers")?;
        answer.lines().last().and_then(|port| port.trim().parse().ok()).with_context(|| format!("not an address: {answer:?}"))
    }

    /// Waits until a server other than the one on port `old` is the master and takes writes; gives its port.
    ///
    /// # Errors
    /// When that does not come.
    pub fn replaced(&self, old: u16) -> Result<u16> {
        wait::until("the sentinels replaced the master", || {
            let port = self.master_port()?;
            let Some(server) = self.servers.iter().find(|server| server.port() == port && port != old) else { return Ok(None) };
            Ok(server.ask(&["INFO", "replication"]).is_ok_and(|info| info.contains("role:master")).then_some(port))
        })
    }
}
