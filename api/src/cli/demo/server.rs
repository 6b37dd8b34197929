//! The server as a process of its own: started, waited for, stopped.

use super::place::Place;
use crate::cli::exit::CliError;
use commands::ports::{Clock as _, SystemClock};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Longest wait for it to answer, and to stop.
const PATIENCE: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(20);

/// A running server.
pub(super) struct Server {
    child: Child,
    ready: PathBuf,
    trace: PathBuf,
}

impl Server {
    /// Starts it. Settings of the environment are kept from it: they might name real providers.
    pub(super) fn start(place: &Place, listen: SocketAddr) -> Result<Self, CliError> {
        let failed = |error: std::io::Error| CliError::failure(format!("the server cannot be started: {error}"));
        match std::fs::remove_file(place.ready()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let trace = std::fs::File::create(place.trace()).map_err(failed)?;
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.arg("serve").arg("--data").arg(place.data()).arg("--listen").arg(listen.to_string());
        command.arg("--config").arg(place.config()).arg("--ready-file").arg(place.ready());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BONGSU_")) {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(trace).kill_on_drop(true);
        // Ctrl-C reaches the demo alone, which then stops the server in order.
        #[cfg(unix)]
        command.process_group(0);
        Ok(Self { child: command.spawn().map_err(failed)?, ready: place.ready(), trace: place.trace() })
    }

    /// Waits until it answers; gives its address.
    pub(super) async fn ready(&mut self) -> Result<SocketAddr, CliError> {
        let waiting = async {
            loop {
                if let Some(address) = std::fs::read_to_string(&self.ready).ok().and_then(|text| address(&text)) {
                    return Ok(address);
                }
                if let Some(status) = self.child.try_wait().map_err(CliError::failure)? {
                    return Err(self.died(status));
                }
                SystemClock::default().sleep(GLANCE).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| Err(CliError::failure("the server does not answer; try again with --data to keep its trace")))
    }

    /// Waits for an end that nobody asked for.
    pub(super) async fn ended(&mut self) -> Result<(), CliError> {
        let status = self.child.wait().await.map_err(CliError::failure)?;
        Err(self.died(status))
    }

    fn died(&self, status: ExitStatus) -> CliError {
        let trace = std::fs::read_to_string(&self.trace).unwrap_or_default();
        let last = trace.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it left no trace");
        CliError::failure(format!("the server ended by itself ({status}): {last}"))
    }

    /// Asks it to stop, and waits.
    pub(super) async fn stop(mut self) -> Result<(), CliError> {
        #[cfg(unix)]
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw)
            && rustix::process::kill_process(id, rustix::process::Signal::TERM).is_ok()
            && timeout(PATIENCE, self.child.wait()).await.is_ok()
        {
            return Ok(());
        }
        // Safe at any moment: what was under way is recovered at the next start.
        self.child.kill().await.map_err(CliError::failure)
    }
}

/// The address in a ready file; none while it is not whole.
pub(super) fn address(ready: &str) -> Option<SocketAddr> {
    serde_json::from_str::<serde_json::Value>(ready).ok()?["listen"].as_str()?.parse().ok()
}
